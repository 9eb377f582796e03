#include "read/dwarf/survey.h"

#include <algorithm>

#include "read/dwarf/die.h"
#include "read/dwarf/location.h"

namespace geist::read {
Survey::Survey(Dwarf* dwarf, const UnitIndex& units) {
  for (Dwarf_Off unit : units.units()) {
    Dwarf_Die die;
    if (dwarf_offdie(dwarf, unit, &die) == nullptr) continue;
    for_each_child(&die, [&](Dwarf_Die* child) {
      add(child);
      return true;
    });
  }
  std::ranges::stable_sort(globals_, {}, &Global::addr);
}

void Survey::add(Dwarf_Die* die) {
  switch (dwarf_tag(die)) {
    case DW_TAG_variable:
      if (std::optional<ImageAddr> addr = find_fixed_address(die)) {
        globals_.push_back({addr->value, dwarf_dieoffset(die)});
      }
      break;
    case DW_TAG_subprogram:
      // Abstract functions have the name too, but not the variables' places.
      if (dwarf_hasattr(die, DW_AT_low_pc) != 0) {
        functions_.try_emplace(find_name(die), dwarf_dieoffset(die));
      }
      break;
    case DW_TAG_array_type:
    case DW_TAG_base_type:
    case DW_TAG_pointer_type:
    case DW_TAG_structure_type:
    case DW_TAG_subroutine_type:
    case DW_TAG_typedef:
    case DW_TAG_unspecified_type:
      add_type(die);
      break;
    default:
      break;
  }
}

void Survey::add_type(Dwarf_Die* die) {
  Dwarf_Off offset = dwarf_dieoffset(die);
  std::string_view name = find_name(die);
  if (!name.empty()) types_.try_emplace(name, offset);
  u64 runtime_type = find_unsigned(die, kDW_AT_go_runtime_type).value_or(0);
  if (runtime_type != 0) runtime_types_.try_emplace(runtime_type, offset);
}

const Survey::Global* Survey::find_global_before(ImageAddr addr) const {
  auto after = std::ranges::upper_bound(globals_, addr.value, {}, &Global::addr);
  return after == globals_.begin() ? nullptr : &*std::prev(after);
}

std::optional<Dwarf_Off> Survey::find_runtime_type(u64 offset) const {
  auto it = runtime_types_.find(offset);
  return it == runtime_types_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Dwarf_Off> Survey::find_type_named(std::string_view name) const {
  auto it = types_.find(name);
  return it == types_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Dwarf_Off> Survey::find_function_named(std::string_view name) const {
  auto it = functions_.find(name);
  return it == functions_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<Dwarf_Off> Survey::runtime_types(usize at_most) const {
  std::vector<Dwarf_Off> offsets;
  for (const auto& [runtime_type, offset] : runtime_types_) {
    if (offsets.size() == at_most) break;
    offsets.push_back(offset);
  }
  return offsets;
}

}  // namespace geist::read
