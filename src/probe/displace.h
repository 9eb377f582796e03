// Which whole instructions around a branch (or at a function's entry) make room for a 5-byte JMP, and whether moving
// them is safe: straight-line, relocatable, no branch target inside, and none that may raise a nil-pointer panic
// (a fault in a trampoline is outside Go code and would be fatal instead of recoverable).
#pragma once

#include <optional>
#include <vector>

#include "program/append_sites.h"
#include "program/code.h"

namespace geist::probe {

inline constexpr u32 kJmpBytes = 5;

struct Displaced {
  u32 first = 0;   // instruction indices
  u32 branch = 0;
  u32 last = 0;    // inclusive; > branch when instructions behind the branch were taken too
  ImageAddr begin; // bytes [begin, end) are replaced
  ImageAddr end;
};

struct DisplaceFailure {
  program::SiteBucket bucket;
};

// For a conditional branch at instruction `branch`: prefers the branch alone, then instructions before it, then also
// instructions behind it when only this branch leads there.
std::optional<Displaced> displace_around(const program::FunctionCode& code, u32 branch, program::SiteBucket* why);
// For a RET: instructions before it in its block.
std::optional<Displaced> displace_before_ret(const program::FunctionCode& code, u32 ret);
// For a function entry: the first instructions.
std::optional<Displaced> displace_entry(const program::FunctionCode& code);

// May executing this instruction fault on a nil pointer? False for stack and global operands, indexed operands (Go has
// checked the bounds), and when the same base register was dereferenced before on every way here.
bool may_fault(const program::FunctionCode& code, u32 insn);

}  // namespace geist::probe
