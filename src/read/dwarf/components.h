// Which part of a variable each DW_OP_piece of Go's compiler is.
//
// The compiler takes a variable apart into machine words (string: ptr, len; slice: ptr, len, cap;
// structs of at most four fields word by word) and writes one piece for each word it *kept*, in
// order, whether or not that fits the variable:
//
//   []int, all words kept        reg0/8 reg3/8 reg2/8        ptr len cap
//   []int, cap never used        reg0/8 reg3/8               ptr len: or is the second cap?
//   struct{a bool; n int}        fbreg/1 fbreg/8             n is at offset 8, not at 1
//   []int by go1.21              reg0/8 reg0/8 reg3/8 reg2/8 the same word twice
//
// The words kept are the same in the whole location list of a variable, so the list tells more than
// one entry of it. What cannot be told apart has no location here, except the second word of two of
// a slice: that is offered as len with `len_may_be_cap` set. (If the pair were len and cap, the
// "ptr" would be a small number that points nowhere.) Source: cmd/compile/internal/ssa/debug.go,
// varSlots and writePendingEntry (go1.21 to go1.27); abi.go for padding, written as pieces that are
// nowhere in code compiled with -N.
#pragma once

#include <optional>
#include <vector>

#include "read/dwarf/expression.h"

namespace geist::read {

struct Component {
  u64 offset = 0;
  u32 size_bytes = 0;
  bool is_pointer = false;
};

// The words of a type in the compiler's order; nothing for a type that is not taken apart.
std::optional<std::vector<Component>> find_components(const DebugType& type);

struct PlacedPieces {
  std::vector<Piece> pieces;  // with byte_offset; empty when it cannot be told what is where
  bool len_may_be_cap = false;
};

// `entries` are all expressions of the variable's location list, `now` is the one to place.
PlacedPieces place_pieces(const DebugType& type, const Expression& now,
                          const std::vector<Expression>& entries);

}  // namespace geist::read
