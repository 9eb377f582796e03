// Where a victim's header went. A slice of slices that grows is copied to a larger array, and the
// header that was watched stays behind in memory that nobody uses any more:
//
//   all ─▶ │ L │                         append(all, …)
//   all ─▶ │ L'│ new │                   L' holds what L held; the old array is garbage
//
// A watch sees memmove read L and tells where L' is (Evidence::copies). When the array grew once
// more before L' could be watched, the grown array is found by what it must begin with: the whole
// of the old one, for only a full array grows.
#pragma once

#include <optional>
#include <vector>

#include "judge/view.h"

namespace geist::judge {

// A place that holds a header.
struct Place {
  TargetAddr ptr_word;
  findings::Holder holder = findings::Holder::kHeap;
  TargetAddr object;  // kHeap
  u64 object_size = 0;
};

void put_view_at(View& view, const Place& place);

// The place at `ptr_word`, if the view's header stands there, in an allocated object or in globals.
std::optional<Place> find_place(Context& context, TargetAddr ptr_word, const View& view);

// For each view, all places of heap and globals where the same header stands, its own among them.
// One scan for all.
std::vector<std::vector<Place>> find_same_headers(Context& context,
                                                  const std::vector<const View*>& views);

// Is the object of `place` what the view's holder grew into: larger, the header at the same offset,
// and all bytes of the old one at its start? Never for an old one of a single header, which would
// tell nothing.
bool has_grown_from(Context& context, const Place& place, const View& view);

}  // namespace geist::judge
