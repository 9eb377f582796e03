#include "heap/suspended.h"

#include <algorithm>

namespace geist::heap {
namespace {

// More than asyncPreempt and asyncPreempt2 take: the former saves all registers, with AVX-512 up
// to 2.7 KiB.
constexpr u64 kPreemptFrameBytes = 8192;

}  // namespace

process::StandingPlaces find_standing_places(const process::Memory& memory,
                                             const read::GoBinary& binary,
                                             const RuntimeSymbols& symbols, LoadBias bias) {
  process::StandingPlaces out;
  // Goroutine 1 is made by the start-up code; the second by runtime.main (runtime/proc.go, init:
  // forcegchelper).
  out.has_begun = memory.find<u64>(bias.to_target(symbols.allglen)).value_or(0) >= 2;
  std::optional<read::Function> preempt =
      binary.pclntab().find_function_named("runtime.asyncPreempt2");
  u64 damaged = 0;
  for (const Goroutine& g : read_goroutines(memory, binary.layout(), symbols, bias, &damaged)) {
    if (!g.sp || g.status == GStatus::kSyscall) continue;  // runs, or left Go by a call
    ImageAddr pc = bias.to_image(g.pc);
    bool preempted = !preempt || (pc >= preempt->entry && pc < preempt->end);
    if (!preempted) continue;
    TargetAddr end = preempt ? std::min(g.stack_hi, g.sp + kPreemptFrameBytes) : g.stack_hi;
    out.stacks.push_back({g.sp, end});
  }
  return out;
}

}  // namespace geist::heap
