#include "read/dwarf/die.h"

namespace geist::read {

std::optional<Dwarf_Attribute> find_attr(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute attr;
  if (dwarf_attr_integrate(die, name, &attr) == nullptr) return std::nullopt;
  return attr;
}

std::string_view find_name(Dwarf_Die* die) {
  std::optional<Dwarf_Attribute> attr = find_attr(die, DW_AT_name);
  const char* text = attr ? dwarf_formstring(&*attr) : nullptr;
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::optional<u64> find_unsigned(Dwarf_Die* die, unsigned name) {
  std::optional<Dwarf_Attribute> attr = find_attr(die, name);
  if (!attr) return std::nullopt;
  Dwarf_Word value = 0;
  if (dwarf_formudata(&*attr, &value) == 0) return value;
  // DW_AT_go_runtime_type is written with DW_FORM_addr.
  Dwarf_Addr addr = 0;
  if (dwarf_formaddr(&*attr, &addr) == 0) return addr;
  return std::nullopt;
}

std::optional<Dwarf_Die> find_reference(Dwarf_Die* die, unsigned name) {
  std::optional<Dwarf_Attribute> attr = find_attr(die, name);
  Dwarf_Die target;
  if (!attr || dwarf_formref_die(&*attr, &target) == nullptr) return std::nullopt;
  return target;
}

}  // namespace geist::read
