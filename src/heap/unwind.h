// Unwinding a goroutine stack with pclntab: physical frames, their slots, and which of them hold live pointers.
//
//   high  │ arguments (args map)      ← argp = cfa
//         │ return address            ← cfa - 8
//         │ saved BP                  ← cfa - 16   (functions with a frame)
//         │ locals (locals map)         ... up to varp = cfa - 16
//   low   │ outgoing arguments        ← sp
//
// Works on a copy (an event record, a perf sample) or on live memory. Stops, and says so, at the first return address
// that is not Go code, at a frame that would leave the stack, or at max_frames. Source: runtime/traceback.go.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
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
  ImageAddr pc;         // the instruction the frame is at: for callers, the return address
  bool is_return_address = false;  // look up lines and maps at pc - 1
  TargetAddr sp;        // at pc
  TargetAddr cfa;       // address right above the return-address slot
  ImageAddr lookup_pc() const { return is_return_address ? pc - 1 : pc; }
};

struct Unwound {
  std::vector<StackFrame> frames;  // innermost first
  bool complete = false;           // reached a TopFrame function (goexit, main start)
};

// `pc` is inside a function body at an instruction boundary (not a return address) with stack pointer stack.sp.
// LoadBias maps return addresses to the image. `registers_bp` is used only for functions whose pcsp is missing.
Unwound unwind(const read::GoBinary& binary, LoadBias bias, ImageAddr pc, const StackCopy& stack, u32 max_frames);

// Slots of the frame that the stack maps call live pointers at its pc: addresses, ascending. Empty when the function has
// no maps at that pc (PCDATA_StackMapIndex absent), which for the innermost frame is normal between calls.
std::vector<TargetAddr> live_pointer_slots(const read::GoBinary& binary, const StackFrame& frame);

}  // namespace geist::heap
