// Table-driven decoding of the common instructions; whatever a table has no row for goes to Zydis.
#include "x86/brief.h"

#include <array>
#include <cstring>

namespace geist::x86 {
namespace {

// What an opcode does, as bits. `Rm` is the operand that ModRM's r/m names (register or memory),
// `Reg` the other one.
constexpr u32 kModRm = 1u << 0;
constexpr u32 kRmRead = 1u << 1;
constexpr u32 kRmWrite = 1u << 2;
constexpr u32 kRegRead = 1u << 3;
constexpr u32 kRegWrite = 1u << 4;
constexpr u32 kImm8 = 1u << 5;
constexpr u32 kImm32 = 1u << 6;   // 16 bits with the operand-size prefix
constexpr u32 kByte = 1u << 7;    // both operands have 8 bits
constexpr u32 kRmByte = 1u << 8;  // only r/m has
constexpr u32 kFlagsWrite = 1u << 9;
constexpr u32 kFlagsRead = 1u << 10;
constexpr u32 kFlagsKept = 1u << 25;   // some of them: kFlagsKeptBit
constexpr u32 kOnlyMemory = 1u << 11;  // no register as r/m: LEA
constexpr u32 kVector = 1u << 12;      // neither operand is a general purpose register
constexpr u32 kRegVector = 1u << 13;   // only r/m may be one
constexpr u32 kGroup = 1u << 14;       // what it does stands in the group's table, by ModRM's reg
constexpr u32 kClears = 1u << 15;      // of a register with itself it is a definition: XOR, SUB
// Operands that stand in no byte.
constexpr u32 kRaxRead = 1u << 20;
constexpr u32 kRaxWrite = 1u << 21;
constexpr u32 kRdxRead = 1u << 22;
constexpr u32 kRdxWrite = 1u << 23;
constexpr u32 kRcxRead = 1u << 24;
// Prefixes that the opcode may have; they select an instruction or, with kSized, the operand size.
constexpr u32 kPlain = 1u << 16;  // none
constexpr u32 kWith66 = 1u << 17;
constexpr u32 kWithF2 = 1u << 18;
constexpr u32 kWithF3 = 1u << 19;

constexpr u32 kRmBoth = kRmRead | kRmWrite;
constexpr u32 kRegBoth = kRegRead | kRegWrite;
constexpr u32 kSized = kPlain | kWith66;  // 66 is the operand size
constexpr u32 kScalar = kModRm | kVector | kWithF2 | kWithF3;

using Table = std::array<u32, 256>;

// ADD OR ADC SBB AND SUB XOR CMP, in the order of their opcodes and of group 1.
constexpr u32 kAdc = 2, kSbb = 3, kSubtract = 5, kExclusiveOr = 6, kCompare = 7;

constexpr u32 arithmetic(u32 which, u32 to, u32 both) {
  u32 does = kModRm | kSized | kFlagsWrite | (which == kCompare ? 0 : to) | both;
  if (which == kAdc || which == kSbb) does |= kFlagsRead;
  if (which == kSubtract || which == kExclusiveOr) does |= kClears;
  return does;
}

constexpr Table make_one_byte() {
  Table t{};
  for (u32 which = 0; which < 8; ++which) {
    t[8 * which + 0] = arithmetic(which, kRmWrite, kRmRead | kRegRead) | kByte;
    t[8 * which + 1] = arithmetic(which, kRmWrite, kRmRead | kRegRead);
    t[8 * which + 2] = arithmetic(which, kRegWrite, kRmRead | kRegRead) | kByte;
    t[8 * which + 3] = arithmetic(which, kRegWrite, kRmRead | kRegRead);
  }
  t[0x63] = kModRm | kPlain | kRegWrite | kRmRead;                         // MOVSXD
  t[0x69] = kModRm | kSized | kRegWrite | kRmRead | kImm32 | kFlagsWrite;  // IMUL
  t[0x6b] = kModRm | kSized | kRegWrite | kRmRead | kImm8 | kFlagsWrite;
  t[0x80] = kModRm | kSized | kGroup | kImm8 | kByte;
  t[0x81] = kModRm | kSized | kGroup | kImm32;
  t[0x83] = kModRm | kSized | kGroup | kImm8;
  t[0x84] = kModRm | kSized | kRmRead | kRegRead | kByte | kFlagsWrite;  // TEST
  t[0x85] = kModRm | kSized | kRmRead | kRegRead | kFlagsWrite;
  t[0x88] = kModRm | kSized | kRmWrite | kRegRead | kByte;  // MOV
  t[0x89] = kModRm | kSized | kRmWrite | kRegRead;
  t[0x8a] = kModRm | kSized | kRegWrite | kRmRead | kByte;
  t[0x8b] = kModRm | kSized | kRegWrite | kRmRead;
  t[0x8d] = kModRm | kSized | kRegWrite | kOnlyMemory;  // LEA
  t[0xc6] = kModRm | kSized | kGroup | kImm8 | kByte;
  t[0xc7] = kModRm | kSized | kGroup | kImm32;
  for (u32 op : {0xf6u, 0xf7u, 0xfeu, 0xffu})
    t[op] = kModRm | kSized | kGroup | (op % 2 == 0 ? kByte : 0);
  t[0xc1] = kModRm | kPlain | kGroup | kImm8;  // shifts and rotations
  t[0xd1] = kModRm | kPlain | kGroup;
  t[0xd3] = kModRm | kPlain | kGroup | kRcxRead;
  return t;
}

constexpr Table make_two_byte() {
  Table t{};
  for (u32 op : {0x10u, 0x11u})
    t[op] = kModRm | kVector | kPlain | kWith66 | kWithF2 | kWithF3;  // MOVUPS, MOVSD
  for (u32 op : {0x28u, 0x29u, 0x54u, 0x57u})
    t[op] = kModRm | kVector | kPlain | kWith66;  // MOVAPS, ANDPS, XORPS
  for (u32 op : {0x2eu, 0x2fu})
    t[op] = kModRm | kVector | kPlain | kWith66 | kFlagsWrite;                 // UCOMISD
  for (u32 op : {0x51u, 0x58u, 0x59u, 0x5au, 0x5cu, 0x5eu}) t[op] = kScalar;   // SQRTSD, ADDSD, …
  t[0x1f] = kModRm | kSized | kRegRead | kOnlyMemory;                          // NOP
  t[0x2a] = kModRm | kRegVector | kRmRead | kWithF2 | kWithF3;                 // CVTSI2SD
  t[0x6e] = kModRm | kRegVector | kRmRead | kWith66;                           // MOVQ
  for (u32 op : {0x6fu, 0x7fu}) t[op] = kModRm | kVector | kWith66 | kWithF3;  // MOVDQU
  t[0xd6] = kModRm | kVector | kWith66;
  t[0xef] = kModRm | kVector | kWith66;  // PXOR
  for (u32 cc = 0; cc < 16; ++cc) {
    t[0x40 + cc] = kModRm | kSized | kRegBoth | kRmRead | kFlagsRead;  // CMOVcc
    t[0x90 + cc] = kModRm | kPlain | kRmWrite | kByte | kFlagsRead;    // SETcc
  }
  t[0xa3] = kModRm | kPlain | kRmRead | kRegRead | kFlagsWrite | kFlagsKept;  // BT
  t[0xaf] = kModRm | kSized | kRegBoth | kRmRead | kFlagsWrite;               // IMUL
  t[0xba] = kModRm | kPlain | kGroup | kImm8;                                 // BT, BTS, BTR, BTC
  for (u32 op : {0xb6u, 0xbeu})
    t[op] = kModRm | kSized | kRegWrite | kRmRead | kRmByte;  // MOVZX, MOVSX
  for (u32 op : {0xb7u, 0xbfu}) t[op] = kModRm | kPlain | kRegWrite | kRmRead;
  return t;
}

constexpr Table kOneByte = make_one_byte();
constexpr Table kTwoByte = make_two_byte();

// ROL ROR RCL RCR SHL SHR, SAL as SHL once more, SAR. A rotation keeps flags, and so does any of
// them by CL (0xd3), which may be 0.
u32 shift_row(u8 opcode, u32 which) {
  constexpr u32 kRol = 0, kRor = 1, kRcl = 2, kRcr = 3, kSal = 6;
  if (which == kRcl || which == kRcr || which == kSal) return 0;
  const bool keeps = opcode == 0xd3 || which == kRol || which == kRor;
  return kRmBoth | kFlagsWrite | (keeps ? kFlagsKept : 0);
}

// TEST (twice) NOT NEG MUL IMUL DIV IDIV; the last four of whole registers only.
u32 unary_row(u8 opcode, u32 which, u32 selects) {
  constexpr u32 kTest = 0, kNot = 2, kNeg = 3, kMul = 4, kDiv = 6;
  if (which == kTest) return kRmRead | kFlagsWrite | (opcode == 0xf6 ? kImm8 : kImm32);
  if (which == kNot) return kRmBoth;
  if (which == kNeg) return kRmBoth | kFlagsWrite;
  if (which < kMul || opcode == 0xf6 || selects != kPlain) return 0;
  return kRmRead | kFlagsWrite | kRaxRead | kRaxWrite | kRdxWrite | (which >= kDiv ? kRdxRead : 0);
}

// What an opcode of a group does to r/m, by ModRM's reg; 0 where there is no row. (0xba is the one
// behind 0x0f.)
u32 group_row(u8 opcode, u32 which, u32 selects) {
  switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
      return arithmetic(which, kRmWrite, kRmRead) & ~kClears;
    case 0xc6:
    case 0xc7:
      return which == 0 ? kRmWrite : 0;
    case 0xf6:
    case 0xf7:
      return unary_row(opcode, which, selects);
    case 0xc1:
    case 0xd1:
    case 0xd3:
      return shift_row(opcode, which);
    case 0xba:
      if (which < 4) return 0;
      return kFlagsWrite | kFlagsKept | (which == 4 ? kRmRead : kRmBoth);
    case 0xfe:
    case 0xff:
      return which < 2 ? kRmBoth | kFlagsWrite | kFlagsKept : 0;  // INC, DEC keep CF
  }
  return 0;
}

// Takes bytes off the front; at the end `ok` is false and the bytes are zero.
struct Cursor {
  ByteView bytes;
  usize at = 0;
  bool ok = true;

