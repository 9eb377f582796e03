// Where does a pointer come from? A backward slice over the code of one function, over joins and
// loops, from the use of a register or of a word of the frame to everything it may have been taken
// from:
//
//   MOVQ 0x20(SP), AX        kArgument: AX at the function's entry, spilled at 0x20(SP)
//   MOVQ 0x8(AX), CX    ──▶  kLoad: 0x8(AX), and AX can be asked for in the same way
//   LEAQ (CX)(DX*8), CX      a place in the array is the array's pointer with an addend
//   CALL runtime.growslice   kResult: of the call at this instruction
//   ══ the edge asked for    kBefore: the value was there when control passed a given instruction
//
// All ways count: a caller that wants to know that a pointer was loaded from one word must find
// that every origin is. What is not understood is kUnknown, so a set without kUnknown is complete.
// Words of the frame are those at RSP + slot; RSP is the same between prologue and epilogue. Stores
// through other pointers are not seen to change them: Go's compilers keep values of their own
// there, and of a variable whose address was taken the slice says no more than where it was stored
// by name. Source: cmd/compile/abi-internal.md; the code of Go 1.21 to 1.27.
#pragma once

#include <optional>
#include <vector>

#include "program/code_walk.h"
#include "program/value_location.h"

namespace geist::program {

// A register, or the word of the frame at RSP + slot.
struct Location {
  x86::Reg reg = x86::kNoReg;
  i64 slot = 0;  // without a register
  bool is_register() const { return reg != x86::kNoReg; }
  bool operator==(const Location&) const = default;
};

// Nothing for other places, and for a value that lies a distance from what is in one.
std::optional<Location> location_of(const ValueLocation& value);

struct Origin {
  enum class Kind : u8 {
    kLoad,      // the word at `mem`, loaded by instruction `insn`; its base is not RSP
    kSlot,      // the word of the frame at `at`, which was there before the function stored to it,
                // or where the slice was told to end
    kArgument,  // the register `at` at the function's entry
    kResult,    // the register `at`, a result of the CALL `insn`
    kBefore,    // what was in `at` when control passed the barrier
    kAddress,   // of a word of the frame or of a global
    kNumber,    // arithmetic that makes no pointer, or a constant
    kUnknown,
  } kind = Kind::kUnknown;
  u32 insn = 0;
  Location at;
  x86::Mem mem;
  // Registers that were written between the load and the place that was asked about, on the way
  // that was followed; the load's own destination among them.
  x86::RegMask written = 0;
  // Something was added on the way: the value asked about lies a distance from this one.
  bool is_shifted = false;
};

// Where a slice ends although it could go on.
struct SliceEnds {
  static constexpr u32 kNoBarrier = ~u32{0};
  // kBefore, instead of going back over this instruction, which control has passed since the
  // function was entered: ways that do not come from it are left out.
  u32 barrier = kNoBarrier;
  std::optional<i64> slot;  // kSlot, instead of asking what was stored into this word
  bool any_slot = false;    // kSlot at every word of the frame
};

// Of the value of `from` as it is right before instruction `insn` is executed. Never empty.
std::vector<Origin> find_origins(const FunctionCode& code, u32 insn, Location from,
                                 const Callees& callees, const SliceEnds& ends = {});

// Is it what a call of growslice gave back?
bool is_growslice_result(const read::GoBinary& binary, const FunctionCode& code,
                         const Origin& origin);

}  // namespace geist::program
