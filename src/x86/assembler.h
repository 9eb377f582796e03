// Assembler: emits the few instructions that trampolines are made of, at a known address. Encoding
// is Zydis'; branches are always rel32 so that sizes do not depend on distances, and labels are
// bound within one Assembler. relocate() copies a decoded instruction to another address as a pure
// function of its bytes.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "x86/insn.h"

namespace geist::x86 {

// [base + index*scale + disp], or an absolute address reached RIP-relatively when `absolute` is
// set.
struct MemRef {
  Reg base = kNoReg;
  Reg index = kNoReg;
  u8 scale = 1;
  i64 disp = 0;
  bool absolute = false;  // disp is the address
};

struct Label {
  u32 id = 0;
};

class Assembler {
 public:
  explicit Assembler(u64 base) : base_(base) {}

  u64 here() const { return base_ + bytes_.size(); }
  const std::vector<u8>& bytes() const { return bytes_; }
  // False once an instruction could not be encoded or a branch does not reach; the bytes must then
  // not be used.
  bool ok() const { return ok_; }

  void mov(Reg to, Reg from);
  void mov(Reg to, const MemRef& from);
  void mov(const MemRef& to, Reg from);
  void mov_imm(Reg to, i64 value);
  void lea(Reg to, const MemRef& address);
  void add(Reg to, Reg from);
  void add(Reg to, const MemRef& from);
  void add_imm(Reg to, i64 value);  // value fits 32 bits signed
  void sub(Reg to, Reg from);
  void sub(Reg to, const MemRef& from);
  void xor_(Reg to, Reg from);
  void or_imm(Reg to, i64 value);   // value fits 32 bits signed
  void and_imm(Reg to, i64 value);  // likewise
  void imul(Reg to, Reg from);
  void imul_imm(Reg to, i64 value);
  void imul_imm(Reg to, const MemRef& from, i64 value);
  void shl(Reg to, u8 count);
  void cmp(Reg a, Reg b);
  void cmp(Reg a, const MemRef& b);
  void cmp_imm(Reg a, i64 value);  // value fits 32 bits signed
  void test(Reg a, Reg b);
  void test_imm(Reg a, i64 value);  // value fits 32 bits signed
  void cmp_mem_zero(const MemRef& at, u16 size_bits);
  // Atomically adds one to the 8 bytes there; changes the flags.
  void lock_inc(const MemRef& at);
  // The same for this processor alone; and atomically or not, what is in a register.
  void inc_mem(const MemRef& at);
  // Takes one from the 4 bytes there.
  void dec_mem32(const MemRef& at);
  void add_mem(const MemRef& at, Reg what);
  void lock_add_mem(const MemRef& at, Reg what);
  // Atomically, what is there for what is in the register.
  void xchg_mem(const MemRef& at, Reg with);
  // Atomically writes the byte there as it is; changes the flags.
  void lock_touch(const MemRef& at);
  void push(Reg r);
  void pop(Reg r);
  void pushfq();
  void popfq();

  Label new_label();
  void bind(Label label);
  void jmp(Label label);
  void jcc(Cond cond, Label label);
  void jmp_to(u64 address);
  void call_to(u64 address);
  void jcc_to(Cond cond, u64 address);
  void append_bytes(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void align(usize boundary, u8 fill);

  // Resolves labels; call once, at the end.
  void finish();

 private:
  template <typename... Operands>
  void emit(int mnemonic, const Operands&... operands);
  template <typename... Operands>
  void emit_with(u64 prefixes, int mnemonic, const Operands&... operands);
  void rel32(u64 target);

  struct Fixup {
    usize at;
    u32 label;
  };
  u64 base_;
  std::vector<u8> bytes_;
  std::vector<std::optional<u64>> labels_;
  std::vector<Fixup> fixups_;
  bool ok_ = true;
};

// The bytes of a non-branching instruction so that it does the same at `to` as at insn.addr: a
// RIP-relative operand keeps meaning the same address. Nothing when the instruction branches or the
// distance does not fit 32 bits. Example: 48 8b 05 10 00 00 00 (MOV RAX,[RIP+0x10]) at 0x1000 moved
// to 0x2000 becomes disp -0xff0.
std::optional<std::vector<u8>> relocate(ByteView bytes, const Insn& insn, u64 to);

}  // namespace geist::x86
