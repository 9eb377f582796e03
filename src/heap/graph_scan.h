// The first pass over the heap: which words of each object are pointers, and to which objects.
//
//   span bytes ─▶ pointer bitmap ─▶ words ─▶ slots
//
// Where the bitmap is: in the arena's header (go1.21); at the end of the span for objects of up to
// 512 bytes, in the type that the malloc header or the span names for larger ones (go1.22 and
// later). Source: runtime/mbitmap.go.
//
// On the way it notes what objects say of each other without being typed themselves: the dynamic
// type beside an interface's data pointer, the code pointer of a closure.
#pragma once

#include <vector>

#include "base/result.h"
#include "heap/graph.h"

namespace geist::heap {

class GraphScan {
 public:
  explicit GraphScan(HeapGraph& graph);
  // Fails when there are more pointer words than 32 bits count.
  Status run(u32 threads);

  // The dynamic type that the first word of an interface names; kUnknownType when it names none.
  // `word` is an abi.Type (an empty interface) or an itab.
  TypeId find_dynamic_type(u64 word) const;
  // Cheap, and wrong only to one side: it may say yes.
  bool may_be_type(u64 word) const;

 private:
  class Worker;
  void read_itabs();

  HeapGraph& graph_;
  std::vector<std::pair<u64, TypeId>> itabs_;  // ascending
  u64 types_begin_ = 0, types_end_ = 0, text_begin_ = 0, text_end_ = 0;
};

}  // namespace geist::heap
