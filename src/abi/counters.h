// Counts that the trampolines keep themselves, for detectors that need no event: one page a probed
// site, in the shared mapping, after the site records.
//
//   page of a site:  │ M 0: in_place grows bytes │ M 1 │ … │ M 62 │ all others │   a cache line each
//
// Exact without a locked instruction: an M is a thread, and no goroutine changes its M in a
// trampoline, whose code Go's runtime does not know and therefore does not preempt. Ms are numbered
// and never reuse a number; those from kCounterShards - 1 on share the last line, with locked
// instructions. A child that was forked and runs Go code without an exec counts here, too.
// Source: runtime/preempt.go isAsyncSafePoint, runtime/proc.go mReserveID, go1.21 to go1.27.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace geist::abi {

inline constexpr uint32_t kCounterShards = 64;

struct SiteCounter {
  // [target] Appends that found room, those of no elements included: the sum of both. A loop counts
  // in turns here and there (by the new length), so that no count waits for the one before.
  uint64_t in_place[2];
  uint64_t grows;     // [target] appends that went to growslice
  uint64_t bytes;     // [target] that those have copied from the old array
  uint64_t reserved[4];
};
static_assert(sizeof(SiteCounter) == 64);
static_assert(offsetof(SiteCounter, bytes) == 24);

inline constexpr uint32_t kCounterPageBytes = kCounterShards * sizeof(SiteCounter);
static_assert(kCounterPageBytes == 4096);

}  // namespace geist::abi
