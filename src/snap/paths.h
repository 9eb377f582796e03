// How an object is reached from a root, as one would write it in Go:
//
//   main.server.sessions["alice"].buf         a global, fields, a map entry
//   conn.(*net.TCPConn).fd in main.serve (goroutine 7)
//
// The shortest way is taken, and of two equal ones the one from a global; one from a temporary only
// when there is no other.
#pragma once

#include <string>
#include <vector>

#include "heap/graph.h"

namespace geist::snap {

class Paths {
 public:
  explicit Paths(const heap::HeapGraph& graph) : graph_(graph) {}

  // To the object; empty when no root reaches it.
  std::string path_to(heap::ObjectId id);
  // To what lies at `offset` in the object.
  std::string path_to(heap::ObjectId holder, u64 offset);
  std::string path_of(const heap::Root& root) const;
  // The same with the place of a stack: " in main.serve (goroutine 7)".
  std::string path_of_root(const heap::Root& root) const;
  // The root that path_to begins with; null when none does.
  const heap::Root* root_of(heap::ObjectId id);
  // Does path_to begin with something that has a name?
  bool is_named(heap::ObjectId id);

 private:
  static constexpr u32 kRootBit = u32{1} << 31;
  static constexpr u32 kNobody = 0xffffffff;
  void search();
  // What to write behind an object for what lies at `offset` in it.
  std::string step(heap::ObjectId id, std::optional<u64> offset) const;
  std::string entry_of_map(heap::ObjectId id, u64 offset) const;
  std::string value_text(heap::TypeId type, TargetAddr at) const;
  std::string chain_to(heap::ObjectId id, std::string* suffix);
  std::string stack_suffix(const heap::Root& root) const;

  const heap::HeapGraph& graph_;
  std::vector<u32> above_;  // the object it was found from, or kRootBit | root
};

}  // namespace geist::snap
