// Which whole instructions around a branch (or at a function's entry) make room for a 5-byte JMP,
// and whether moving them is safe: straight-line, relocatable, no branch target inside, and none
// that may raise a nil-pointer panic (a fault in a trampoline is outside Go code and would be fatal
// instead of recoverable).
#pragma once

#include <optional>
#include <vector>

#include "program/code.h"
#include "program/refusal.h"

namespace geist::program {

inline constexpr u32 kJmpBytes = 5;

// Whole instructions: the bytes [begin, end) are replaced.
struct Displaced {
  ImageAddr begin;
  ImageAddr end;
};

// For a conditional branch at instruction `branch`: prefers the branch alone, then instructions
// before it, then also instructions behind it when only this branch leads there.
std::optional<Displaced> displace_around(const FunctionCode& code, u32 branch, Refusal* why);
// For a RET: instructions before it in its block.
std::optional<Displaced> displace_before_ret(const FunctionCode& code, u32 ret);
// For a function entry: the first instructions.
// The instructions right behind a CALL.
std::optional<Displaced> displace_behind_call(const FunctionCode& code, u32 call);
std::optional<Displaced> displace_entry(const FunctionCode& code);

// May executing this instruction fault on a nil pointer? False for stack and global operands,
// indexed operands (Go has checked the bounds), and when the same base register was dereferenced
// before on every way here.
bool may_fault(const FunctionCode& code, u32 insn);

}  // namespace geist::program
