#include "program/code_walk.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace geist::program {
namespace {

using x86::Flow;

constexpr u32 kMaxBlocks = 64;
constexpr u8 kMaxVisits =
    2;  // of a block: where two ways meet, the header may have come along on one only

// What the compiler calls where the language says that there is a panic. Source: runtime/panic.go,
// go1.21 to go1.27.
bool never_returns(std::string_view name) {
  constexpr std::array<std::string_view, 6> kPrefixes{
      "runtime.goPanic",     "runtime.panicIndex",   "runtime.panicSlice",
      "runtime.panicBounds", "runtime.panicdottype", "runtime.panicnildottype"};
  if (name == "runtime.gopanic" || name == "runtime.panicdivide" || name == "runtime.panicshift")
    return true;
  return std::ranges::any_of(kPrefixes, [&](std::string_view p) { return name.starts_with(p); });
}

Callee callee_of(const read::GoBinary& binary, ImageAddr entry) {
  const std::optional<read::Function> function = binary.pclntab().find_function(entry);
  if (!function || !function->name.starts_with("runtime.")) return Callee::kGo;
  if (function->name.starts_with("runtime.gcWriteBarrier")) return Callee::kKeepsRegisters;
  if (never_returns(function->name)) return Callee::kNeverReturns;
  // What puts a value into an interface takes it as any function of Go's does.
  return function->name.starts_with("runtime.convT") ? Callee::kGo : Callee::kRuntime;
}

}  // namespace

Callees callees_of(const read::GoBinary& binary) {
  return [&binary](ImageAddr entry) { return callee_of(binary, entry); };
}

bool CodeWalk::run(u32 start, SymbolicState state, const Look& look) const {
  std::vector<u8> visits(code_.blocks().size());
  std::vector<Way> open{{start, std::move(state)}};
  for (u32 looked_at = 0; !open.empty() && looked_at < kMaxBlocks; ++looked_at) {
    Way way = std::move(open.back());
    open.pop_back();
    if (run_block(way, look)) return true;
    const u32 block = code_.block_of(way.first);
    for (u32 next : code_.blocks()[block].succs) {
      if (visits[next] == kMaxVisits || code_.starts_anew(block)) continue;
      ++visits[next];
      open.push_back({code_.blocks()[next].first, way.state});
    }
  }
  return false;
}

bool CodeWalk::run_block(Way& way, const Look& look) const {
  const u32 last = code_.blocks()[code_.block_of(way.first)].last;
  for (u32 i = way.first; i <= last; ++i) {
    const x86::Brief& brief = code_.briefs()[i];
    const bool is_call = brief.flow == Flow::kCall;
    if (is_call && callees_(brief.target) == Callee::kKeepsRegisters) continue;
    if (look(i, way.state)) return true;
    if (is_call)
      way.state.call();
    else
      way.state.execute(code_.insn(i));
  }
  return false;
}

}  // namespace geist::program
