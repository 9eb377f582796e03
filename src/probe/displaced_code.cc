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

bool emit_displaced(x86::Assembler& as, const DisplacedCode& code, usize first, usize end,
                    LoadBias bias) {
  for (usize i = first; i < end; ++i) {
    const x86::Insn& insn = code.insns[i];
    switch (insn.flow) {
      case x86::Flow::kJcc:
        as.jcc_to(insn.cond, bias.to_target(insn.target).value);
        continue;
      case x86::Flow::kJmp:
        as.jmp_to(bias.to_target(insn.target).value);
        return true;
      case x86::Flow::kRet:
        as.append_bytes(code.bytes_of(insn));
        return true;
      default:
        break;
    }
    x86::Insn moved = insn;
    moved.addr = ImageAddr(bias.to_target(insn.addr).value);
    std::optional<std::vector<u8>> relocated = x86::relocate(code.bytes_of(insn), moved, as.here());
    if (!relocated) return false;
    as.append_bytes(*relocated);
  }
  return true;
}

}  // namespace geist::probe
