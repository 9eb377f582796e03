// Zydis' decoding, reduced to the vocabulary of insn.h.
#include "x86/insn.h"

#include <Zydis/Zydis.h>

namespace geist::x86 {
namespace {

const ZydisDecoder& decoder() {
  static const ZydisDecoder instance = [] {
    ZydisDecoder d;
    ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return d;
  }();
  return instance;
}

// By ZydisRegister: the hardware number of the 64-bit register that encloses it; kNoReg for
// anything but general purpose registers. Asking Zydis each time takes a tenth of all decoding.
using GprTable = std::array<Reg, ZYDIS_REGISTER_MAX_VALUE + 1>;

const GprTable& gpr_table() {
  static const GprTable table = [] {
    GprTable t{};
    for (usize i = 0; i < t.size(); ++i) {
      ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
                                                            static_cast<ZydisRegister>(i));
      bool is_gpr = ZydisRegisterGetClass(full) == ZYDIS_REGCLASS_GPR64;
      t[i] = is_gpr ? static_cast<Reg>(ZydisRegisterGetId(full)) : kNoReg;
    }
    return t;
  }();
  return table;
}

Reg gpr_of(ZydisRegister r) {
  return gpr_table()[r];
}

Op op_of(ZydisMnemonic m) {
  switch (m) {
    case ZYDIS_MNEMONIC_MOV:
      return Op::kMov;
    case ZYDIS_MNEMONIC_LEA:
      return Op::kLea;
    case ZYDIS_MNEMONIC_ADD:
      return Op::kAdd;
    case ZYDIS_MNEMONIC_SUB:
      return Op::kSub;
    case ZYDIS_MNEMONIC_INC:
      return Op::kInc;
    case ZYDIS_MNEMONIC_DEC:
      return Op::kDec;
    case ZYDIS_MNEMONIC_NEG:
      return Op::kNeg;
    case ZYDIS_MNEMONIC_XOR:
      return Op::kXor;
    case ZYDIS_MNEMONIC_AND:
      return Op::kAnd;
    case ZYDIS_MNEMONIC_SHL:
      return Op::kShl;
    case ZYDIS_MNEMONIC_IMUL:
      return Op::kImul;
    case ZYDIS_MNEMONIC_CMP:
      return Op::kCmp;
    case ZYDIS_MNEMONIC_TEST:
      return Op::kTest;
    case ZYDIS_MNEMONIC_XCHG:
      return Op::kXchg;
    case ZYDIS_MNEMONIC_NOP:
      return Op::kNop;
    case ZYDIS_MNEMONIC_PUSH:
      return Op::kPush;
    case ZYDIS_MNEMONIC_POP:
      return Op::kPop;
    default:
      return Op::kOther;
  }
}

std::optional<Cond> cond_of(const ZydisDecodedInstruction& z) {
  if (z.meta.category != ZYDIS_CATEGORY_COND_BR) return std::nullopt;
  bool is_short = z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (z.opcode & 0xf0) == 0x70;
  bool is_near = z.opcode_map == ZYDIS_OPCODE_MAP_0F && (z.opcode & 0xf0) == 0x80;
  if (!is_short && !is_near) return std::nullopt;  // JRCXZ, LOOP: Go does not emit them
  return static_cast<Cond>(z.opcode & 0xf);
}

Mem mem_of(const ZydisDecodedInstruction& z, const ZydisDecodedOperand& o, ImageAddr addr) {
  Mem mem;
  mem.disp = o.mem.disp.has_displacement ? o.mem.disp.value : 0;
  mem.segment = o.mem.segment == ZYDIS_REGISTER_FS || o.mem.segment == ZYDIS_REGISTER_GS;
  if (o.mem.base == ZYDIS_REGISTER_RIP) {
    mem.rip_relative = true;
    mem.disp += static_cast<i64>(addr.value + z.length);
    return mem;
  }
  mem.base = gpr_of(o.mem.base);
  mem.index = gpr_of(o.mem.index);
  mem.scale = o.mem.scale == 0 ? 1 : o.mem.scale;
  return mem;
}

Operand operand_of(const ZydisDecodedInstruction& z, const ZydisDecodedOperand& o, ImageAddr addr) {
  Operand out;
  out.size_bits = o.size;
  switch (o.type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
      out.reg = gpr_of(o.reg.value);
      out.kind = out.reg == kNoReg ? Operand::Kind::kOther : Operand::Kind::kReg;
      break;
    case ZYDIS_OPERAND_TYPE_MEMORY:
      out.kind = Operand::Kind::kMem;
      out.mem = mem_of(z, o, addr);
      break;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
      out.kind = Operand::Kind::kImm;
      out.imm = o.imm.is_signed != 0 ? o.imm.value.s : static_cast<i64>(o.imm.value.u);
      break;
    default:
      out.kind = Operand::Kind::kOther;
      break;
  }
  return out;
}

void add_effects(Insn& insn, const ZydisDecodedOperand& o) {
  bool reads = (o.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
  bool writes = (o.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  if (o.type == ZYDIS_OPERAND_TYPE_REGISTER) {
    RegMask mask = bit(gpr_of(o.reg.value));
    bool partial = o.size < 32 || (o.actions & ZYDIS_OPERAND_ACTION_CONDWRITE) != 0;
    if (reads || (writes && partial)) insn.reads |= mask;
    if (writes) insn.writes |= mask;
  } else if (o.type == ZYDIS_OPERAND_TYPE_MEMORY) {
    insn.reads |= bit(gpr_of(o.mem.base)) | bit(gpr_of(o.mem.index));
    if (o.mem.type == ZYDIS_MEMOP_TYPE_AGEN) return;  // LEA computes, it does not access
    insn.reads_memory |= reads;
    insn.writes_memory |= writes;
  }
}

void set_flow(Insn& insn, const ZydisDecodedInstruction& z, const ZydisDecodedOperand* operands) {
  bool direct = z.operand_count > 0 && operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
                operands[0].imm.is_relative != 0;
  if (direct) insn.target = insn.end() + static_cast<u64>(operands[0].imm.value.s);
  if (std::optional<Cond> cond = cond_of(z)) {
    insn.flow = Flow::kJcc;
    insn.cond = *cond;
    return;
  }
  switch (z.meta.category) {
    case ZYDIS_CATEGORY_UNCOND_BR:
      insn.flow = direct ? Flow::kJmp : Flow::kJmpIndirect;
      break;
    case ZYDIS_CATEGORY_CALL:
      insn.flow = Flow::kCall;
      break;
    case ZYDIS_CATEGORY_RET:
      insn.flow = Flow::kRet;
      break;
    case ZYDIS_CATEGORY_COND_BR:
      insn.flow = Flow::kTrap;
      break;  // not emitted by Go: ends the analysis
    default:
      if (z.mnemonic == ZYDIS_MNEMONIC_UD2 || z.mnemonic == ZYDIS_MNEMONIC_INT3)
        insn.flow = Flow::kTrap;
  }
}

constexpr ZyanU32 kStatusFlags = ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF |
                                 ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF;

// A shift or rotation by CL: by 0 it changes no flag.
bool counts_by_cl(const ZydisDecodedInstruction& z, const ZydisDecodedOperand* operands) {
  switch (z.mnemonic) {
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR:
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD: {
      const ZydisDecodedOperand& count = operands[z.operand_count_visible - 1];
      return count.type == ZYDIS_OPERAND_TYPE_REGISTER && count.reg.value == ZYDIS_REGISTER_CL;
    }
    default:
      return false;
  }
}

}  // namespace

std::optional<Insn> decode(ByteView bytes, ImageAddr addr) {
  ZydisDecodedInstruction z;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder(), bytes.data(), bytes.size(), &z, operands))) {
    return std::nullopt;
  }
  Insn insn;
  insn.addr = addr;
  insn.length = z.length;
  insn.op = op_of(z.mnemonic);
  insn.rep =
      (z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
  for (u8 i = 0; i < z.operand_count; ++i) {
    add_effects(insn, operands[i]);
    if (i < z.operand_count_visible && i < insn.operands.size()) {
      insn.operands[i] = operand_of(z, operands[i], addr);
      insn.operand_count = static_cast<u8>(i + 1);
    }
  }
  if (z.cpu_flags != nullptr) {
    if (z.cpu_flags->tested != 0) insn.reads |= kFlagsBit;
    const ZyanU32 changed =
        z.cpu_flags->modified | z.cpu_flags->set_0 | z.cpu_flags->set_1 | z.cpu_flags->undefined;
    if (changed != 0) insn.writes |= kFlagsBit;
    const bool keeps_some = (changed & kStatusFlags) != kStatusFlags || counts_by_cl(z, operands);
    if (changed != 0 && keeps_some) insn.writes |= kFlagsKeptBit;
  }
  set_flow(insn, z, operands);
  // XOR r,r and SUB r,r define r without reading it.
  if ((insn.op == Op::kXor || insn.op == Op::kSub) &&
      insn.operands[0].kind == Operand::Kind::kReg &&
      insn.operands[1].is_reg(insn.operands[0].reg) && insn.operands[0].size_bits >= 32) {
    insn.reads &= ~bit(insn.operands[0].reg);
  }
  return insn;
}

std::string format(ByteView bytes, ImageAddr addr) {
  ZydisDecodedInstruction z;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder(), bytes.data(), bytes.size(), &z, operands)))
    return "(bad)";
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
  char text[128];
  ZydisFormatterFormatInstruction(&formatter, &z, operands, z.operand_count_visible, text,
                                  sizeof text, addr.value, nullptr);
  return text;
}

}  // namespace geist::x86
