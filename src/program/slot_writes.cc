// What an instruction names of a frame, asked forwards (may it be written, or read?) and backwards
// (who wrote it last?) over the control-flow graph.
#include "program/slot_writes.h"

#include <algorithm>

namespace geist::program {
bool writes_slot(const x86::Insn& insn, i64 slot) {
  const x86::Operand& target = insn.operands[0];
  if (!insn.writes_memory || target.kind != x86::Operand::Kind::kMem ||
      target.mem.base != x86::kRsp)
    return false;
  constexpr i64 kWordBytes = 8;
  // An element of an array on the stack: at or behind the displacement.
  if (target.mem.index != x86::kNoReg) return target.mem.disp < slot + kWordBytes;
  return target.mem.disp < slot + kWordBytes && target.mem.disp + target.size_bits / 8 > slot;
}

bool may_write_slot(const FunctionCode& code, ImageAddr from, i64 slot) {
  std::optional<u32> start = code.find_insn(from);
  if (!start) return true;
  std::vector<bool> is_seen(code.blocks().size());
  std::vector<u32> open;
  // Of the first block only what is behind the start; all of it when a loop leads back.
  auto scan = [&](u32 block, u32 first) {
    const Block& b = code.blocks()[block];
    for (u32 i = first; i <= b.last; ++i) {
      if (writes_slot(code.insn(i), slot)) return true;
    }
    // Behind a call that panics the code seems to go on, into the next such call and in the end
    // into the prologue's.
    for (u32 next : b.succs) {
      if (is_seen[next] || code.starts_anew(block)) continue;
      is_seen[next] = true;
      open.push_back(next);
    }
    return b.unknown_succs;
  };
  if (scan(code.block_of(*start), *start)) return true;
  while (!open.empty()) {
    u32 block = open.back();
    open.pop_back();
    if (scan(block, code.blocks()[block].first)) return true;
  }
  return false;
}

namespace {

enum class Touch : u8 { kNone, kRead, kWritten };

// An address that is taken may be that of a variable which the word is a part of.
Touch touch_of(const x86::Insn& insn, i64 slot) {
  constexpr i64 kWordBytes = 8;
  bool is_written = false;
  for (usize k = 0; k < insn.operand_count; ++k) {
    const x86::Operand& operand = insn.operands[k];
    if (operand.kind != x86::Operand::Kind::kMem || operand.mem.base != x86::kRsp) continue;
    const i64 begin = operand.mem.disp, end = begin + operand.size_bits / 8;
    if (insn.op == x86::Op::kLea || operand.mem.index != x86::kNoReg || insn.rep) {
      if (begin < slot + kWordBytes) return Touch::kRead;
      continue;
    }
    if (begin >= slot + kWordBytes || end <= slot) continue;
    const bool is_store = k == 0 && insn.op == x86::Op::kMov && insn.writes_memory;
    if (!is_store) return Touch::kRead;
    is_written = begin <= slot && end >= slot + kWordBytes;
  }
  return is_written ? Touch::kWritten : Touch::kNone;
}

}  // namespace

bool may_read_slot(const FunctionCode& code, ImageAddr from, i64 slot) {
  const std::optional<u32> start = code.find_insn(from);
  if (!start) return true;
  std::vector<bool> is_seen(code.blocks().size());
  std::vector<std::pair<u32, u32>> open{{code.block_of(*start), *start}};
  while (!open.empty()) {
    const auto [block, first] = open.back();
    open.pop_back();
    const Block& b = code.blocks()[block];
    Touch touch = Touch::kNone;
    for (u32 i = first; i <= b.last && touch == Touch::kNone; ++i) {
      if ((code.briefs()[i].reads & x86::bit(x86::kRsp)) != 0) touch = touch_of(code.insn(i), slot);
    }
    if (touch == Touch::kRead || b.unknown_succs) return true;
    if (touch == Touch::kWritten || code.starts_anew(block)) continue;
    for (u32 next : b.succs) {
      if (is_seen[next]) continue;
      is_seen[next] = true;
      open.emplace_back(next, code.blocks()[next].first);
    }
  }
  return false;
}

std::optional<std::vector<u32>> find_writers(const FunctionCode& code, u32 at,
                                             const std::function<bool(u32 insn)>& writes) {
  constexpr usize kMaxBlocks = 64;
  std::vector<u32> writers;
  std::vector<bool> is_seen(code.blocks().size());
  std::vector<u32> open;
  // False where the function begins and nobody has written.
  auto scan = [&](u32 block, u32 end) {
    for (u32 i = end; i-- > code.blocks()[block].first;) {
      if (!writes(i)) continue;
      if (std::ranges::find(writers, i) == writers.end()) writers.push_back(i);
      return true;
    }
    if (block == 0) return false;
    for (u32 before : code.blocks()[block].preds) {
      if (is_seen[before]) continue;
      is_seen[before] = true;
      open.push_back(before);
    }
    return true;
  };
  if (!scan(code.block_of(at), at)) return std::nullopt;
  for (usize looked_at = 0; !open.empty(); ++looked_at) {
    const u32 block = open.back();
    open.pop_back();
    if (looked_at == kMaxBlocks || !scan(block, code.blocks()[block].last + 1)) return std::nullopt;
  }
  return writers;
}

}  // namespace geist::program
