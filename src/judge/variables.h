// Words of DWARF variables as they are at one frame: in the stack copy, or in registers for a frame
// whose registers are known (the innermost one of an event or a sample).
#pragma once

#include <optional>

#include "heap/unwind.h"
#include "read/dwarf/debug_info.h"
#include "x86/insn.h"

namespace geist::judge {

struct Word {
  u64 value = 0;
  TargetAddr at;         // 0 when in a register or constant
  u8 reg = x86::kNoReg;  // hardware number
};

// The hardware number of a DWARF register; kNoReg for all but the 16 general purpose ones.
x86::Reg hardware_register(u8 dwarf_register);

// What a frame's variables are read from; `regs` is null for callers.
struct FrameValues {
  const heap::StackFrame& frame;
  const heap::StackCopy& stack;
  const u64* regs = nullptr;  // 16, hardware numbering
};

// The 8 bytes at `offset` of the variable; nothing when they are nowhere or not in the copy.
std::optional<Word> find_word(const read::Variable& variable, u64 offset,
                              const FrameValues& values);

}  // namespace geist::judge
