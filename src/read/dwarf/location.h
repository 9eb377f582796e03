// Where a variable is at a pc, from its DW_AT_location: DWARF expressions and location lists →
// Pieces.
//
// What Go's compiler writes (cmd/compile/internal/ssa/debug.go, PutLocationList; dwarfgen/dwarf.go;
// go1.21 to go1.27):
//
//   DW_OP_regN | DW_OP_fbreg o | DW_OP_call_frame_cfa | DW_OP_addr a | nothing     one location, or
//   followed by DW_OP_piece n                                                                   one
//   run of bytes, and so on
//
// DW_AT_frame_base is DW_OP_call_frame_cfa in every Go function, so DW_OP_fbreg o is CFA + o.
// Constants (DW_OP_lit/const… DW_OP_stack_value), DW_OP_bregN and DW_OP_addrx are understood too,
// as other compilers and later releases write them. An expression with any other operator has no
// location: nothing is better than a guess.
#pragma once

#include <elfutils/libdw.h>

#include <vector>

#include "base/address.h"
#include "read/dwarf/debug_info.h"

namespace geist::read {

// The pieces of `die`'s location that are valid at pc, ordered; empty when it has none there.
// `size_bytes` is the size of the variable, used for a location without pieces.
std::vector<Piece> read_pieces(Dwarf_Die* die, ImageAddr pc, u64 size_bytes);

// The address of a variable at a fixed place (DW_OP_addr or DW_OP_addrx alone); nothing for all
// others.
std::optional<ImageAddr> find_fixed_address(Dwarf_Die* die);

}  // namespace geist::read
