// Small questions to a DIE, answered by optional instead of libdw's error codes.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <optional>
#include <string_view>

#include "base/ints.h"

namespace geist::read {

// Attributes of Go alone: cmd/internal/dwarf/dwarf.go.
constexpr unsigned kDW_AT_go_kind = 0x2900;
constexpr unsigned kDW_AT_go_elem = 0x2902;
constexpr unsigned kDW_AT_go_runtime_type =
    0x2904;  // offset from moduledata.types, 0 = not in the binary
constexpr unsigned kDW_AT_go_closure_offset = 0x2907;  // since go1.23

// The attribute of this DIE, or of the one its DW_AT_abstract_origin names.
std::optional<Dwarf_Attribute> find_attr(Dwarf_Die* die, unsigned name);
std::string_view find_name(Dwarf_Die* die);  // empty when there is none; lives as long as the Dwarf
std::optional<u64> find_unsigned(Dwarf_Die* die, unsigned name);
std::optional<Dwarf_Die> find_reference(Dwarf_Die* die, unsigned name);

// Calls visit(Dwarf_Die*) for each child until it returns false. Offsets must grow, so damaged
// input ends too.
template <typename Visit>
void for_each_child(Dwarf_Die* parent, Visit visit) {
  Dwarf_Die child;
  if (dwarf_child(parent, &child) != 0) return;
  while (true) {
    Dwarf_Off offset = dwarf_dieoffset(&child);
    if (!visit(&child)) return;
    Dwarf_Die next;
    if (dwarf_siblingof(&child, &next) != 0 || dwarf_dieoffset(&next) <= offset) return;
    child = next;
  }
}

}  // namespace geist::read
