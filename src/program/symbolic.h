// Symbolic execution of short, straight paths: which register or slot at the start holds what an
// instruction sees later.
//
// A value is a linear form  constant + Σ coefficient·symbol  (mod 2^64). Symbols stand for what is
// not known: a register at the start, an 8-byte stack slot at the start (by offset from SP at the
// start), a load from other memory (by address form and memory epoch), the image base (for
// RIP-relative addresses), or an opaque result. Two values are equal only if their forms are;
// everything not understood becomes a fresh opaque symbol, so a claim of equality is never a guess.
// Stores through pointers other than SP forget all slots and start a new memory epoch.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <vector>

#include "x86/insn.h"

namespace geist::program {

using SymbolId = u32;

struct Term {
  SymbolId symbol = 0;
  i64 coefficient = 0;
  bool operator==(const Term&) const = default;
};

// The terms of a form, ascending by symbol, coefficients not zero. No argument of growslice has
// more than a few; a form with more than fit is cut, and then it is equal to nothing, not even to
// itself.
class Terms {
 public:
  Terms() = default;
  Terms(std::initializer_list<Term> terms) {
    for (const Term& term : terms) push_back(term);
  }

  const Term* begin() const { return terms_.data(); }
  const Term* end() const { return terms_.data() + size_; }
  usize size() const { return size_; }
  bool empty() const { return size_ == 0 && !is_cut_; }
  bool is_cut() const { return is_cut_; }
  const Term& operator[](usize index) const { return terms_[index]; }
  bool operator==(const Terms& other) const {
    return !is_cut_ && !other.is_cut_ && std::equal(begin(), end(), other.begin(), other.end());
  }
  void push_back(const Term& term) {
    if (size_ == terms_.size())
      cut();
    else
      terms_[size_++] = term;
  }
  void cut() { is_cut_ = true; }

 private:
  std::array<Term, 4> terms_{};
  u8 size_ = 0;
  bool is_cut_ = false;
};

struct Expr {
  i64 constant = 0;
  Terms terms;

  bool operator==(const Expr&) const = default;
  bool is_constant() const { return terms.empty(); }
  // symbol + constant, with coefficient one
  bool is_offset() const {
    return !terms.is_cut() && terms.size() == 1 && terms[0].coefficient == 1;
  }
};

Expr add(const Expr& a, const Expr& b, i64 b_factor = 1);
Expr scale(const Expr& a, i64 factor);

struct Symbol {
  enum class Kind : u8 { kReg, kSlot, kLoad, kImageBase, kOpaque } kind = Kind::kOpaque;
  x86::Reg reg = x86::kNoReg;  // kReg
  i64 slot = 0;                // kSlot: offset from SP at the start
  Expr address;                // kLoad
  u32 epoch = 0;               // kLoad
  u32 number = 0;              // kOpaque
  bool operator==(const Symbol&) const = default;
};

// Owns the symbols of one analysis; expressions of different tables must not meet.
class SymbolTable {
 public:
  SymbolId intern(const Symbol& symbol);
  SymbolId fresh();
  const Symbol& get(SymbolId id) const;
  Expr expr(const Symbol& symbol) { return Expr{0, {{intern(symbol), 1}}}; }
  Expr opaque() { return Expr{0, {{fresh(), 1}}}; }

 private:
  // The registers are in every table, under their hardware numbers, and take no room.
  static constexpr SymbolId kRegisters = 16;
  std::vector<Symbol> symbols_;
  u32 opaque_count_ = 0;
};

// Registers and stack slots along one path.
class SymbolicState {
 public:
  // Whether stores through other pointers than SP may hit slots. They may hit variables whose
  // address was taken; not the words that the compiler moves between registers and frame as it sees
  // fit.
  enum class Frame : u8 { kMayBeHit, kPrivate };
  explicit SymbolicState(SymbolTable& table, Frame frame = Frame::kMayBeHit);

  const Expr& reg(x86::Reg r) const { return regs_[r]; }
  // The 8 bytes at SP-at-start + offset.
  Expr slot(i64 offset);
  // An operand as a 64-bit value; opaque when it is narrower or not understood.
  Expr value_of(const x86::Operand& operand);
  Expr address_of(const x86::Mem& mem);
  void execute(const x86::Insn& insn);
  // A call of a Go function, which uses every register for itself (cmd/compile/abi-internal.md) and
  // leaves a private frame alone.
  void call();
  // An expression over the symbols of a path that began here, in the symbols of this path.
  Expr substitute(const Expr& later, const SymbolTable& later_table);
  const std::map<i64, Expr>& written_slots() const { return slots_; }

 private:
  Expr load(const Expr& address);
  void store(const x86::Operand& target, const Expr& value);
  void set(const x86::Operand& target, const Expr& value);
  void forget_effects(const x86::Insn& insn);
  std::optional<i64> stack_offset(const Expr& address) const;
  void forget_slots(i64 offset, i64 size_bytes);

  void forget_memory();

  SymbolTable* table_;
  Frame frame_;
  std::array<Expr, 16> regs_;
  SymbolId sp_;
  std::map<i64, Expr> slots_;  // written since the start
  bool slots_lost_ = false;    // a store through an unknown pointer may have hit any slot
  u32 epoch_ = 0;
};

}  // namespace geist::program
