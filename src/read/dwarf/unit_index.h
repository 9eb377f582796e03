// pc → subprogram DIE, in two steps: all Go units by their pc ranges, and the subprograms of a unit
// on its first use.
//
//   units      [begin, end) → unit          sorted, built once from each unit DIE's ranges (no
//   .debug_aranges in Go) functions  [low, high) → DIE offset     sorted, one list a unit
//
// Units of other languages (C in a cgo binary) are left out.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <unordered_map>
#include <vector>

#include "base/address.h"

namespace geist::read {

class UnitIndex {
 public:
  explicit UnitIndex(Dwarf* dwarf);

  // DIE offsets of all Go units, in file order.
  const std::vector<Dwarf_Off>& units() const { return units_; }
  // The DW_TAG_subprogram that holds pc.
  std::optional<Dwarf_Die> find_subprogram(ImageAddr pc);

 private:
  struct Range {
    u64 begin;
    u64 end;
    Dwarf_Off die;
  };

  const std::vector<Range>& functions_of(Dwarf_Off unit);
  static const Range* find_range(const std::vector<Range>& ranges, u64 pc);

  Dwarf* dwarf_;
  std::vector<Dwarf_Off> units_;
  std::vector<Range> ranges_;
  std::unordered_map<Dwarf_Off, std::vector<Range>> functions_;
};

}  // namespace geist::read
