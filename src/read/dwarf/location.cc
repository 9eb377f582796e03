#include "read/dwarf/location.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "read/dwarf/die.h"

namespace geist::read {
namespace {

using Ops = std::span<const Dwarf_Op>;
constexpr u32 kMaxPieceBytes = 1u << 30;

// DW_OP_addr holds the address, DW_OP_addrx an index into .debug_addr.
std::optional<u64> find_op_address(Dwarf_Attribute* attr, const Dwarf_Op& op) {
  if (op.atom == DW_OP_addr) return op.number;
  Dwarf_Attribute in_table;
  Dwarf_Addr addr = 0;
  if (dwarf_getlocation_attr(attr, &op, &in_table) != 0) return std::nullopt;
  if (dwarf_formaddr(&in_table, &addr) != 0) return std::nullopt;
  return addr;
}

std::optional<u64> find_constant(const Dwarf_Op& op) {
  if (op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31) return op.atom - DW_OP_lit0;
  switch (op.atom) {
    case DW_OP_const1u:
    case DW_OP_const2u:
    case DW_OP_const4u:
    case DW_OP_const8u:
    case DW_OP_constu:
    // libdw has extended the signed ones to 64 bits.
    case DW_OP_const1s:
    case DW_OP_const2s:
    case DW_OP_const4s:
    case DW_OP_const8s:
    case DW_OP_consts:
      return op.number;
    default:
      return std::nullopt;
  }
}

bool set_register(Piece& piece, Piece::Where where, u64 reg, i64 offset) {
  if (reg > std::numeric_limits<u8>::max()) return false;
  piece.where = where;
  piece.reg = static_cast<u8>(reg);
  piece.offset = offset;
  return true;
}

// One operator that names a place by itself.
bool read_single(Dwarf_Attribute* attr, const Dwarf_Op& op, Piece& piece) {
  if (op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31) {
    return set_register(piece, Piece::Where::kRegister, op.atom - DW_OP_reg0, 0);
  }
  if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31) {
    return set_register(piece, Piece::Where::kRegisterMemory, op.atom - DW_OP_breg0,
                        static_cast<i64>(op.number));
  }
  switch (op.atom) {
    case DW_OP_regx:
      return set_register(piece, Piece::Where::kRegister, op.number, 0);
    case DW_OP_bregx:
      return set_register(piece, Piece::Where::kRegisterMemory, op.number,
                          static_cast<i64>(op.number2));
    case DW_OP_fbreg:
      piece.where = Piece::Where::kCfa;
      piece.offset = static_cast<i64>(op.number);
      return true;
    case DW_OP_call_frame_cfa:
      piece.where = Piece::Where::kCfa;
      return true;
    case DW_OP_addr:
    case DW_OP_addrx: {
      std::optional<u64> addr = find_op_address(attr, op);
      piece.where = Piece::Where::kAddress;
      piece.value = addr.value_or(0);
      return addr.has_value();
    }
    default:
      return false;
  }
}

// A constant or an address that is the value itself.
bool read_value(Dwarf_Attribute* attr, const Dwarf_Op& op, Piece& piece) {
  std::optional<u64> value = find_constant(op);
  if (!value && (op.atom == DW_OP_addr || op.atom == DW_OP_addrx))
    value = find_op_address(attr, op);
  piece.where = Piece::Where::kConstant;
  piece.value = value.value_or(0);
  return value.has_value();
}

bool read_place(Dwarf_Attribute* attr, Ops ops, Piece& piece) {
  if (ops.empty()) return true;  // nowhere
  if (ops.size() == 1) return read_single(attr, ops[0], piece);
  return ops.size() == 2 && ops[1].atom == DW_OP_stack_value && read_value(attr, ops[0], piece);
}

std::vector<Piece> read_expression(Dwarf_Attribute* attr, Ops ops, u64 size_bytes) {
  std::vector<Piece> pieces;
  u64 at = 0;
  usize start = 0;
  for (usize i = 0; i < ops.size(); i++) {
    if (ops[i].atom != DW_OP_piece) continue;
    Piece piece;
    u64 size = ops[i].number;
    if (size > kMaxPieceBytes - at || !read_place(attr, ops.subspan(start, i - start), piece))
      return {};
    piece.size_bytes = static_cast<u32>(size);
    piece.byte_offset = static_cast<u32>(at);
    pieces.push_back(piece);
    at += size;
    start = i + 1;
  }
  if (start == ops.size()) return pieces;
  // A location without DW_OP_piece describes the whole variable; after a piece it would be
  // malformed.
  Piece whole;
  if (start != 0 || !read_place(attr, ops, whole)) return {};
  whole.size_bytes = static_cast<u32>(std::min<u64>(size_bytes, kMaxPieceBytes));
  return {whole};
}

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

bool is_somewhere(const Piece& piece) {
  return piece.where != Piece::Where::kNowhere;
}

}  // namespace

std::vector<Piece> read_pieces(Dwarf_Die* die, ImageAddr pc, u64 size_bytes) {
  std::optional<Dwarf_Attribute> attr = find_location(die);
  if (!attr) return {};
  // Entries of one variable do not overlap in Go; of overlapping ones the first that says anything
  // is taken.
  constexpr usize kMaxEntries = 4;
  std::array<Dwarf_Op*, kMaxEntries> expressions{};
  std::array<size_t, kMaxEntries> lengths{};
  int count =
      dwarf_getlocation_addr(&*attr, pc.value, expressions.data(), lengths.data(), kMaxEntries);
  for (int i = 0; i < count; i++) {
    std::vector<Piece> pieces =
        read_expression(&*attr, Ops(expressions[i], lengths[i]), size_bytes);
    if (std::ranges::any_of(pieces, is_somewhere)) return pieces;
  }
  return {};
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
