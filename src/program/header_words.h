// Which words of a frame hold one slice header? The compiler keeps pointer, length and capacity of
// a variable in words of its own, each where there was room, and DWARF, where there is any, does
// not name every one of them (no field of a struct of one field, no temporary). The code does:
//
//   CALL main.grant          made: the words that three neighbouring results go to, or three
//   MOVQ AX, 0x50(SP)        neighbouring words of memory
//   MOVQ BX, 0x40(SP)
//   MOVQ CX, 0x38(SP)        …
//   MOVQ 0x50(SP), AX        used: neighbouring arguments or results are taken from them
//   MOVQ 0x40(SP), BX
//   MOVQ 0x38(SP), CX
//   CALL runtime.convTslice  or an index is compared with one and goes with the other
#pragma once

#include <optional>

#include "program/code_cache.h"
#include "program/code_walk.h"

namespace geist::program {

// A word of the frame, by its offset from RSP, or a constant.
struct KeptWord {
  std::optional<i64> slot;
  i64 constant = 0;  // without a slot
  bool operator==(const KeptWord&) const = default;
};

struct HeaderWords {
  i64 ptr_slot = 0;
  KeptWord len;
  std::optional<KeptWord> cap;  // nothing: not kept
  bool is_indexed = false;  // an element behind the first is accessed by an index that is compared
                            // with len; without that and cap it may be no slice at all
  ImageAddr made_by;        // the call whose result it is; 0 when it is another's, or not known
};

// The header whose pointer is in the word `ptr_slot` when control comes to `pc`, which is behind a
// call, of elements of `elem_size` bytes. Nothing when the code does not tell, or not the same on
// all ways.
std::optional<HeaderWords> find_header_words(const FunctionCode& code, ImageAddr pc, i64 ptr_slot,
                                             u64 elem_size, const Callees& callees);
// The same of a function of a binary.
std::optional<HeaderWords> find_header_words(CodeCache& codes, const read::Function& function,
                                             ImageAddr pc, i64 ptr_slot, u64 elem_size);

}  // namespace geist::program
