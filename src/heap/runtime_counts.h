// What the runtime itself believes to have allocated: the numbers that runtime.ReadMemStats gives
// as HeapAlloc and Mallocs - Frees, taken from its counters in the same image. They come from
// elsewhere than the spans, so they tell whether the spans were read right.
//
//   memstats.heapStats.stats[0..2]   allocated and freed, by size class, summed
//   allp[i].mcache.alloc[class]      objects of cached spans that no counter has yet
//
// Source: runtime/mstats.go (readmemstats_m, consistentHeapStats), runtime/mcache.go (releaseAll),
// go1.21 to go1.27. Where the fields are comes from DWARF: nothing in a binary without.
#pragma once

#include <optional>

#include "heap/graph.h"

namespace geist::heap {

std::optional<RuntimeCounts> read_runtime_counts(const HeapImage& image);

}  // namespace geist::heap