  u8 peek() const { return at < bytes.size() ? bytes[at] : 0; }
  u8 take() {
    ok &= at < bytes.size();
    return at < bytes.size() ? bytes[at++] : 0;
  }
  void skip(usize count) {
    ok &= count <= bytes.size() - at;
    at = std::min(at + count, bytes.size());
  }
  i64 take_signed(usize size) {
    i8 one = 0;
    i32 four = 0;
    if (size > bytes.size() - at) {
      ok = false;
      return 0;
    }
    std::memcpy(size == 1 ? static_cast<void*>(&one) : &four, bytes.data() + at, size);
    at += size;
    return size == 1 ? one : four;
  }
};

struct Prefixes {
  u32 selects = kPlain;  // or one of kWith66, kWithF2, kWithF3
  u8 rex = 0;
  bool wide() const { return (rex & 8) != 0; }
  u32 reg_high() const { return (rex & 4) != 0 ? 8 : 0; }
  u32 index_high() const { return (rex & 2) != 0 ? 8 : 0; }
  u32 base_high() const { return (rex & 1) != 0 ? 8 : 0; }
};

struct ModRm {
  bool is_register = false;
  u32 reg = 0;  // with REX.R
  u32 rm = 0;   // with REX.B, when it is a register
  RegMask address = 0;
};

Prefixes take_prefixes(Cursor& cursor) {
  Prefixes prefixes;
  switch (cursor.peek()) {
    case 0x66:
      prefixes.selects = kWith66;
      break;
    case 0xf2:
      prefixes.selects = kWithF2;
      break;
    case 0xf3:
      prefixes.selects = kWithF3;
      break;
    default:
      break;
  }
  if (prefixes.selects != kPlain) cursor.take();
  if ((cursor.peek() & 0xf0) == 0x40) prefixes.rex = cursor.take();
  return prefixes;
}

ModRm take_modrm(Cursor& cursor, const Prefixes& prefixes) {
  constexpr u32 kSib = 4, kNoIndex = 4, kNoBase = 5;
  ModRm out;
  const u32 modrm = cursor.take();
  const u32 mod = modrm >> 6, rm = modrm & 7;
  out.reg = ((modrm >> 3) & 7) | prefixes.reg_high();
  if (mod == 3) {
    out.is_register = true;
    out.rm = rm | prefixes.base_high();
    return out;
  }
  u32 base = rm;
  if (rm == kSib) {
    const u32 sib = cursor.take();
    base = sib & 7;
    const u32 index = ((sib >> 3) & 7) | prefixes.index_high();
    if (index != kNoIndex) out.address |= 1u << index;
  }
  const bool has_base = mod != 0 || base != kNoBase;  // else an absolute or RIP-relative address
  if (has_base) out.address |= 1u << (base | prefixes.base_high());
  cursor.skip(mod == 1 ? 1 : mod == 2 || !has_base ? 4 : 0);
  return out;
}

// AH, CH, DH and BH are the numbers 4 to 7 of bytes where there is no REX.
RegMask mask_of(u32 reg, bool is_byte, const Prefixes& prefixes) {
  return 1u << (is_byte && prefixes.rex == 0 && reg >= 4 ? reg - 4 : reg);
}

void add_operand(Brief& brief, RegMask mask, bool reads, bool writes, bool is_partial) {
  if (reads || (writes && is_partial)) brief.reads |= mask;
  if (writes) brief.writes |= mask;
}

void add_effects(Brief& brief, u32 does, const ModRm& modrm, const Prefixes& prefixes) {
  const bool reg_is_byte = (does & kByte) != 0;
  const bool rm_is_byte = (does & (kByte | kRmByte)) != 0;
  const bool is_short = prefixes.selects == kWith66 && !prefixes.wide() && (does & kWith66) != 0;
  brief.reads |= modrm.address;
  if ((does & kFlagsRead) != 0) brief.reads |= kFlagsBit;
  if ((does & kFlagsWrite) != 0) brief.writes |= kFlagsBit;
  if ((does & kFlagsKept) != 0) brief.writes |= kFlagsKeptBit;
  add_operand(brief, bit(kRax), (does & kRaxRead) != 0, (does & kRaxWrite) != 0, false);
  add_operand(brief, bit(kRdx), (does & kRdxRead) != 0, (does & kRdxWrite) != 0, false);
  add_operand(brief, bit(kRcx), (does & kRcxRead) != 0, false, false);
  if ((does & kVector) != 0) return;
  const RegMask reg = mask_of(modrm.reg, reg_is_byte, prefixes);
  const RegMask rm = modrm.is_register ? mask_of(modrm.rm, rm_is_byte, prefixes) : 0;
  const bool clears = (does & kClears) != 0 && rm == reg && !reg_is_byte && !is_short;
  if ((does & kRegVector) == 0)
    add_operand(brief, reg, (does & kRegRead) != 0 && !clears, (does & kRegWrite) != 0,
                reg_is_byte || is_short);
  add_operand(brief, rm, (does & kRmRead) != 0 && !clears, (does & kRmWrite) != 0,
              rm_is_byte || is_short);
}

void add_push_or_pop(Brief& brief) {
  brief.reads |= bit(kRsp);
  brief.writes |= bit(kRsp);
}

constexpr u8 kNop = 0x90, kCdq = 0x99;

// One-byte opcodes without ModRM. False: not one of them.
bool decode_short(u8 opcode, const Prefixes& prefixes, Cursor& cursor, Brief& brief) {
  const bool has_rex = prefixes.rex != 0;
  if (prefixes.selects == kWith66 && !has_rex) return opcode == kNop;
  if (prefixes.selects != kPlain) return false;
  const RegMask low = 1u << ((opcode & 7) | prefixes.base_high());
  i64 relative = 0;
  if (opcode == kCdq) {
    brief.reads |= bit(kRax);
    brief.writes |= bit(kRdx);
    return true;
  }
  switch (opcode >> 3) {
    case 0x50 >> 3:
      add_push_or_pop(brief);
      brief.reads |= low;
      return true;
    case 0x58 >> 3:
      add_push_or_pop(brief);
      brief.writes |= low;
      return true;
    case 0xb8 >> 3:
      brief.writes |= low;
      cursor.skip(prefixes.wide() ? 8 : 4);
      return true;
    default:
      break;
  }
  if (has_rex) return false;
  if ((opcode & 0xf0) == 0x70) {
    brief.flow = Flow::kJcc;
    brief.cond = static_cast<Cond>(opcode & 0xf);
    brief.reads |= kFlagsBit;
    relative = cursor.take_signed(1);
  } else if (opcode == 0xe8) {
    brief.flow = Flow::kCall;
    add_push_or_pop(brief);
    relative = cursor.take_signed(4);
  } else if (opcode == 0xe9 || opcode == 0xeb) {
    brief.flow = Flow::kJmp;
    relative = cursor.take_signed(opcode == 0xe9 ? 4 : 1);
  } else if (opcode == 0xc3) {
    brief.flow = Flow::kRet;
    add_push_or_pop(brief);
    return true;
  } else {
    return opcode == kNop;
  }
  brief.target = brief.addr + (cursor.at + static_cast<u64>(relative));
  return true;
}

// CALL and JMP through r/m, PUSH r/m: rows of the group of 0xff with a control flow or a stack of
// their own.
bool add_group_ff(u32 which, Brief& brief) {
  constexpr u32 kCall = 2, kJmp = 4, kPush = 6;
  if (which == kCall) brief.flow = Flow::kCall;
  if (which == kJmp) brief.flow = Flow::kJmpIndirect;
  if (which == kCall || which == kPush) add_push_or_pop(brief);
  return which == kCall || which == kJmp || which == kPush;
}

bool decode_with_modrm(u8 opcode, u32 does, const Prefixes& prefixes, Cursor& cursor,
                       Brief& brief) {
  if ((does & kModRm) == 0 || (does & prefixes.selects) == 0) return false;
  const ModRm modrm = take_modrm(cursor, prefixes);
  if ((does & kOnlyMemory) != 0 && modrm.is_register) return false;
  if ((does & kGroup) != 0) {
    const u32 which = modrm.reg & 7;
    u32 row = group_row(opcode, which, prefixes.selects);
    if (row == 0 && opcode == 0xff && prefixes.selects == kPlain && add_group_ff(which, brief))
      row = kRmRead;
    if (row == 0) return false;
    does |= row;
  }
  add_effects(brief, does, modrm, prefixes);
  if ((does & kImm8) != 0) cursor.skip(1);
  if ((does & kImm32) != 0) cursor.skip(prefixes.selects == kWith66 && !prefixes.wide() ? 2 : 4);
  return true;
}

bool decode_from_tables(Cursor& cursor, Brief& brief) {
  const Prefixes prefixes = take_prefixes(cursor);
  u8 opcode = cursor.take();
  if (opcode != 0x0f) {
    return decode_short(opcode, prefixes, cursor, brief) ||
           decode_with_modrm(opcode, kOneByte[opcode], prefixes, cursor, brief);
  }
  opcode = cursor.take();
  if ((opcode & 0xf0) == 0x80 && prefixes.selects == kPlain && prefixes.rex == 0) {
    brief.flow = Flow::kJcc;
    brief.cond = static_cast<Cond>(opcode & 0xf);
    brief.reads |= kFlagsBit;
    const i64 relative = cursor.take_signed(4);
    brief.target = brief.addr + (cursor.at + static_cast<u64>(relative));
    return true;
  }
  return decode_with_modrm(opcode, kTwoByte[opcode], prefixes, cursor, brief);
}

}  // namespace

std::optional<Brief> decode_brief(ByteView bytes, ImageAddr addr) {
  std::optional<Brief> brief(std::in_place);
  brief->addr = addr;
  Cursor cursor{bytes};
  if (decode_from_tables(cursor, *brief) && cursor.ok) {
    brief->length = static_cast<u8>(cursor.at);
    return brief;
  }
  std::optional<Insn> insn = decode(bytes, addr);
  if (!insn) return std::nullopt;
  brief =
      Brief{addr, insn->target, insn->reads, insn->writes, insn->length, insn->flow, insn->cond};
  return brief;
}

}  // namespace geist::x86
