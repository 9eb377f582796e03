// Linear-form symbolic execution; symbolic.h says what equality of two values means.
#include "program/symbolic.h"

#include <algorithm>

namespace geist::program {

using x86::Insn;
using x86::Op;
using x86::Operand;

Expr add(const Expr& a, const Expr& b, i64 b_factor) {
  auto wrap_mul = [](i64 x, i64 y) {
    return static_cast<i64>(static_cast<u64>(x) * static_cast<u64>(y));
  };
  auto wrap_add = [](i64 x, i64 y) {
    return static_cast<i64>(static_cast<u64>(x) + static_cast<u64>(y));
  };
  Expr out;
  out.constant = wrap_add(a.constant, wrap_mul(b.constant, b_factor));
  if (a.terms.is_cut() || b.terms.is_cut()) out.terms.cut();
  const Term* ia = a.terms.begin();
  const Term* ib = b.terms.begin();
  while (ia != a.terms.end() || ib != b.terms.end()) {
    SymbolId symbol = 0;
    i64 coefficient = 0;
    bool take_a = ib == b.terms.end() || (ia != a.terms.end() && ia->symbol <= ib->symbol);
    bool take_b = ia == a.terms.end() || (ib != b.terms.end() && ib->symbol <= ia->symbol);
    if (take_a) symbol = ia->symbol, coefficient = ia->coefficient;
    if (take_b)
      symbol = ib->symbol, coefficient = wrap_add(coefficient, wrap_mul(ib->coefficient, b_factor));
    if (take_a) ++ia;
    if (take_b) ++ib;
    if (coefficient != 0) out.terms.push_back({symbol, coefficient});
  }
  return out;
}

Expr scale(const Expr& a, i64 factor) {
  return add(Expr{}, a, factor);
}

namespace {

const std::array<Symbol, 16>& register_symbols() {
  static const std::array<Symbol, 16> symbols = [] {
    std::array<Symbol, 16> all;
    for (u8 r = 0; r < all.size(); ++r) {
      all[r].kind = Symbol::Kind::kReg;
      all[r].reg = static_cast<x86::Reg>(r);
    }
    return all;
  }();
  return symbols;
}

}  // namespace

const Symbol& SymbolTable::get(SymbolId id) const {
  return id < kRegisters ? register_symbols()[id] : symbols_[id - kRegisters];
}

SymbolId SymbolTable::intern(const Symbol& symbol) {
  if (symbol.kind == Symbol::Kind::kReg) return symbol.reg;
  auto it = std::find(symbols_.begin(), symbols_.end(), symbol);
  if (it == symbols_.end()) it = symbols_.insert(it, symbol);
  return kRegisters + static_cast<SymbolId>(it - symbols_.begin());
}

SymbolId SymbolTable::fresh() {
  Symbol symbol;
  symbol.number = ++opaque_count_;
  symbols_.push_back(symbol);
  return kRegisters + static_cast<SymbolId>(symbols_.size() - 1);
}

SymbolicState::SymbolicState(SymbolTable& table, Frame frame) : table_(&table), frame_(frame) {
  for (u8 r = 0; r < 16; ++r) regs_[r].terms = {{r, 1}};
  sp_ = regs_[x86::kRsp].terms[0].symbol;
}

std::optional<i64> SymbolicState::stack_offset(const Expr& address) const {
  if (!address.is_offset() || address.terms[0].symbol != sp_) return std::nullopt;
  return address.constant;
}

Expr SymbolicState::slot(i64 offset) {
  auto it = slots_.find(offset);
  if (it != slots_.end()) return it->second;
  // Overlapped by a written slot without being it: not a whole value.
  auto after = slots_.lower_bound(offset - 7);
  if (slots_lost_ || (after != slots_.end() && after->first < offset + 8)) return table_->opaque();
  Symbol symbol;
  symbol.kind = Symbol::Kind::kSlot;
  symbol.slot = offset;
  return table_->expr(symbol);
}

Expr SymbolicState::load(const Expr& address) {
  if (std::optional<i64> offset = stack_offset(address)) return slot(*offset);
  Symbol symbol;
  symbol.kind = Symbol::Kind::kLoad;
  symbol.address = address;
  symbol.epoch = epoch_;
  return table_->expr(symbol);
}

Expr SymbolicState::address_of(const x86::Mem& mem) {
  Expr address;
  address.constant = mem.disp;
  if (mem.segment) return table_->opaque();
  if (mem.rip_relative) {
    Symbol base;
    base.kind = Symbol::Kind::kImageBase;
    return add(address, table_->expr(base));
  }
  if (mem.base != x86::kNoReg) address = add(address, regs_[mem.base]);
  if (mem.index != x86::kNoReg) address = add(address, regs_[mem.index], mem.scale);
  return address;
}

Expr SymbolicState::value_of(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::kImm:
      return Expr{operand.imm, {}};
    case Operand::Kind::kReg:
      if (operand.size_bits == 64) return regs_[operand.reg];
      if (operand.size_bits == 32 && regs_[operand.reg].is_constant()) {
        return Expr{static_cast<i64>(static_cast<u32>(regs_[operand.reg].constant)), {}};
      }
      return table_->opaque();
    case Operand::Kind::kMem:
      return operand.size_bits == 64 ? load(address_of(operand.mem)) : table_->opaque();
    default:
      return table_->opaque();
  }
}

