// Weights of calls by (caller, callee), in an open table: some ten thousand entries, asked for tens of
// millions of times.
#pragma once

#include <vector>

#include "base/ints.h"
#include "profile/graph.h"

namespace geist::profile {

class EdgeMap {
 public:
  // Adds a call once for each sample. An edge is inlined while every call on it is.
  void add(u32 from, u32 to, i64 weight, bool is_inlined, u64 sample);
  void merge(const EdgeMap& other);
  std::vector<Edge> take();

 private:
  struct Slot {
    u32 from = kNone, to = kNone;  // kNone: free
    i64 weight = 0;
    u64 sample = 0;  // that was added last
    bool is_inlined = true;
  };
  Slot& find(u32 from, u32 to);
  Slot& find_or_add(u32 from, u32 to, bool* is_new);
  void grow();
  std::vector<Slot> slots_ = std::vector<Slot>(64);
  usize used_ = 0;
};

}  // namespace geist::profile
