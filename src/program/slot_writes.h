// May a function, once it has come to some instruction, store into a word of its own frame? And who
// did so before?
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "program/code.h"

namespace geist::program {

// Does the instruction name any of the 8 bytes of the word at RSP + `slot` as what it writes?
bool writes_slot(const x86::Insn& insn, i64 slot);

// `slot` is the word's offset from RSP, which does not change between prologue and epilogue. True
// when an instruction that can be reached from `from` writes any of the 8 bytes by naming them, or
// when control may go where nobody knows. Stores through a pointer to the word are not seen: they
// do not name it.
bool may_write_slot(const FunctionCode& code, ImageAddr from, i64 slot);

// May it, from `from` on, read the word before it writes it? Also true when it takes the address of
// something that may hold the word.
bool may_read_slot(const FunctionCode& code, ImageAddr from, i64 slot);

// The last instructions that are `writes` in front of instruction `at`, on every way to it; each
// once. Nothing when there is a way on which none is, or there are too many to tell.
std::optional<std::vector<u32>> find_writers(const FunctionCode& code, u32 at,
                                             const std::function<bool(u32 insn)>& writes);

}  // namespace geist::program
