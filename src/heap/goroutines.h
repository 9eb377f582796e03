// The goroutines of a running Go process: id, status, stack bounds, and where a parked one stands.
// Source: runtime/runtime2.go (g, gobuf), offsets per release in read/go/layout.h.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "heap/runtime_symbols.h"
#include "process/memory.h"
#include "read/go/layout.h"

namespace geist::heap {

enum class GStatus : u8 {
  kIdle = 0,
  kRunnable = 1,
  kRunning = 2,
  kSyscall = 3,
  kWaiting = 4,
  kDead = 6,
  kCopystack = 8,
  kPreempted = 9,
  kOther = 255
};

struct Goroutine {
  TargetAddr g;
  u64 goid = 0;
  GStatus status = GStatus::kOther;
  TargetAddr stack_lo, stack_hi;
  // Where it will go on: gobuf for parked ones, syscallpc/sp for those in a system call; zero when
  // running.
  TargetAddr pc, sp, bp;
};

// All goroutines that are not dead; entries that do not hold together are left out and counted.
std::vector<Goroutine> read_goroutines(const process::Memory& memory, const read::Layout& layout,
                                       const RuntimeSymbols& symbols, LoadBias bias, u64* damaged);
// The one at address g.
std::optional<Goroutine> read_goroutine(const process::Memory& memory, const read::Layout& layout,
                                        TargetAddr g);

// Does the thread that runs g have a P which says the same, and that it runs? Then what the layout
// says of m and p holds in this process. False as well when g has gone on meanwhile.
bool has_running_p(const process::Memory& memory, const read::Layout& layout, TargetAddr g);

}  // namespace geist::heap
