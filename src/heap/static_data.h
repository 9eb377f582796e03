// What lies in a program's data and bss: its variables, by DWARF, and what they lead to in the same
// sections. A composite literal in a variable's initialiser is laid out by the compiler as data
// without a name (pkg..stmp_12), which only pointers of known type describe:
//
//   var pools = []*sync.Pool{{New: f}}
//   main.pools ─▶ ..stmp_1 [1]*sync.Pool ─▶ ..stmp_0 sync.Pool
//
// So types flow from the variables along their pointers, as they do in the heap. Source:
// cmd/compile/internal/staticinit, go1.21 to go1.27.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "heap/graph.h"
#include "heap/graph_scan.h"

namespace geist::heap {

// Something in a data section whose type is known.
struct StaticObject {
  TargetAddr addr;
  u64 size_bytes = 0;
  TypeId type = kUnknownType;  // an array form: values one behind the other
  std::string name;            // of what has none itself, the expression that leads there
};

class StaticData {
 public:
  // `debug` may be missing: then nothing is known.
  StaticData(const HeapImage& image, HeapTypes& types, const GraphScan& scan);

  // Ascending; may overlap, where a pointer leads into the middle of what has no name.
  const std::vector<StaticObject>& objects() const { return objects_; }
  // The object that holds this address, as an index; the largest of several.
  std::optional<usize> find(TargetAddr addr) const;
  // How the object sees the pointer word at addr in it. The content of an interface as what the
  // word in front of it says.
  PointerWord find_word(const StaticObject& object, TargetAddr addr) const;

 private:
  bool is_data(TargetAddr addr) const;
  void follow(const StaticObject& object);
  enum class What { kValue, kRow };  // a row: what a slice leads to, even if it is one value
  void add(TargetAddr addr, What what, TypeId type, u64 count, const std::string& name);
  u64 read_word(TargetAddr addr) const { return image_.memory->find<u64>(addr).value_or(0); }

  const HeapImage& image_;
  HeapTypes& types_;
  const GraphScan& scan_;
  std::multimap<u64, StaticObject> by_addr_;
  std::vector<StaticObject> objects_;
  std::vector<StaticObject> pending_;
  u64 largest_ = 0;
};

}  // namespace geist::heap
