// Insn: one decoded x86-64 instruction, reduced to what the analyses ask: operands, registers and
// flags read and written, control flow. Decoding is Zydis'; this is the vocabulary the rest of the
// project uses.
//
// Registers are numbered as the hardware encodes them (rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5,
// rsi 6, rdi 7, r8..r15), which is also the bit in a RegMask; bit 16 stands for the arithmetic
// flags. Source of instruction semantics: Intel SDM volume 2 by way of Zydis 4.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/ints.h"

namespace geist::x86 {

enum Reg : u8 {
  kRax,
  kRcx,
  kRdx,
  kRbx,
  kRsp,
  kRbp,
  kRsi,
  kRdi,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15,
  kNoReg = 0xff
};

using RegMask = u32;
inline constexpr RegMask kFlagsBit = 1u << 16;
// In `writes`, beside kFlagsBit: some of the flags may stay as they were (INC keeps CF; a shift by
// CL keeps all when CL is 0).
inline constexpr RegMask kFlagsKeptBit = 1u << 17;
inline constexpr RegMask kAllGprs = 0xffff;
constexpr RegMask bit(Reg r) {
  return r == kNoReg ? 0 : 1u << r;
}

// Condition codes as encoded in Jcc's low four bits.
enum class Cond : u8 { kO, kNo, kB, kAe, kE, kNe, kBe, kA, kS, kNs, kP, kNp, kL, kGe, kLe, kG };
constexpr Cond negate(Cond c) {
  return static_cast<Cond>(static_cast<u8>(c) ^ 1);
}

struct Mem {
  Reg base = kNoReg;
  Reg index = kNoReg;
  u8 scale = 1;
  i64 disp = 0;
  bool rip_relative = false;  // then `disp` is the absolute ImageAddr meant
  bool segment = false;       // fs: or gs: prefix
};

struct Operand {
  enum class Kind : u8 { kNone, kReg, kMem, kImm, kOther } kind = Kind::kNone;
  Reg reg = kNoReg;  // kOther for vector and special registers
  u16 size_bits = 0;
  Mem mem;
  i64 imm = 0;
  bool is_reg(Reg r) const { return kind == Kind::kReg && reg == r; }
};

enum class Op : u8 {  // the instructions the symbolic executor understands; the rest is kOther
  kOther,
  kMov,
  kLea,
  kAdd,
  kSub,
  kInc,
  kDec,
  kNeg,
  kXor,
  kAnd,
  kShl,
  kImul,
  kCmp,
  kTest,
  kXchg,
  kNop,
  kPush,
  kPop,
};

enum class Flow : u8 { kNext, kJcc, kJmp, kJmpIndirect, kCall, kRet, kTrap };

struct Insn {
  ImageAddr addr;
  u8 length = 0;
  Op op = Op::kOther;
  Flow flow = Flow::kNext;
  Cond cond = Cond::kO;             // kJcc
  ImageAddr target;                 // kJcc, kJmp and direct kCall; 0 for indirect calls
  std::array<Operand, 3> operands;  // explicit ones, destination first
  u8 operand_count = 0;
  RegMask reads = 0, writes = 0;  // including flags; a partial register write counts as read too
  bool reads_memory = false, writes_memory = false;
  bool rep = false;  // string instruction with a REP prefix
  ImageAddr end() const { return addr + length; }
};

// Decodes the instruction at the start of `bytes`, which is linked at `addr`. Nothing when they are
// no instruction.
std::optional<Insn> decode(ByteView bytes, ImageAddr addr);
// Intel syntax, for messages and dumps.
std::string format(ByteView bytes, ImageAddr addr);

}  // namespace geist::x86
