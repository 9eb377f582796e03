// The walk behind header_flow.h: blocks from the start on, each with the symbols of the way that
// led to it.
#include "program/header_flow.h"

#include "program/go_abi.h"
#include "program/symbolic.h"

namespace geist::program {
namespace {

using x86::Flow;

constexpr u32 kMaxBlocks = 64;
constexpr u8 kMaxVisits =
    2;  // of a block: where two ways meet, the header may have come along on one only

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

struct Way {
  u32 block;
  SymbolicState state;
};

class HeaderFlow {
 public:
  HeaderFlow(const FunctionCode& code, const std::function<bool(ImageAddr)>& keeps_registers)
      : code_(code), keeps_registers_(keeps_registers) {}

  bool search(u32 start, const ValueLocation& ptr, const ValueLocation& len) {
    SymbolicState state(table_, SymbolicState::Frame::kPrivate);
    std::optional<Expr> p = value_of(state, ptr), l = value_of(state, len);
    if (!p || !l || p->is_constant()) return false;
    ptr_ = *p;
    len_ = *l;
    std::vector<u8> visits(code_.blocks().size());
    std::vector<Way> open{{start, std::move(state)}};
    for (u32 looked_at = 0; !open.empty() && looked_at < kMaxBlocks; ++looked_at) {
      Way way = std::move(open.back());
      open.pop_back();
      if (run(way)) return true;
      for (u32 next : code_.blocks()[way.block].succs) {
        if (visits[next] == kMaxVisits || code_.starts_anew(way.block)) continue;
        ++visits[next];
        open.push_back({next, way.state});
      }
    }
    return false;
  }

 private:
  bool run(Way& way) const {
    const Block& block = code_.blocks()[way.block];
    for (u32 i = block.first; i <= block.last; ++i) {
      const x86::Brief& brief = code_.briefs()[i];
      if (brief.flow != Flow::kCall) {
        way.state.execute(code_.insn(i));
        continue;
      }
      if (keeps_registers_(brief.target)) continue;
      if (takes_header(way.state)) return true;
      way.state.call();
    }
    return false;
  }

  bool takes_header(const SymbolicState& state) const {
    for (usize i = 0; i + 1 < kIntegerArguments.size(); ++i) {
      if (state.reg(kIntegerArguments[i]) == ptr_ && state.reg(kIntegerArguments[i + 1]) == len_)
        return true;
    }
    return false;
  }

  const FunctionCode& code_;
  const std::function<bool(ImageAddr)>& keeps_registers_;
  SymbolTable table_;
  Expr ptr_, len_;
};

}  // namespace

bool hands_header_on(const FunctionCode& code, ImageAddr from, const ValueLocation& ptr,
                     const ValueLocation& len,
                     const std::function<bool(ImageAddr)>& keeps_registers) {
  std::optional<u32> start = code.find_block(from);
  return start && HeaderFlow(code, keeps_registers).search(*start, ptr, len);
}

}  // namespace geist::program
