// One DWARF location expression → the places it names.
//
//   place             DW_OP_regN | DW_OP_fbreg o | DW_OP_call_frame_cfa | DW_OP_addr a | nothing
//                     alone, or followed by DW_OP_piece n, its size, and then the next place
//   place DW_OP_deref the variable is where the place points
//
// That is all Go's compiler writes (cmd/compile/internal/ssa/debug.go, dwarfgen/dwarf.go; go1.21 to
// go1.27). DW_AT_frame_base is DW_OP_call_frame_cfa in every Go function, so DW_OP_fbreg o is CFA +
// o. Constants (DW_OP_lit/const… DW_OP_stack_value), DW_OP_bregN and DW_OP_addrx are understood
// too, as later releases may write them. An expression with any other operator names no place:
// nothing is better than a guess.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <span>
#include <vector>

#include "read/dwarf/debug_info.h"

namespace geist::read {

struct Expression {
  std::vector<Piece> pieces;  // in the order written; byte_offset is not set
  bool has_sizes =
      false;  // made of DW_OP_piece; otherwise one place without a size, or none at all
  bool is_indirect = false;  // the one place holds the address of the variable
};

// Nothing when it is not understood. `attr` is the attribute it comes from, for DW_OP_addrx.
std::optional<Expression> read_expression(Dwarf_Attribute* attr, std::span<const Dwarf_Op> ops);

// The address that DW_OP_addr or DW_OP_addrx means.
std::optional<u64> find_op_address(Dwarf_Attribute* attr, const Dwarf_Op& op);

bool same_place(const Piece& a, const Piece& b);
bool is_somewhere(const Piece& piece);

}  // namespace geist::read
