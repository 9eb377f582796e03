#include "probe/displaced_code.h"

namespace geist::probe {
namespace {

constexpr u64 kMaxDisplacedBytes =
    64;  // 5 bytes and what whole instructions at both ends add, generously

}  // namespace

std::optional<DisplacedCode> read_displaced(const read::Image& image, program::Displaced range) {
  if (range.begin >= range.end || range.end - range.begin > kMaxDisplacedBytes) return std::nullopt;
  u64 size = range.end - range.begin;
  std::optional<ByteView> bytes = image.find_bytes(range.begin, size);
  if (!bytes || size < program::kJmpBytes) return std::nullopt;
  DisplacedCode code{range, *bytes, {}};
  for (u64 offset = 0; offset < size;) {
    std::optional<x86::Insn> insn = x86::decode(bytes->subspan(offset), range.begin + offset);
    if (!insn) return std::nullopt;
    code.insns.push_back(*insn);
    offset += insn->length;
  }
  return code;
}

std::optional<usize> find_branch(const DisplacedCode& code, const sites::AppendSite& site) {
  for (usize i = 0; i < code.insns.size(); ++i) {
    const x86::Insn& insn = code.insns[i];
    if (insn.addr != site.branch) continue;
    bool to_inplace = site.inplace_is_taken;
    x86::Cond cond = to_inplace ? x86::negate(insn.cond) : insn.cond;
    ImageAddr grow = to_inplace ? insn.end() : insn.target;
    ImageAddr inplace = to_inplace ? insn.target : insn.end();
    bool agrees = insn.flow == x86::Flow::kJcc && cond == site.grow_cond &&
                  grow == site.grow_entry && inplace == site.inplace_entry;
    if (!agrees) return std::nullopt;
    return i;
  }
  return std::nullopt;
}

}  // namespace geist::probe
