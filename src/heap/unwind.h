// Unwinding a goroutine stack with pclntab: physical frames, their slots, and which of them hold
// live pointers.
//
//   high  │ arguments (args map)      ← argp = cfa
//         │ return address            ← cfa - 8
//         │ saved BP                  ← cfa - 16   (functions with a frame)
//         │ locals (locals map)         ... up to varp = cfa - 16
//   low   │ outgoing arguments        ← sp
//
// Works on a copy (an event record, a perf sample) or on live memory. Stops, and says so, at the
// first return address that is not Go code, at a frame that would leave the stack, where code
// switches stacks (systemstack, mcall, asmcgocall: functions that pclntab marks SPWrite), or at
// max_frames. Source: runtime/traceback.go.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "heap/goroutines.h"
#include "process/memory.h"
#include "read/go/go_binary.h"

namespace geist::heap {

// A run of stack bytes that begins at sp.
struct StackCopy {
  TargetAddr sp;
  ByteView bytes;
  std::optional<u64> find_word(TargetAddr addr) const {
    if (addr < sp) return std::nullopt;
    return find_int<u64>(bytes, addr - sp);
  }
};

struct StackFrame {
  read::Function function;
  ImageAddr pc;  // the instruction the frame is at: for callers, the return address
  bool is_return_address = false;  // look up lines and maps at pc - 1
  TargetAddr sp;                   // at pc
  TargetAddr cfa;                  // address right above the return-address slot
  ImageAddr lookup_pc() const { return is_return_address ? pc - 1 : pc; }
};

struct Unwound {
  std::vector<StackFrame> frames;  // innermost first
  bool complete = false;           // reached a TopFrame function (goexit, main start)
};

// `pc` is inside a function body at an instruction boundary (not a return address, unless the last
// argument says so) with stack pointer stack.sp. LoadBias maps return addresses to the image. A
// caller is taken only when a CALL instruction stands in front of its return address.
Unwound unwind(const read::GoBinary& binary, LoadBias bias, ImageAddr pc, const StackCopy& stack,
               u32 max_frames, bool pc_is_return_address = false);

// The stack of a goroutine that does not run, [sp, stack_hi) as it is now, and its frames. Nothing
// when it has no resume point, its stack is longer than max_bytes or unreadable, or it went on
// while it was read, even if it came back since.
struct ParkedStack {
  TargetAddr sp;
  std::vector<u8> bytes;
  Unwound unwound;
  StackCopy copy() const { return {sp, bytes}; }
};
std::optional<ParkedStack> unwind_parked(const process::Memory& memory,
                                         const read::GoBinary& binary, LoadBias bias,
                                         const Goroutine& goroutine, u64 max_bytes, u32 max_frames);

// The same of a goroutine whose memory does not change: no second look. `is_exact`: pc is where a
// running thread was stopped, not behind the call that parked it.
std::optional<ParkedStack> unwind_stopped(const process::Memory& memory,
                                          const read::GoBinary& binary, LoadBias bias,
                                          const Goroutine& goroutine, bool is_exact, u64 max_bytes,
                                          u32 max_frames);

// Slots of the frame that the stack maps call live pointers at its pc: addresses, ascending. The
// maps hold at calls only (PCDATA_StackMapIndex changes in front of each and is stale between
// them), so there are none for a frame that is at an instruction of its own: the innermost one, or
// one that a signal interrupted. At an append site ask for the frame with the return address of the
// site's growslice call as pc: what is live across that call is live across the append. A variable
// whose address was taken has bits only as long as the code names it again; once only pointers to
// it are left, it is a stack object, below.
std::vector<TargetAddr> live_pointer_slots(const read::GoBinary& binary, const StackFrame& frame);

// An address-taken variable with pointers (FUNCDATA_StackObjects). Whether it is live is not in the
// tables: it is as long as a live pointer to it exists (runtime/mgcmark.go scanstack).
struct StackObject {
  TargetAddr begin;
  u64 size_bytes = 0;
  u64 ptr_bytes = 0;  // prefix that may hold pointers
};
// Those of the frame that lie in it, in the order of the tables; the frame may be at any
// instruction.
std::vector<StackObject> stack_objects(const read::GoBinary& binary, const StackFrame& frame);

}  // namespace geist::heap
