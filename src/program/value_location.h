// A place that trampolines, judges and tables can all name.
#pragma once

#include "base/ints.h"
#include "x86/insn.h"

namespace geist::program {

// Where a value is at an instruction: base + addend, the base one of these.
struct ValueLocation {
  enum class Kind : u8 {
    kConstant,       // addend alone
    kRegister,       // reg
    kStackSlot,      // [rsp + disp]
    kMemory,         // [reg + disp]
    kMemoryViaSlot,  // [[rsp + slot] + disp]
    kGlobal,         // [image address disp]
    kImageAddress,   // the linked address disp itself
  } kind = Kind::kConstant;
  x86::Reg reg = x86::kNoReg;
  i64 disp = 0;
  i64 slot = 0;
  i64 addend = 0;
  bool operator==(const ValueLocation&) const = default;
};

}  // namespace geist::program
