#include "read/dwarf/unit_index.h"

#include <dwarf.h>

#include <algorithm>

#include "read/dwarf/die.h"

namespace geist::read {
namespace {

constexpr u64 kDW_LANG_Go = 0x16;
// Damaged input may name one long range list from many units; a real binary has one or two ranges a
// unit.
constexpr usize kMaxRanges = 1u << 22;

}  // namespace

UnitIndex::UnitIndex(Dwarf* dwarf) : dwarf_(dwarf) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  u8 type = 0;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, &type, &die, nullptr) == 0) {
    if (type != DW_UT_compile) continue;
    if (find_unsigned(&die, DW_AT_language) != kDW_LANG_Go) continue;
    Dwarf_Off offset = dwarf_dieoffset(&die);
    units_.push_back(offset);
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    ptrdiff_t at = 0;
    while (ranges_.size() < kMaxRanges && (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0) {
      if (begin < end) ranges_.push_back({begin, end, offset});
    }
  }
  std::ranges::sort(ranges_, {}, &Range::begin);
}

const UnitIndex::Range* UnitIndex::find_range(const std::vector<Range>& ranges, u64 pc) {
  auto after = std::ranges::upper_bound(ranges, pc, {}, &Range::begin);
  if (after == ranges.begin()) return nullptr;
  const Range& range = *std::prev(after);
  return pc < range.end ? &range : nullptr;
}

const std::vector<UnitIndex::Range>& UnitIndex::functions_of(Dwarf_Off unit) {
  auto [it, is_new] = functions_.try_emplace(unit);
  std::vector<Range>& functions = it->second;
  Dwarf_Die die;
  if (!is_new || dwarf_offdie(dwarf_, unit, &die) == nullptr) return functions;
  for_each_child(&die, [&](Dwarf_Die* child) {
    Dwarf_Addr low = 0;
    Dwarf_Addr high = 0;
    if (dwarf_tag(child) == DW_TAG_subprogram && dwarf_lowpc(child, &low) == 0 &&
        dwarf_highpc(child, &high) == 0 && low < high) {
      functions.push_back({low, high, dwarf_dieoffset(child)});
    }
    return true;
  });
  std::ranges::sort(functions, {}, &Range::begin);
  return functions;
}

std::optional<Dwarf_Die> UnitIndex::find_subprogram(ImageAddr pc) {
  const Range* unit = find_range(ranges_, pc.value);
  if (unit == nullptr) return std::nullopt;
  const Range* function = find_range(functions_of(unit->die), pc.value);
  Dwarf_Die die;
  if (function == nullptr || dwarf_offdie(dwarf_, function->die, &die) == nullptr) {
    return std::nullopt;
  }
  return die;
}

}  // namespace geist::read