void SymbolicState::forget_slots(i64 offset, i64 size_bytes) {
  for (i64 at = offset - 7; at < offset + size_bytes; ++at) {
    auto it = slots_.find(at);
    if (it != slots_.end()) it->second = table_->opaque();
  }
  // Slots never written so far but touched now: whole words only, Go keeps its slots aligned to SP.
  i64 first = offset - ((offset % 8) + 8) % 8;
  for (i64 at = first; at < offset + size_bytes; at += 8) slots_[at] = table_->opaque();
}

void SymbolicState::store(const Operand& target, const Expr& value) {
  std::optional<i64> offset = stack_offset(address_of(target.mem));
  if (!offset) return forget_memory();
  if (target.size_bits == 64) {
    forget_slots(*offset, 8);
    slots_[*offset] = value;
  } else {
    forget_slots(*offset, target.size_bits / 8);
  }
}

void SymbolicState::set(const Operand& target, const Expr& value) {
  if (target.kind == Operand::Kind::kMem) return store(target, value);
  if (target.kind != Operand::Kind::kReg) return;
  bool whole = target.size_bits == 64;
  bool zero_extended = target.size_bits == 32 && value.is_constant();
  if (whole)
    regs_[target.reg] = value;
  else if (zero_extended)
    regs_[target.reg] = Expr{static_cast<i64>(static_cast<u32>(value.constant)), {}};
  else
    regs_[target.reg] = table_->opaque();
}

void SymbolicState::forget_effects(const Insn& insn) {
  for (u8 r = 0; r < 16; ++r) {
    if ((insn.writes & (1u << r)) != 0 && r != x86::kRsp) regs_[r] = table_->opaque();
  }
  if ((insn.writes & x86::bit(x86::kRsp)) != 0) regs_[x86::kRsp] = table_->opaque();
  if (!insn.writes_memory) return;
  const Operand& target = insn.operands[0];
  if (target.kind == Operand::Kind::kMem) {
    store(target, table_->opaque());
  } else {
    forget_memory();
  }
}

void SymbolicState::forget_memory() {
  ++epoch_;
  if (frame_ == Frame::kPrivate) return;
  slots_lost_ = true;
  slots_.clear();
}

void SymbolicState::call() {
  for (u8 r = 0; r < 16; ++r) {
    if (r != x86::kRsp && r != x86::kRbp && r != x86::kR14) regs_[r] = table_->opaque();
  }
  forget_memory();
}

void SymbolicState::execute(const Insn& insn) {
  const Operand& a = insn.operands[0];
  const Operand& b = insn.operands[1];
  switch (insn.op) {
    case Op::kNop:
    case Op::kCmp:
    case Op::kTest:
      return;
    case Op::kMov:
      return set(a, value_of(b));
    case Op::kLea:
      return set(a, address_of(b.mem));
    case Op::kAdd:
      return set(a, add(value_of(a), value_of(b)));
    case Op::kSub:
      if (b.kind == Operand::Kind::kReg && b.is_reg(a.reg)) return set(a, Expr{});
      return set(a, add(value_of(a), value_of(b), -1));
    case Op::kInc:
      return set(a, add(value_of(a), Expr{1, {}}));
    case Op::kDec:
      return set(a, add(value_of(a), Expr{-1, {}}));
    case Op::kNeg:
      return set(a, scale(value_of(a), -1));
    case Op::kXor:
      if (a.kind == Operand::Kind::kReg && b.is_reg(a.reg)) return set(a, Expr{});
      return forget_effects(insn);
    case Op::kShl:
      if (b.kind == Operand::Kind::kImm && b.imm >= 0 && b.imm < 63)
        return set(a, scale(value_of(a), i64{1} << b.imm));
      return forget_effects(insn);
    case Op::kImul:
      if (insn.operand_count == 3 && insn.operands[2].kind == Operand::Kind::kImm) {
        return set(a, scale(value_of(b), insn.operands[2].imm));
      }
      return forget_effects(insn);
    case Op::kXchg:
      if (a.kind == Operand::Kind::kReg && b.kind == Operand::Kind::kReg && a.size_bits == 64) {
        std::swap(regs_[a.reg], regs_[b.reg]);
        return;
      }
      return forget_effects(insn);
    default:
      return forget_effects(insn);
  }
}

Expr SymbolicState::substitute(const Expr& later, const SymbolTable& later_table) {
  Expr out;
  out.constant = later.constant;
  if (later.terms.is_cut()) out.terms.cut();
  for (const auto& [id, coefficient] : later.terms) {
    // A copy: with one table for both paths, interning below may move the symbols.
    const Symbol symbol = later_table.get(id);
    Expr value;
    switch (symbol.kind) {
      case Symbol::Kind::kReg:
        value = regs_[symbol.reg];
        break;
      case Symbol::Kind::kSlot: {
        std::optional<i64> sp = stack_offset(regs_[x86::kRsp]);
        value = sp ? slot(*sp + symbol.slot) : table_->opaque();
        break;
      }
      case Symbol::Kind::kLoad:
        value =
            symbol.epoch == 0 ? load(substitute(symbol.address, later_table)) : table_->opaque();
        break;
      case Symbol::Kind::kImageBase:
        value = table_->expr(symbol);
        break;
      case Symbol::Kind::kOpaque:
        value = table_->opaque();
        break;
    }
    out = add(out, value, coefficient);
  }
  return out;
}

}  // namespace geist::program
