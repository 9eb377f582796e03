// DIE → DebugType, with a work list (see the header). Two maps in one: by_offset_ holds the offset
// that was asked for, often a typedef, and the offset of the DIE that describes the type; both lead
// to the one entry of the arena. Attributes that damaged input leaves out give zero, empty or null,
// never a failure: a type that is only half described is still better than none.
#include "read/dwarf/type_table.h"

#include <utility>

#include "read/dwarf/die.h"
#include "read/dwarf/types_base.h"

namespace geist::read {
namespace {

constexpr int kMaxTypedefs = 32;
// Enough to tell where runtime types begin, or that it cannot be told.
constexpr usize kMaxSamples = 64;
constexpr u64 kPointerBytes = 8;
constexpr u64 kInterfaceBytes = 16;

bool is_type_tag(int tag) {
  switch (tag) {
    case DW_TAG_array_type:
    case DW_TAG_base_type:
    case DW_TAG_pointer_type:
    case DW_TAG_structure_type:
    case DW_TAG_subroutine_type:
    case DW_TAG_typedef:
    case DW_TAG_unspecified_type:
      return true;
    default:
      return false;
  }
}

// The DIE that describes the type: behind typedefs that only give it a name.
std::optional<Dwarf_Die> find_described(Dwarf_Die die) {
  for (int depth = 0; depth < kMaxTypedefs; depth++) {
    int tag = dwarf_tag(&die);
    if (!is_type_tag(tag)) return std::nullopt;
    if (tag != DW_TAG_typedef || dwarf_hasattr(&die, kDW_AT_go_kind) != 0) return die;
    std::optional<Dwarf_Die> target = find_reference(&die, DW_AT_type);
    if (!target) return std::nullopt;
    die = *target;
  }
  return std::nullopt;
}

// unsafe.Pointer and what the linker makes up (map headers, hash buckets) have no DW_AT_go_kind.
Kind read_kind(Dwarf_Die* die) {
  if (std::optional<u64> kind = find_unsigned(die, kDW_AT_go_kind)) {
    bool is_known = *kind <= static_cast<u64>(Kind::kUnsafePointer);
    return is_known ? static_cast<Kind>(*kind) : Kind::kInvalid;
  }
  switch (dwarf_tag(die)) {
    case DW_TAG_pointer_type:
      return dwarf_hasattr(die, DW_AT_type) != 0 ? Kind::kPointer : Kind::kUnsafePointer;
    case DW_TAG_structure_type:
      return Kind::kStruct;
    default:
      return Kind::kInvalid;
  }
}

// Pointer-shaped types and interfaces carry no DW_AT_byte_size.
u64 read_size(Dwarf_Die* die, Kind kind) {
  if (std::optional<u64> size = find_unsigned(die, DW_AT_byte_size)) return *size;
  switch (kind) {
    case Kind::kPointer:
    case Kind::kUnsafePointer:
    case Kind::kMap:
    case Kind::kChan:
    case Kind::kFunc:
      return kPointerBytes;
    case Kind::kInterface:
      return kInterfaceBytes;
    default:
      return 0;
  }
}

}  // namespace

const DebugType* TypeTable::find(Dwarf_Die die) {
  Owned* owned = find_or_queue(die);
  while (!pending_.empty()) {
    Owned* next = pending_.back();
    pending_.pop_back();
    Dwarf_Die next_die;
    if (dwarf_offdie(dwarf_, next->offset, &next_die) != nullptr) fill(*next, next_die);
  }
  settle_types_base();
  return owned == nullptr ? nullptr : &owned->type;
}

const DebugType* TypeTable::find_type_of(Dwarf_Die* die) {
  std::optional<Dwarf_Die> target = find_reference(die, DW_AT_type);
  return target ? find(*target) : nullptr;
}

TypeTable::Owned* TypeTable::find_or_queue(Dwarf_Die die) {
  Dwarf_Off asked = dwarf_dieoffset(&die);
  if (auto it = by_offset_.find(asked); it != by_offset_.end()) return it->second;
  std::optional<Dwarf_Die> described = find_described(die);
  if (!described) return by_offset_[asked] = nullptr;
  Dwarf_Off offset = dwarf_dieoffset(&*described);
  auto [it, is_new] = by_offset_.try_emplace(offset, nullptr);
  if (is_new) {
    Owned& owned = arena_.emplace_back();
    owned.offset = offset;
    it->second = &owned;
    pending_.push_back(&owned);
  }
  Owned* owned = it->second;
  by_offset_[asked] = owned;
  return owned;
}

const DebugType* TypeTable::find_named(Dwarf_Die* die, unsigned attribute) {
  std::optional<Dwarf_Die> target = find_reference(die, attribute);
  Owned* owned = target ? find_or_queue(*target) : nullptr;
  return owned == nullptr ? nullptr : &owned->type;
}

void TypeTable::fill(Owned& owned, Dwarf_Die die) {
  DebugType& type = owned.type;
  type.name = find_name(&die);
  type.kind = read_kind(&die);
  type.size_bytes = read_size(&die, type.kind);
  owned.runtime_offset = find_unsigned(&die, kDW_AT_go_runtime_type).value_or(0);
  if (types_base_ && owned.runtime_offset != 0) {
    type.runtime_type = *types_base_ + owned.runtime_offset;
  }
  switch (type.kind) {
    case Kind::kSlice:
      type.elem = find_named(&die, kDW_AT_go_elem);
      break;
    case Kind::kPointer:
      type.elem = find_named(&die, DW_AT_type);
      break;
    case Kind::kArray:
      fill_array(type, die);
      break;
    case Kind::kStruct:
      fill_struct(type, die);
      break;
    default:
      break;
  }
}

void TypeTable::settle_types_base() {
  if (types_base_settled_) return;
  std::vector<RuntimeTypeSample> samples;
  for (const Owned& owned : arena_) {
    // Types of functions have no kind in DWARF: nothing to hold against an abi.Type.
    if (owned.runtime_offset == 0 || owned.type.kind == Kind::kInvalid) continue;
    samples.push_back({owned.runtime_offset, owned.type.size_bytes, owned.type.kind});
    if (samples.size() == kMaxSamples) break;
  }
  if (samples.size() == samples_tried_) return;
  samples_tried_ = samples.size();
  types_base_ = find_types_base(*image_, samples);
  types_base_settled_ = types_base_.has_value() || samples.size() == kMaxSamples;
  for (Owned& owned : arena_) {
    if (types_base_ && owned.runtime_offset != 0) {
      owned.type.runtime_type = *types_base_ + owned.runtime_offset;
    }
  }
}

void TypeTable::fill_array(DebugType& type, Dwarf_Die die) {
  type.elem = find_named(&die, DW_AT_type);
  for_each_child(&die, [&](Dwarf_Die* child) {
    if (dwarf_tag(child) != DW_TAG_subrange_type) return true;
    type.length = find_unsigned(child, DW_AT_count).value_or(0);
    return false;
  });
}

void TypeTable::fill_struct(DebugType& type, Dwarf_Die die) {
  for_each_child(&die, [&](Dwarf_Die* child) {
    if (dwarf_tag(child) != DW_TAG_member) return true;
    DebugType::Field field;
    field.name = find_name(child);
    field.offset = find_unsigned(child, DW_AT_data_member_location).value_or(0);
    field.type = find_named(child, DW_AT_type);
    type.fields.push_back(std::move(field));
    return true;
  });
}

}  // namespace geist::read
