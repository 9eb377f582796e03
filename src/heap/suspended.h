// Where goroutines keep a program counter that is not behind a call: the runtime preempts a running
// goroutine by pushing the address of its current instruction, whichever that is, and a call of
// asyncPreempt in front of it. Such an instruction must not be replaced, for the goroutine goes on
// right there.
//
//   │ pc of the goroutine, any instruction │   pushed by sighandler's pushCall
//   │                                      │   (runtime/signal_amd64.go)
//   │ saved registers                      │   asyncPreempt (runtime/preempt_amd64.s)
//   │ asyncPreempt2, mcall                 │   ← sched.sp, sched.pc while it is parked
#pragma once

#include "heap/goroutines.h"
#include "process/attach.h"
#include "read/go/go_binary.h"

namespace geist::heap {

// With the process stopped this is complete for goroutines that do not run; those that do are seen
// from their threads.
process::StandingPlaces find_standing_places(const process::Memory& memory,
                                             const read::GoBinary& binary,
                                             const RuntimeSymbols& symbols, LoadBias bias);

}  // namespace geist::heap
