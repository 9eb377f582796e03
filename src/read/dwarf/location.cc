// Go writes one expression for a variable that stays where it is, and a list for one that moves.
#include "read/dwarf/location.h"

#include <dwarf.h>

#include <algorithm>
#include <utility>

#include "read/dwarf/components.h"
#include "read/dwarf/die.h"
#include "read/dwarf/expression.h"

namespace geist::read {
namespace {

constexpr u32 kPointerBytes = 8;
// A list has an entry for each move of a word; the longest in real programs have some thousands.
constexpr usize kMaxEntries = 1u << 16;
constexpr u64 kMaxVariableBytes = u64{1} << 31;

// Go writes expressions with DW_FORM_block1 in DWARF 4 and 5 alike (cmd/internal/dwarf/dwarf.go,
// abbrevs), where the standard wants DW_FORM_exprloc and libdw takes nothing else. Below 128 bytes
// the two are the same bytes: one byte of length, then the expression.
std::optional<Dwarf_Attribute> find_location(Dwarf_Die* die) {
  std::optional<Dwarf_Attribute> attr = find_attr(die, DW_AT_location);
  if (attr && attr->form == DW_FORM_block1) {
    Dwarf_Block block;
    constexpr Dwarf_Word kOneByteLength = 0x80;
    if (dwarf_formblock(&*attr, &block) != 0 || block.length >= kOneByteLength) return std::nullopt;
    attr->form = DW_FORM_exprloc;
  }
  return attr;
}

struct LocationList {
  std::vector<Expression> entries;
  std::optional<Expression> now;  // the first that is valid at the pc and says anything
};

LocationList read_list(Dwarf_Attribute* attr, ImageAddr pc) {
  LocationList list;
  ptrdiff_t at = 0;
  Dwarf_Addr base = 0;
  Dwarf_Addr start = 0;
  Dwarf_Addr end = 0;
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  while (list.entries.size() < kMaxEntries &&
         (at = dwarf_getlocations(attr, at, &base, &start, &end, &ops, &count)) > 0) {
    std::optional<Expression> expression = read_expression(attr, {ops, count});
    if (!expression || expression->pieces.empty()) continue;
    if (!list.now && start <= pc.value && pc.value < end) list.now = expression;
    list.entries.push_back(std::move(*expression));
  }
  return list;
}

Piece make_whole(const Expression& expression, u64 size_bytes) {
  Piece whole = expression.pieces[0];
  whole.size_bytes = expression.is_indirect ? kPointerBytes : static_cast<u32>(size_bytes);
  return whole;
}

}  // namespace

VariableLocation read_location(Dwarf_Die* die, ImageAddr pc, const DebugType& type) {
  std::optional<Dwarf_Attribute> attr = find_location(die);
  if (!attr || type.size_bytes > kMaxVariableBytes) return {};
  LocationList list = read_list(&*attr, pc);
  if (!list.now) return {};
  bool is_list = dwarf_whatform(&*attr) != DW_FORM_exprloc;
  bool is_whole = !list.now->has_sizes && (list.now->is_indirect || !is_list);
  if (is_whole) {
    return {.pieces = {make_whole(*list.now, type.size_bytes)},
            .is_indirect = list.now->is_indirect};
  }
  PlacedPieces placed = place_pieces(type, *list.now, list.entries);
  return {.pieces = std::move(placed.pieces), .len_may_be_cap = placed.len_may_be_cap};
}

std::vector<i64> read_cfa_slots(Dwarf_Die* die) {
  std::optional<Dwarf_Attribute> attr = find_location(die);
  if (!attr) return {};
  std::vector<i64> slots;
  for (const Expression& entry : read_list(&*attr, ImageAddr()).entries) {
    for (const Piece& piece : entry.pieces) {
      if (piece.where == Piece::Where::kCfa) slots.push_back(piece.offset);
    }
  }
  std::ranges::sort(slots);
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

std::optional<ImageAddr> find_fixed_address(Dwarf_Die* die) {
  std::optional<Dwarf_Attribute> attr = find_location(die);
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  if (!attr || dwarf_getlocation(&*attr, &ops, &count) != 0 || count != 1) return std::nullopt;
  if (ops[0].atom != DW_OP_addr && ops[0].atom != DW_OP_addrx) return std::nullopt;
  std::optional<u64> addr = find_op_address(&*attr, ops[0]);
  return addr ? std::optional(ImageAddr(*addr)) : std::nullopt;
}

}  // namespace geist::read
