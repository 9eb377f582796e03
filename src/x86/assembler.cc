// Encoding through Zydis' encoder; by hand branches, because their size must not depend on their
// distance, and what every trampoline has.
#include "x86/assembler.h"

#include <Zydis/Zydis.h>

#include <cstring>

namespace geist::x86 {
namespace {

constexpr ZydisRegister kRegisters[16] = {
    ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_RDX, ZYDIS_REGISTER_RBX,
    ZYDIS_REGISTER_RSP, ZYDIS_REGISTER_RBP, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_RDI,
    ZYDIS_REGISTER_R8,  ZYDIS_REGISTER_R9,  ZYDIS_REGISTER_R10, ZYDIS_REGISTER_R11,
    ZYDIS_REGISTER_R12, ZYDIS_REGISTER_R13, ZYDIS_REGISTER_R14, ZYDIS_REGISTER_R15};

ZydisEncoderOperand reg_operand(Reg r) {
  ZydisEncoderOperand o{};
  o.type = ZYDIS_OPERAND_TYPE_REGISTER;
  o.reg.value = kRegisters[r];
  return o;
}

ZydisEncoderOperand mem_operand(const MemRef& mem, u16 size_bits) {
  ZydisEncoderOperand o{};
  o.type = ZYDIS_OPERAND_TYPE_MEMORY;
  o.mem.size = static_cast<ZyanU16>(size_bits / 8);
  o.mem.displacement = mem.disp;
  if (mem.absolute) {
    o.mem.base = ZYDIS_REGISTER_RIP;
    return o;
  }
  o.mem.base = mem.base == kNoReg ? ZYDIS_REGISTER_NONE : kRegisters[mem.base];
  if (mem.index != kNoReg) {
    o.mem.index = kRegisters[mem.index];
    o.mem.scale = mem.scale;
  }
  return o;
}

ZydisEncoderOperand imm_operand(i64 value) {
  ZydisEncoderOperand o{};
  o.type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
  o.imm.s = value;
  return o;
}

}  // namespace

template <typename... Operands>
void Assembler::emit(int mnemonic, const Operands&... operands) {
  emit_with(0, mnemonic, operands...);
}

template <typename... Operands>
void Assembler::emit_with(u64 prefixes, int mnemonic, const Operands&... operands) {
  ZydisEncoderRequest request{};
  request.prefixes = prefixes;
  request.machine_mode = ZYDIS_MACHINE_MODE_LONG_64;
  request.mnemonic = static_cast<ZydisMnemonic>(mnemonic);
  request.operand_count = sizeof...(Operands);
  usize i = 0;
  ((request.operands[i++] = operands), ...);
  u8 buffer[ZYDIS_MAX_INSTRUCTION_LENGTH];
  ZyanUSize length = sizeof buffer;
  // The absolute variant turns a RIP-relative displacement from "the address meant" into the
  // encoded distance.
  if (ZYAN_FAILED(ZydisEncoderEncodeInstructionAbsolute(&request, buffer, &length, here()))) {
    ok_ = false;
    return;
  }
  bytes_.insert(bytes_.end(), buffer, buffer + length);
}

void Assembler::mov(Reg to, Reg from) {
  emit(ZYDIS_MNEMONIC_MOV, reg_operand(to), reg_operand(from));
}
void Assembler::mov(Reg to, const MemRef& from) {
  emit(ZYDIS_MNEMONIC_MOV, reg_operand(to), mem_operand(from, 64));
}
void Assembler::mov(const MemRef& to, Reg from) {
  emit(ZYDIS_MNEMONIC_MOV, mem_operand(to, 64), reg_operand(from));
}
void Assembler::mov_imm(Reg to, i64 value) {
  emit(ZYDIS_MNEMONIC_MOV, reg_operand(to), imm_operand(value));
}
void Assembler::lea(Reg to, const MemRef& a) {
  if (a.absolute) {  // REX.W 8D /r with RIP: each trampoline has one
    bytes_.push_back(static_cast<u8>(0x48 | (to >> 3) << 2));
    bytes_.push_back(0x8d);
    bytes_.push_back(static_cast<u8>((to & 7) << 3 | 5));
    return rel32(static_cast<u64>(a.disp));
  }
  emit(ZYDIS_MNEMONIC_LEA, reg_operand(to), mem_operand(a, 64));
}
void Assembler::add(Reg to, Reg from) {
  emit(ZYDIS_MNEMONIC_ADD, reg_operand(to), reg_operand(from));
}
void Assembler::add(Reg to, const MemRef& from) {
  emit(ZYDIS_MNEMONIC_ADD, reg_operand(to), mem_operand(from, 64));
}
void Assembler::add_imm(Reg to, i64 value) {
  emit(ZYDIS_MNEMONIC_ADD, reg_operand(to), imm_operand(value));
}
void Assembler::sub(Reg to, Reg from) {
  emit(ZYDIS_MNEMONIC_SUB, reg_operand(to), reg_operand(from));
}
void Assembler::sub(Reg to, const MemRef& from) {
  emit(ZYDIS_MNEMONIC_SUB, reg_operand(to), mem_operand(from, 64));
}
void Assembler::xor_(Reg to, Reg from) {
  emit(ZYDIS_MNEMONIC_XOR, reg_operand(to), reg_operand(from));
}
void Assembler::or_imm(Reg to, i64 value) {
  emit(ZYDIS_MNEMONIC_OR, reg_operand(to), imm_operand(value));
}
void Assembler::and_imm(Reg to, i64 value) {
  emit(ZYDIS_MNEMONIC_AND, reg_operand(to), imm_operand(value));
}
void Assembler::imul(Reg to, Reg from) {
  emit(ZYDIS_MNEMONIC_IMUL, reg_operand(to), reg_operand(from));
}
void Assembler::imul_imm(Reg to, i64 value) {
  emit(ZYDIS_MNEMONIC_IMUL, reg_operand(to), reg_operand(to), imm_operand(value));
}
void Assembler::imul_imm(Reg to, const MemRef& from, i64 value) {
  emit(ZYDIS_MNEMONIC_IMUL, reg_operand(to), mem_operand(from, 64), imm_operand(value));
}
void Assembler::shl(Reg to, u8 count) {
  emit(ZYDIS_MNEMONIC_SHL, reg_operand(to), imm_operand(count));
}
void Assembler::cmp(Reg a, Reg b) {
  emit(ZYDIS_MNEMONIC_CMP, reg_operand(a), reg_operand(b));
}
void Assembler::cmp(Reg a, const MemRef& b) {
  emit(ZYDIS_MNEMONIC_CMP, reg_operand(a), mem_operand(b, 64));
}
void Assembler::cmp_imm(Reg a, i64 value) {
  emit(ZYDIS_MNEMONIC_CMP, reg_operand(a), imm_operand(value));
}
void Assembler::test(Reg a, Reg b) {
  emit(ZYDIS_MNEMONIC_TEST, reg_operand(a), reg_operand(b));
}
void Assembler::test_imm(Reg a, i64 value) {
  emit(ZYDIS_MNEMONIC_TEST, reg_operand(a), imm_operand(value));
}
void Assembler::cmp_mem_zero(const MemRef& at, u16 size_bits) {
  emit(ZYDIS_MNEMONIC_CMP, mem_operand(at, size_bits), imm_operand(0));
}
void Assembler::lock_inc(const MemRef& at) {
  emit_with(ZYDIS_ATTRIB_HAS_LOCK, ZYDIS_MNEMONIC_INC, mem_operand(at, 64));
}
void Assembler::inc_mem(const MemRef& at) {
  emit(ZYDIS_MNEMONIC_INC, mem_operand(at, 64));
}
void Assembler::dec_mem32(const MemRef& at) {
  emit(ZYDIS_MNEMONIC_DEC, mem_operand(at, 32));
}
void Assembler::add_mem(const MemRef& at, Reg what) {
  emit(ZYDIS_MNEMONIC_ADD, mem_operand(at, 64), reg_operand(what));
}
void Assembler::lock_add_mem(const MemRef& at, Reg what) {
  emit_with(ZYDIS_ATTRIB_HAS_LOCK, ZYDIS_MNEMONIC_ADD, mem_operand(at, 64), reg_operand(what));
}
void Assembler::xchg_mem(const MemRef& at, Reg with) {
  emit(ZYDIS_MNEMONIC_XCHG, mem_operand(at, 64), reg_operand(with));
}
void Assembler::lock_touch(const MemRef& at) {
  emit_with(ZYDIS_ATTRIB_HAS_LOCK, ZYDIS_MNEMONIC_OR, mem_operand(at, 8), imm_operand(0));
}
void Assembler::push(Reg r) {
  emit(ZYDIS_MNEMONIC_PUSH, reg_operand(r));
}
void Assembler::pop(Reg r) {
  emit(ZYDIS_MNEMONIC_POP, reg_operand(r));
}
void Assembler::pushfq() {
  emit(ZYDIS_MNEMONIC_PUSHFQ);
}
void Assembler::popfq() {
  emit(ZYDIS_MNEMONIC_POPFQ);
}

Label Assembler::new_label() {
  labels_.emplace_back();
  return Label{static_cast<u32>(labels_.size() - 1)};
}

void Assembler::bind(Label label) {
  labels_[label.id] = here();
}

void Assembler::rel32(u64 target) {
  i64 distance = static_cast<i64>(target - (here() + 4));
  if (distance != static_cast<i32>(distance)) ok_ = false;
  u8 raw[4];
  i32 narrow = static_cast<i32>(distance);
  std::memcpy(raw, &narrow, 4);
  bytes_.insert(bytes_.end(), raw, raw + 4);
}

void Assembler::jmp_to(u64 address) {
  bytes_.push_back(0xe9);
  rel32(address);
}

void Assembler::call_to(u64 address) {
  bytes_.push_back(0xe8);
  rel32(address);
}

void Assembler::jcc_to(Cond cond, u64 address) {
  bytes_.push_back(0x0f);
  bytes_.push_back(static_cast<u8>(0x80 | static_cast<u8>(cond)));
  rel32(address);
}

void Assembler::jmp(Label label) {
  bytes_.push_back(0xe9);
  fixups_.push_back({bytes_.size(), label.id});
  bytes_.insert(bytes_.end(), 4, 0);
}

void Assembler::jcc(Cond cond, Label label) {
  bytes_.push_back(0x0f);
  bytes_.push_back(static_cast<u8>(0x80 | static_cast<u8>(cond)));
  fixups_.push_back({bytes_.size(), label.id});
  bytes_.insert(bytes_.end(), 4, 0);
}

void Assembler::align(usize boundary, u8 fill) {
  while (here() % boundary != 0) bytes_.push_back(fill);
}

void Assembler::finish() {
  for (const Fixup& fixup : fixups_) {
    if (!labels_[fixup.label]) {
      ok_ = false;
      continue;
    }
    i32 distance = static_cast<i32>(*labels_[fixup.label] - (base_ + fixup.at + 4));
    std::memcpy(bytes_.data() + fixup.at, &distance, 4);
  }
  fixups_.clear();
}

std::optional<std::vector<u8>> relocate(ByteView bytes, const Insn& insn, u64 to) {
  if (insn.flow != Flow::kNext || insn.length > bytes.size()) return std::nullopt;
  std::vector<u8> out(bytes.begin(), bytes.begin() + insn.length);
  bool rip_relative = false;
  for (u8 i = 0; i < insn.operand_count; ++i) {
    rip_relative |=
        insn.operands[i].kind == Operand::Kind::kMem && insn.operands[i].mem.rip_relative;
  }
  if (!rip_relative) return out;
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  ZydisDecodedInstruction z;
  if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, nullptr, out.data(), out.size(), &z)))
    return std::nullopt;
  if (z.raw.disp.size != 32) return std::nullopt;
  i64 moved = z.raw.disp.value + static_cast<i64>(insn.addr.value) - static_cast<i64>(to);
  if (moved != static_cast<i32>(moved)) return std::nullopt;
  i32 narrow = static_cast<i32>(moved);
  std::memcpy(out.data() + z.raw.disp.offset, &narrow, 4);
  return out;
}

}  // namespace geist::x86
