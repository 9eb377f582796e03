// Views in heap objects and globals: the scanner's hits, read as slice or string headers, that
// cover the destination.
#pragma once

#include "judge/append.h"

namespace geist::judge {

struct HeapViewLimits {
  u64 max_bytes = u64{256} << 20;
};

// One scan for several appends; result[i] belongs to appends[i]. `incomplete` is set when part
// could not be scanned.
std::vector<std::vector<View>> find_heap_views(Context& context,
                                               const std::vector<const Append*>& appends,
                                               const HeapViewLimits& limits, bool* incomplete);

// The array an append writes into: the heap object, the goroutine's stack, or a range of globals.
// `type`: of its elements, 0 when that is not known.
Array find_array(Context& context, const abi::Event& event, ImageAddr type);

}  // namespace geist::judge
