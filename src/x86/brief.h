// Brief: what control flow and liveness ask about an instruction, without its operands, at a
// fraction of the price.
//
//   bytes ─▶ Brief   of every instruction of a function        some nanoseconds each, from tables
//         ─▶ Insn    of the few that an analysis looks into    Zydis (insn.h)
//
// The tables know what Go's compilers write most: moves, arithmetic, comparisons, branches, scalar
// SSE. Everything else (VEX, shifts, string instructions, prefixes in unusual places) is decoded in
// full and reduced. Either way a Brief says what the Insn at the same place says: tests and a fuzz
// target hold them against each other. Source: Intel SDM volume 2, appendix A (opcode map) and
// chapter 2 (ModRM, SIB, REX).
#pragma once

#include "x86/insn.h"

namespace geist::x86 {

struct Brief {
  ImageAddr addr;
  ImageAddr target;               // as Insn::target
  RegMask reads = 0, writes = 0;  // as Insn::reads, Insn::writes
  u8 length = 0;
  Flow flow = Flow::kNext;
  Cond cond = Cond::kO;
  ImageAddr end() const { return addr + length; }
};

// The instruction at the start of `bytes`, which is linked at `addr`. Nothing when decode() has
// nothing.
std::optional<Brief> decode_brief(ByteView bytes, ImageAddr addr);

}  // namespace geist::x86
