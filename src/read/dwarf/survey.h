// What only a walk over all units can answer: global variables by address, types by abi.Type and by
// name, functions by name. Made on the first such question; variables_at() never needs it.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "read/dwarf/unit_index.h"

namespace geist::read {

class Survey {
 public:
  Survey(Dwarf* dwarf, const UnitIndex& units);

  struct Global {
    u64 addr = 0;
    Dwarf_Off die = 0;
  };
  // The last global at or before addr; its size decides whether it covers addr.
  const Global* find_global_before(ImageAddr addr) const;
  const std::vector<Global>& globals() const { return globals_; }
  std::optional<Dwarf_Off> find_runtime_type(u64 offset) const;
  std::optional<Dwarf_Off> find_type_named(std::string_view name) const;
  std::optional<Dwarf_Off> find_function_named(std::string_view name) const;
  // Some types that the binary has an abi.Type for, as many as asked for.
  std::vector<Dwarf_Off> runtime_types(usize at_most) const;

 private:
  void add(Dwarf_Die* die);
  void add_type(Dwarf_Die* die);

  std::vector<Global> globals_;  // sorted by addr
  std::unordered_map<u64, Dwarf_Off> runtime_types_;
  // Views of .debug_info or .debug_str, which live as long as the Dwarf.
  std::unordered_map<std::string_view, Dwarf_Off> types_;
  std::unordered_map<std::string_view, Dwarf_Off> functions_;
};

}  // namespace geist::read
