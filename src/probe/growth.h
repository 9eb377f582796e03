// Growth: what capacity `append` gives when it grows, chosen by us. The specification says only
// that the new array "is large enough" ("Appending to and copying slices"); a program is as right
// with one capacity as with another.
//
//   roomy    at the entry  of growslice*     oldCap := 2·newLen + 4, so that its own rule gives
//                                            4·newLen + 8 (of more than 126 elements 2·newLen at
//                                            least),
//                                            its own clearing holds, and nothing of the array is
//                                            ours to care for; not above 16 MiB
//   tight=N  at the returns of growslice*    cap := len, up to N elements; the array stays as it is
//                           and moveSliceNoCap*
//
// For all of the program, or for some calls: then what runs there looks at the return address.
// growsliceBuf* would put the elements into a buffer on the caller's stack, whose capacity is the
// code's: under roomy it is told that the buffer has no room. Go ≥ 1.26 also uses such buffers (32
// bytes) without a call, and moves what is in them to the heap when it is handed on: under roomy
// that CALL of moveSliceNoCap* is one of growslice for no more elements, which allocates, copies
// and clears alike.
//
// Source: runtime/slice.go growslice, nextslicecap, growsliceBuf, moveSliceNoCap; go1.21 to go1.27:
// growslice(oldPtr AX, newLen BX, oldCap CX, num DI, et SI[, bufPtr R8, bufLen R9]) gives AX BX CX,
// moveSliceNoCap(et AX, old BX, len CX) and moveSliceNoCapNoScan(elemSize AX, old BX, len CX) too.
// Of an abi.Type without pointers growslice reads its first two words, Size_ and PtrBytes.
#pragma once

#include <optional>
#include <vector>

#include "probe/patch_plan.h"
#include "probe/return_filter.h"

namespace geist::probe {

struct Growth {
  bool is_roomy = true;
  u64 tight_len = 64;                           // of tight: longer slices are left alone
  std::optional<std::vector<ImageAddr>> calls;  // of the table's sites; nothing: all growth
};

// The chosen calls' return addresses as few ranges that hold no other site's: by address. `chosen`
// may be in any order.
std::vector<CodeRange> ranges_of_calls(const sites::SiteTable& table,
                                       const std::vector<ImageAddr>& chosen);

// Where growth can be changed. Found once for a program, used for any number of plans.
class GrowthPoints {
 public:
  // Fails, naming the place, when growslice cannot be probed in this program.
  static Result<GrowthPoints> find(const read::GoBinary& binary);
  // Adds what is needed to `options.points`.
  void add(const sites::SiteTable& table, const Growth& growth, PlanOptions& options) const;

 private:
  struct Place {
    program::Point point;
    bool has_buffer = false;  // growsliceBuf*: R9 is its room
    bool is_move = false;     // moveSliceNoCap*: its callers are no sites
    bool has_type = true;     // not moveSliceNoCapNoScan: that has the size
  };
  explicit GrowthPoints(const read::GoBinary& binary) : binary_(&binary) {}
  Status find_in(const char* function, bool is_move);
  void add_moves(const sites::SiteTable& table, const Growth& growth, PlanOptions& options) const;
  std::vector<CodeRange> functions_of(const std::vector<ImageAddr>& calls) const;

  const read::GoBinary* binary_;
  std::vector<Place> entries_, returns_;
  std::vector<Place> moves_;  // CALLs of moveSliceNoCap*
  ImageAddr growslice_;
};

// Counts how often the program asks what was allocated, which no capacity may change and every one
// does; empty when it cannot ask.
std::vector<PointProbe> count_allocation_questions(const read::GoBinary& binary);

}  // namespace geist::probe
