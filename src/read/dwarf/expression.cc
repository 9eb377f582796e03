// Operators are taken one by one as libdw decodes them; nothing is evaluated. A place is at most
// two operators (a value and DW_OP_stack_value), so an expression is cut at each DW_OP_piece and
// each part looked up. Source: DWARF 5 sections 2.5 (expressions), 2.6.1.2 (composite locations);
// table 7.9 for the numbers.
#include "read/dwarf/expression.h"

#include <dwarf.h>

#include <limits>

namespace geist::read {
namespace {

using Ops = std::span<const Dwarf_Op>;
// Pieces of one variable are machine words; much more is damage.
constexpr u64 kMaxPieceBytes = 1u << 20;
constexpr usize kMaxPieces = 256;

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

}  // namespace

std::optional<u64> find_op_address(Dwarf_Attribute* attr, const Dwarf_Op& op) {
  if (op.atom == DW_OP_addr) return op.number;
  // An index into .debug_addr.
  Dwarf_Attribute in_table;
  Dwarf_Addr addr = 0;
  if (dwarf_getlocation_attr(attr, &op, &in_table) != 0) return std::nullopt;
  if (dwarf_formaddr(&in_table, &addr) != 0) return std::nullopt;
  return addr;
}

std::optional<Expression> read_expression(Dwarf_Attribute* attr, Ops ops) {
  Expression expression;
  usize start = 0;
  for (usize i = 0; i < ops.size(); i++) {
    if (ops[i].atom != DW_OP_piece) continue;
    Piece piece;
    if (ops[i].number > kMaxPieceBytes || expression.pieces.size() == kMaxPieces)
      return std::nullopt;
    if (!read_place(attr, ops.subspan(start, i - start), piece)) return std::nullopt;
    piece.size_bytes = static_cast<u32>(ops[i].number);
    expression.pieces.push_back(piece);
    start = i + 1;
  }
  expression.has_sizes = !expression.pieces.empty();
  if (start == ops.size()) return expression;
  // What is left describes the whole variable; after a piece it would be malformed.
  Ops rest = ops.subspan(start);
  if (expression.has_sizes) return std::nullopt;
  expression.is_indirect = rest.size() > 1 && rest.back().atom == DW_OP_deref;
  if (expression.is_indirect) rest = rest.first(rest.size() - 1);
  Piece whole;
  if (!read_place(attr, rest, whole)) return std::nullopt;
  expression.pieces.push_back(whole);
  return expression;
}

bool same_place(const Piece& a, const Piece& b) {
  return a.where == b.where && a.reg == b.reg && a.offset == b.offset && a.value == b.value;
}

bool is_somewhere(const Piece& piece) {
  return piece.where != Piece::Where::kNowhere;
}

}  // namespace geist::read
