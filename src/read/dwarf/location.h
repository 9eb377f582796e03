// Where a variable is at a pc: DW_AT_location, as one expression for the whole function or as a
// list of expressions with their pc ranges (.debug_loc up to go1.24, .debug_loclists after).
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <vector>

#include "base/address.h"
#include "read/dwarf/debug_info.h"

namespace geist::read {

struct VariableLocation {
  std::vector<Piece> pieces;  // ordered; empty when it is nowhere, or nobody can say what is where
  bool is_indirect = false;   // the one piece holds the address of the variable
  bool len_may_be_cap = false;
};

VariableLocation read_location(Dwarf_Die* die, ImageAddr pc, const DebugType& type);

// The words of the frame, CFA + x, that hold a part of the variable at some pc; ascending, each once.
std::vector<i64> read_cfa_slots(Dwarf_Die* die);

// The address of a variable at a fixed place (DW_OP_addr or DW_OP_addrx alone); nothing for all
// others.
std::optional<ImageAddr> find_fixed_address(Dwarf_Die* die);

}  // namespace geist::read
