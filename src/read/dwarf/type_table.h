// Types of a binary's DWARF as DebugTypes: each made once, at a pointer that stays.
//
//   DIE offset ──▶ typedefs without a kind skipped ──▶ DIE of the type itself
//              ──▶ DebugType, with all it leads to
//
// Go names a type by a DW_TAG_typedef around it (main.T → struct main.T, .param0 → []go.shape.int
// inside a generic function). Maps, channels and interfaces are typedefs that carry their own
// DW_AT_go_kind: there the chain ends. A type is made together with every type reachable from it,
// so elem and field types are never half done; a work list instead of recursion keeps cycles (type
// T struct { next *T }) and depth harmless. Source: cmd/link/internal/ld/dwarf.go, newtype();
// go1.21 to go1.27.
#pragma once

#include <elfutils/libdw.h>

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "read/dwarf/debug_info.h"

namespace geist::read {

class TypeTable {
 public:
  TypeTable(const Image& image, Dwarf* dwarf) : image_(&image), dwarf_(dwarf) {}

  // Where DW_AT_go_runtime_type counts from. Nothing until types were made by which it can be told,
  // or when it cannot.
  std::optional<ImageAddr> types_base() const { return types_base_; }

  // The type of this DIE (typedef or type); null when it is no type.
  const DebugType* find(Dwarf_Die die);
  // The type that DW_AT_type of this DIE names.
  const DebugType* find_type_of(Dwarf_Die* die);

 private:
  struct Owned {
    DebugType type;
    Dwarf_Off offset = 0;
    u64 runtime_offset = 0;
  };

  Owned* find_or_queue(Dwarf_Die die);
  const DebugType* find_named(Dwarf_Die* die, unsigned attribute);
  void fill(Owned& owned, Dwarf_Die die);
  void settle_types_base();
  void fill_array(DebugType& type, Dwarf_Die die);
  void fill_struct(DebugType& type, Dwarf_Die die);

  const Image* image_;
  Dwarf* dwarf_;
  std::optional<ImageAddr> types_base_;
  bool types_base_settled_ = false;
  usize samples_tried_ = 0;
  std::deque<Owned> arena_;
  std::unordered_map<Dwarf_Off, Owned*> by_offset_;
  std::vector<Owned*> pending_;
};

}  // namespace geist::read
