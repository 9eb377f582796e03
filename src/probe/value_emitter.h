// Values of a site, computed into registers by a trampoline. What derives from it says which
// registers may be used.
#pragma once

#include "base/address.h"
#include "program/value_location.h"
#include "x86/assembler.h"

namespace geist::probe {

inline bool fits32(i64 value) {
  return value == static_cast<i32>(value);
}

class ValueEmitter {
 public:
  ValueEmitter(x86::Assembler& as, LoadBias bias) : as_(as), bias_(bias) {}

 protected:
  x86::MemRef stack(i64 disp) const { return {.base = x86::kRsp, .disp = disp + pushed_bytes_}; }
  // to := value of the location; may use nothing but `to`.
  void load(x86::Reg to, const program::ValueLocation& from);
  void subtract(x86::Reg from, x86::Reg scratch, const program::ValueLocation& what);
  void multiply(x86::Reg reg, u64 factor);

  x86::Assembler& as_;
  LoadBias bias_;
  i64 pushed_bytes_ = 0;  // below SP as the site has it
};

}  // namespace geist::probe
