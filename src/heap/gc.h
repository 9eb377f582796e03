// What the garbage collector has found out about an object since a moment.
//
// mheap_.sweepgen grows by 2 when a cycle's marking has ended (gcSweep). Then each span is swept:
// its mark bits become its allocBits, and freeindex becomes 0 (sweepLocked.sweep). Each span says
// from which cycle its allocBits are:
//
//   span.sweepgen == sweepgen      swept
//   span.sweepgen == sweepgen + 3  swept, and since then some P allocates from it
//   anything else                  its allocBits are still those of the cycle before
//
// A cycle that was marking at the moment ends with sweepgen + 2, and keeps everything that was
// reachable when it began or allocated since. Only the cycle that ends with sweepgen + 4 is sure to
// have begun after the moment. allocBits are of the sweep alone: slots handed out since then lie
// below freeindex and have no bit.
// Source: runtime/mheap.go (comment at mspan.sweepgen), runtime/mgcsweep.go, go1.21 to go1.27.
#pragma once

#include <optional>

#include "base/address.h"
#include "heap/spans.h"

namespace geist::heap {

// Was the slot that holds `object` marked in the latest cycle, which began after the moment when
// sweepgen() was `sweepgen_at_moment`?
//
// true: marked, that is reachable when that cycle began or later, or kept for its finalizer.
// false: not marked, or its span was freed since; what was there at the moment is gone, even when
// the slot holds something new by now. Nothing: not known yet (no such cycle, the span was not
// swept yet, the target is sweeping right now); ask again later.
//
// A slot may have been freed by one cycle, allocated again and marked by the next: the bits cannot
// tell. So true says that *something* lives there; callers hold its content against what they knew.
std::optional<bool> survived_gc(const SpanTable& spans, TargetAddr object, u32 sweepgen_at_moment);

}  // namespace geist::heap
