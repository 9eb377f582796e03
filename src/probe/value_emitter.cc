#include "probe/value_emitter.h"

namespace geist::probe {

using program::ValueLocation;
using x86::MemRef;
using x86::Reg;
using LocationKind = ValueLocation::Kind;

void ValueEmitter::load(Reg to, const ValueLocation& from) {
  switch (from.kind) {
    case LocationKind::kConstant:
      as_.mov_imm(to, from.addend);
      return;
    case LocationKind::kRegister:
      if (fits32(from.addend)) {
        as_.lea(to, {.base = from.reg, .disp = from.addend});
        return;
      }
      as_.mov_imm(to, from.addend);
      as_.add(to, from.reg);
      return;
    case LocationKind::kStackSlot:
      as_.mov(to, stack(from.disp));
      break;
    case LocationKind::kMemory:
      as_.mov(to, MemRef{.base = from.reg, .disp = from.disp});
      break;
    case LocationKind::kMemoryViaSlot:
      as_.mov(to, stack(from.slot));
      as_.mov(to, MemRef{.base = to, .disp = from.disp});
      break;
    case LocationKind::kGlobal:
      as_.mov(to, MemRef{.disp = static_cast<i64>(static_cast<u64>(from.disp) + bias_.bytes),
                         .absolute = true});
      break;
    case LocationKind::kImageAddress:
      as_.lea(to, {.disp = static_cast<i64>(static_cast<u64>(from.disp) + bias_.bytes),
                   .absolute = true});
      break;
  }
  if (from.addend != 0) as_.add_imm(to, from.addend);
}

void ValueEmitter::subtract(Reg from, Reg scratch, const ValueLocation& what) {
  if (what.kind == LocationKind::kConstant) {
    if (what.addend != 0) as_.add_imm(from, -what.addend);
    return;
  }
  load(scratch, what);
  as_.sub(from, scratch);
}

void ValueEmitter::multiply(Reg reg, u64 factor) {
  if (factor == 1) return;
  if ((factor & (factor - 1)) == 0)
    as_.shl(reg, static_cast<u8>(__builtin_ctzll(factor)));
  else
    as_.imul_imm(reg, static_cast<i64>(factor));
}

}  // namespace geist::probe
