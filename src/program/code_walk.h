// The ways onward from an instruction of a function, each with the symbols of the way that led to
// it.
#pragma once

#include <functional>
#include <vector>

#include "program/code.h"
#include "program/symbolic.h"

namespace geist::program {

// What a call does to the registers of its caller, told by the callee's entry; 0 is a call through
// a register.
enum class Callee : u8 {
  kGo,              // takes its arguments in registers and uses all of them for itself
  kRuntime,         // likewise; but what stands beside a pointer need not be a slice's length
  kKeepsRegisters,  // a helper outside Go's calling convention: the write barrier's
  kNeverReturns,    // it panics: what stands behind the call is reached by other ways only
};
using Callees = std::function<Callee(ImageAddr)>;
// As the names of a binary, which must outlive it, tell.
Callees callees_of(const read::GoBinary& binary);

// Calls `look` with every instruction on the ways from `start` on, before it is executed; true when
// `look` is once. `state` is the one in front of `start`.
class CodeWalk {
 public:
  using Look = std::function<bool(u32 insn, SymbolicState& state)>;
  CodeWalk(const FunctionCode& code, const Callees& callees) : code_(code), callees_(callees) {}

  bool run(u32 start, SymbolicState state, const Look& look) const;

 private:
  struct Way {
    u32 first;  // instruction
    SymbolicState state;
  };
  bool run_block(Way& way, const Look& look) const;

  const FunctionCode& code_;
  const Callees& callees_;
};

}  // namespace geist::program
