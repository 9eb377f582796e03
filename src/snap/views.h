// Views: the slice and string headers of a graph, with what part of their array each covers.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "heap/graph.h"

namespace geist::snap {

struct ArrayView {
  heap::ObjectId holder = heap::kNoObject;  // kNoObject: a root
  u32 root = 0;                             // index into roots()
  u64 offset = 0;                           // of the header in the holder
  heap::ObjectId array = heap::kNoObject;
  u64 begin = 0;         // bytes from the array's begin
  u64 len = 0, cap = 0;  // in elements; of a string both are its bytes
  u64 elem_size = 1;
  heap::TypeId elem = heap::kUnknownType;
  bool is_string = false;

  u64 end() const { return begin + len * elem_size; }  // of the elements in use
  u64 cap_end() const { return begin + cap * elem_size; }
  bool same_range(const ArrayView& other) const {
    return begin == other.begin && len == other.len && cap == other.cap;
  }
};

struct Views {
  std::unordered_map<heap::ObjectId, std::vector<ArrayView>> by_array;
  u64 damaged = 0;  // headers that do not fit their array: being written at that moment, or not one
};

// Every header that looks into an array for which `is_wanted` says yes.
Views collect_views(const heap::HeapGraph& graph,
                    const std::function<bool(heap::ObjectId)>& is_wanted);

// For each object, how many pointers of reached objects and roots lead to it, and how many of them
// as slices; both end at 255.
struct ReferenceCounts {
  std::vector<u8> all, slices;
};
ReferenceCounts count_references(const heap::HeapGraph& graph);

}  // namespace geist::snap
