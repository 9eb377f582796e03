// Reading g structures. A goroutine runs on while it is read, so a g is taken only when its fields
// hold together: a stack of sane size, and, where a resume point is claimed, sp on that stack.
//
// Source: runtime/runtime2.go (g, gobuf, the _G constants), runtime/proc.go (allgptr and allglen
// are the lock-free copies of allgs that atomicAllG reads: entries are never removed).
#include "heap/goroutines.h"

#include "heap/bulk_read.h"

namespace geist::heap {
namespace {

constexpr u32 kScanBit = 0x1000;              // _Gscan
constexpr u64 kMaxGoroutines = u64{1} << 24;  // more are not believed
constexpr u64 kUserSpaceEnd = u64{1} << 47;
constexpr u64 kMaxStackBytes = u64{2} << 30;  // runtime.maxstackceiling
constexpr u64 kRecordSize = 256;              // all fields used here lie below, in every layout

GStatus to_status(u32 raw) {
  switch (raw & ~kScanBit) {
    case 0:
      return GStatus::kIdle;
    case 1:
      return GStatus::kRunnable;
    case 2:
      return GStatus::kRunning;
    case 3:
      return GStatus::kSyscall;
    case 4:
      return GStatus::kWaiting;
    case 6:
      return GStatus::kDead;
    case 8:
      return GStatus::kCopystack;
    case 9:
      return GStatus::kPreempted;
    case 10:
      return GStatus::kWaiting;  // _Gleaked (go1.26): waiting, and the collector says forever
    case 11:
      return GStatus::kDead;  // _Gdeadextra (go1.26)
    default:
      return GStatus::kOther;
  }
}

bool is_stack_sane(const Goroutine& g) {
  return g.stack_lo.value != 0 && g.stack_lo < g.stack_hi && g.stack_hi.value < kUserSpaceEnd &&
         g.stack_hi - g.stack_lo <= kMaxStackBytes && g.stack_hi.value % 8 == 0;
}

// Fills in where a goroutine that does not run goes on; false when that is not on its stack.
bool read_resume_point(ByteView bytes, const read::Layout& layout, Goroutine* g) {
  auto addr = [&](u32 offset) { return TargetAddr(find_int<u64>(bytes, offset).value_or(0)); };
  bool is_parked = g->status == GStatus::kRunnable || g->status == GStatus::kWaiting ||
                   g->status == GStatus::kPreempted;
  if (is_parked) {
    g->pc = addr(layout.g_sched_pc);
    g->sp = addr(layout.g_sched_sp);
    g->bp = addr(layout.g_sched_bp);
  } else if (g->status == GStatus::kSyscall) {
    g->pc = addr(layout.g_syscallpc);
    g->sp = addr(layout.g_syscallsp);
    // reentersyscall saves the same frame in sched, and only there the BP (go1.21 to go1.27).
    g->bp = addr(layout.g_sched_bp);
  } else {
    return true;
  }
  return g->pc.value != 0 && g->sp >= g->stack_lo && g->sp < g->stack_hi && g->sp.value % 8 == 0;
}

// Nothing: damaged. A dead goroutine comes back as such.
std::optional<Goroutine> parse(TargetAddr at, ByteView bytes, const read::Layout& layout) {
  if (bytes.empty()) return std::nullopt;
  Goroutine g;
  g.g = at;
  g.status = to_status(find_int<u32>(bytes, layout.g_atomicstatus).value_or(0));
  g.goid = find_int<u64>(bytes, layout.g_goid).value_or(0);
  if (g.status == GStatus::kDead || g.status == GStatus::kIdle) return g;
  g.stack_lo = TargetAddr(find_int<u64>(bytes, 0).value_or(0));  // g.stack is the first field
  g.stack_hi = TargetAddr(find_int<u64>(bytes, 8).value_or(0));
  bool is_sane = g.status != GStatus::kOther && g.goid != 0 && is_stack_sane(g) &&
                 read_resume_point(bytes, layout, &g);
  if (!is_sane) return std::nullopt;
  return g;
}

}  // namespace

std::vector<Goroutine> read_goroutines(const process::Memory& memory, const read::Layout& layout,
                                       const RuntimeSymbols& symbols, LoadBias bias, u64* damaged) {
  u64 bad = 0;
  std::vector<Goroutine> goroutines;
  // The length first, as the runtime does: the array only ever grows.
  std::optional<u64> count = memory.find<u64>(bias.to_target(symbols.allglen));
  std::optional<u64> array = memory.find<u64>(bias.to_target(symbols.allgptr));
  if (count && array && *count <= kMaxGoroutines) {
    std::vector<TargetAddr> gs = read_pointers(memory, TargetAddr(*array), *count, kMaxGoroutines);
    bad += *count - gs.size();
    bad += std::erase_if(gs, [](TargetAddr g) {
      return g.value == 0 || g.value % 8 != 0 || g.value >= kUserSpaceEnd;
    });
    bad += drop_overlapping(gs, kRecordSize);
    read_records(memory, std::move(gs), kRecordSize, [&](TargetAddr at, ByteView bytes) {
      std::optional<Goroutine> g = parse(at, bytes, layout);
      if (!g) {
        ++bad;
      } else if (g->status != GStatus::kDead && g->status != GStatus::kIdle) {
        goroutines.push_back(*g);
      }
    });
  } else {
    ++bad;
  }
  if (damaged != nullptr) *damaged = bad;
  return goroutines;
}

std::optional<Goroutine> read_goroutine(const process::Memory& memory, const read::Layout& layout,
                                        TargetAddr g) {
  std::vector<u8> bytes(kRecordSize);
  if (!memory.read(g, bytes)) return std::nullopt;
  std::optional<Goroutine> goroutine = parse(g, bytes, layout);
  if (!goroutine || goroutine->status == GStatus::kDead || goroutine->status == GStatus::kIdle) {
    return std::nullopt;
  }
  return goroutine;
}

// Source: runtime/runtime2.go (m.curg, m.p, p.m, p.status, _Prunning), go1.21 to go1.27.
bool has_running_p(const process::Memory& memory, const read::Layout& layout, TargetAddr g) {
  constexpr u32 kPRunning = 1;
  const std::optional<u64> m = memory.find<u64>(g + layout.g_m);
  if (m.value_or(0) == 0) return false;
  const TargetAddr thread(*m);
  const std::optional<u64> p = memory.find<u64>(thread + layout.m_p);
  if (p.value_or(0) == 0) return false;
  return memory.find<u64>(thread + layout.m_curg) == g.value &&
         memory.find<u64>(TargetAddr(*p) + layout.p_m) == *m &&
         memory.find<u32>(TargetAddr(*p) + layout.p_status) == kPRunning;
}

}  // namespace geist::heap
