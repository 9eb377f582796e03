#include "program/header_flow.h"

#include "program/go_abi.h"
#include "program/symbolic.h"

namespace geist::program {
namespace {

std::optional<Expr> value_of(SymbolicState& state, const ValueLocation& location) {
  using Kind = ValueLocation::Kind;
  const Expr addend{location.addend, {}};
  switch (location.kind) {
    case Kind::kConstant:
      return addend;
    case Kind::kRegister:
      return add(state.reg(location.reg), addend);
    case Kind::kStackSlot:
      return add(state.slot(location.disp), addend);
    default:
      return std::nullopt;
  }
}

bool takes_header(const SymbolicState& state, const Expr& ptr, const Expr& len) {
  for (usize i = 0; i + 1 < kIntegerArguments.size(); ++i) {
    if (state.reg(kIntegerArguments[i]) == ptr && state.reg(kIntegerArguments[i + 1]) == len)
      return true;
  }
  return false;
}

}  // namespace

bool hands_header_on(const FunctionCode& code, ImageAddr from, const ValueLocation& ptr,
                     const ValueLocation& len, const Callees& callees) {
  const std::optional<u32> start = code.find_insn(from);
  if (!start) return false;
  SymbolTable table;
  SymbolicState state(table, SymbolicState::Frame::kPrivate);
  const std::optional<Expr> p = value_of(state, ptr), l = value_of(state, len);
  if (!p || !l || p->is_constant()) return false;
  return CodeWalk(code, callees).run(*start, state, [&](u32 insn, SymbolicState& at) {
    return code.briefs()[insn].flow == x86::Flow::kCall && takes_header(at, *p, *l);
  });
}

}  // namespace geist::program
