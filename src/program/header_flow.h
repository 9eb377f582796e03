// Where a slice header goes: is it, pointer and length together, an argument of a call behind some
// instruction?
//
//   append(all[:2], x)      all.ptr in RAX, all.len in RCX at the branch
//   MOVQ RCX, 0x40(SP)      … spilled, reloaded, moved …
//   MOVQ 0x40(SP), RBX
//   CALL fmt.…              RAX, RBX: all goes on as the slice it was
//
// A buffer that is used by position is never handed on like that: its pointer is, with another
// length.
#pragma once

#include "program/code_walk.h"
#include "program/value_location.h"

namespace geist::program {

// Is there a way from `from`, the start of a block, to a call that takes the two values as
// neighbouring arguments? `ptr` and `len` say where they are at `from`: registers, words of the
// frame that belong to the compiler, or constants.
bool hands_header_on(const FunctionCode& code, ImageAddr from, const ValueLocation& ptr,
                     const ValueLocation& len, const Callees& callees);

}  // namespace geist::program
