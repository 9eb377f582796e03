// See inlined_bodies.h. Each piece of code belongs to the innermost call that was inlined there; the
// calls around it are found by the inline tree, and a body is all pieces that lie in its call.
#include "program/inlined_bodies.h"

#include <algorithm>
#include <map>

namespace geist::program {
namespace {

// The compiler's inlining budget keeps real trees far below this; a damaged one may go in circles.
constexpr usize kMaxDepth = 512;

// The calls of one function's inline tree, each looked up once.
class InlineTree {
 public:
  InlineTree(const read::Pclntab& functions, const read::Function& function)
      : functions_(functions), function_(function) {}

  const read::InlinedCall* find(u32 call) {
    auto [at, is_new] = calls_.try_emplace(call);
    if (is_new) at->second = functions_.find_inlined_call(function_, call);
    return at->second ? &*at->second : nullptr;
  }

 private:
  const read::Pclntab& functions_;
  const read::Function& function_;
  std::map<u32, std::optional<read::InlinedCall>> calls_;
};

void add_range(InlinedBody& body, const read::InlinedPiece& piece) {
  if (!body.ranges.empty() && body.ranges.back().end == piece.begin)
    body.ranges.back().end = piece.end;
  else
    body.ranges.push_back({piece.begin, piece.end});
}

void find_in_function(const read::GoBinary& binary, const read::Function& function,
                      const std::function<bool(std::string_view)>& wants,
                      std::vector<InlinedBody>& out) {
  const std::vector<read::InlinedPiece> pieces = binary.pclntab().inlined_pieces(function);
  if (pieces.empty()) return;
  InlineTree tree(binary.pclntab(), function);
  std::map<u32, usize> bodies;  // by call: where in out
  for (const read::InlinedPiece& piece : pieces) {
    std::optional<u32> call = piece.call;
    for (usize depth = 0; call && depth < kMaxDepth; ++depth) {
      const read::InlinedCall* inlined = tree.find(*call);
      if (inlined == nullptr) break;
      if (wants(inlined->function)) {
        auto [at, is_new] = bodies.try_emplace(*call, out.size());
        if (is_new) out.push_back({function.index, inlined->function, {}});
        add_range(out[at->second], piece);
      }
      call = inlined->parent;
    }
  }
}

// The blocks that are reached from the function's begin without going through `without`.
std::vector<bool> reach(const FunctionCode& code, u32 without) {
  std::vector<bool> reached(code.blocks().size());
  std::vector<u32> open;
  auto add = [&](u32 block) {
    if (block == without || reached[block]) return;
    reached[block] = true;
    open.push_back(block);
  };
  add(0);
  while (!open.empty()) {
    const u32 block = open.back();
    open.pop_back();
    for (u32 next : code.blocks()[block].succs) add(next);
  }
  return reached;
}

}  // namespace

bool fits_pattern(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

std::vector<InlinedBody> find_inlined_bodies(const read::GoBinary& binary,
                                             std::string_view pattern) {
  return find_inlined_bodies(
      binary, [&](std::string_view name) { return fits_pattern(name, pattern); });
}

std::vector<InlinedBody> find_inlined_bodies(const read::GoBinary& binary,
                                             const std::function<bool(std::string_view)>& wants) {
  std::vector<InlinedBody> bodies;
  for (u32 i = 0; i < binary.pclntab().function_count(); ++i)
    find_in_function(binary, binary.pclntab().function(read::FuncIndex{i}), wants, bodies);
  return bodies;
}

std::optional<u32> find_body_entry(const FunctionCode& code, const InlinedBody& body) {
  std::vector<u32> firsts;  // of each block that has a part of the body, its first instruction
  for (const CodeRange& range : body.ranges) {
    for (u32 i = code.first_insn_from(range.begin);
         i < code.briefs().size() && code.briefs()[i].addr < range.end; ++i) {
      if (firsts.empty() || code.block_of(firsts.back()) != code.block_of(i)) firsts.push_back(i);
    }
  }
  const bool knows_jumps =
      std::ranges::none_of(code.blocks(), [](const Block& block) { return block.unknown_succs; });
  if (!knows_jumps) return std::nullopt;
  for (u32 first : firsts) {
    const std::vector<bool> others = reach(code, code.block_of(first));
    auto is_before = [&](u32 other) { return !others[code.block_of(other)]; };
    if (std::ranges::all_of(firsts, is_before)) return first;
  }
  return std::nullopt;
}

}  // namespace geist::program
