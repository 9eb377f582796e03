// See displace.h. Source of the nil-check rule: cmd/compile/internal/ssa/nilcheck.go (an access at
// an offset below 4096 serves as the nil check of its base).
#include "program/displace.h"

#include <algorithm>

namespace geist::program {
namespace {

using x86::Flow;
using x86::Insn;
using x86::Operand;

constexpr u32 kMaxChain = 6;  // blocks looked back through single predecessors

const Operand* memory_operand(const Insn& insn) {
  if (!insn.reads_memory && !insn.writes_memory) return nullptr;
  for (u8 i = 0; i < insn.operand_count; ++i) {
    if (insn.operands[i].kind == Operand::Kind::kMem) return &insn.operands[i];
  }
  return nullptr;
}

// Has [base] been accessed on the way to instruction `insn` with base unchanged since?
bool was_dereferenced(const FunctionCode& code, u32 insn, x86::Reg base) {
  u32 block = code.block_of(insn);
  u32 i = insn;
  for (u32 chain = 0; chain < kMaxChain; ++chain) {
    while (i-- > code.blocks()[block].first) {
      const x86::Brief& before = code.briefs()[i];
      bool writes_base = (before.writes & x86::bit(base)) != 0 || before.flow == Flow::kCall;
      if (writes_base) return false;
      if ((before.reads & x86::bit(base)) == 0) continue;
      const Operand* memory = memory_operand(code.insn(i));
      if (memory != nullptr && memory->mem.base == base && memory->mem.index == x86::kNoReg)
        return true;
    }
    const std::span<const u32> preds = code.blocks()[block].preds;
    if (preds.size() != 1) return false;
    block = preds[0];
    i = code.blocks()[block].last + 1;
  }
  return false;
}

bool can_move(const FunctionCode& code, u32 insn, Refusal* why) {
  const Insn& i = code.insn(insn);
  if (i.flow != Flow::kNext || i.op == x86::Op::kPush || i.op == x86::Op::kPop) {
    *why = Refusal::kNoRoom;
    return false;
  }
  if (may_fault(code, insn)) {
    *why = Refusal::kMayFault;
    return false;
  }
  return true;
}

Displaced make(const FunctionCode& code, u32 first, u32 last) {
  return {code.briefs()[first].addr, code.briefs()[last].end()};
}

}  // namespace

bool may_fault(const FunctionCode& code, u32 insn) {
  const Insn& i = code.insn(insn);
  if (!i.reads_memory && !i.writes_memory) return false;
  if (i.op == x86::Op::kPush || i.op == x86::Op::kPop) return false;  // the stack is there
  const Operand* memory = memory_operand(i);
  if (memory == nullptr) return true;  // string instructions and the like
  const x86::Mem& mem = memory->mem;
  if (mem.rip_relative || mem.base == x86::kRsp || mem.index != x86::kNoReg ||
      mem.base == x86::kR14)
    return false;
  if (mem.segment || mem.base == x86::kNoReg) return true;
  return !was_dereferenced(code, insn, mem.base);
}

std::optional<Displaced> displace_around(const FunctionCode& code, u32 branch, Refusal* why) {
  const Block& block = code.blocks()[code.block_of(branch)];
  *why = Refusal::kNoRoom;
  u32 first = branch;
  auto room = [&](u32 last) {
    return code.briefs()[last].end() - code.briefs()[first].addr >= kJmpBytes;
  };
  while (!room(branch) && first > block.first && can_move(code, first - 1, why)) --first;
  if (room(branch)) return make(code, first, branch);
  // Take instructions behind the branch too, if only the branch falls into them.
  u32 last = branch;
  if (branch + 1 >= code.briefs().size()) return std::nullopt;
  const Block& next = code.blocks()[code.block_of(branch + 1)];
  if (next.first != branch + 1 || next.preds.size() != 1) return std::nullopt;
  while (!room(last) && last < next.last && can_move(code, last + 1, why)) ++last;
  if (!room(last)) return std::nullopt;
  return make(code, first, last);
}

std::optional<Displaced> displace_before_ret(const FunctionCode& code, u32 ret) {
  const Block& block = code.blocks()[code.block_of(ret)];
  u32 first = ret;
  while (code.briefs()[ret].end() - code.briefs()[first].addr < kJmpBytes) {
    if (first == block.first) return std::nullopt;
    const x86::Brief& before = code.briefs()[first - 1];
    if (before.flow != Flow::kNext || may_fault(code, first - 1)) return std::nullopt;
    --first;
  }
  return make(code, first, ret);
}

std::optional<Displaced> displace_behind_call(const FunctionCode& code, u32 call) {
  const u32 first = call + 1;
  if (first >= code.briefs().size()) return std::nullopt;
  const Block& block = code.blocks()[code.block_of(first)];
  Refusal why{};
  for (u32 last = first; last <= block.last && can_move(code, last, &why); ++last) {
    if (code.briefs()[last].end() - code.briefs()[first].addr >= kJmpBytes)
      return make(code, first, last);
  }
  return std::nullopt;
}

std::optional<Displaced> displace_entry(const FunctionCode& code) {
  const Block& block = code.blocks()[0];
  for (u32 last = block.first; last <= block.last; ++last) {
    if (code.briefs()[last].flow != Flow::kNext || may_fault(code, last)) return std::nullopt;
    if (code.briefs()[last].end() - code.briefs()[0].addr >= kJmpBytes) return make(code, 0, last);
  }
  return std::nullopt;
}

}  // namespace geist::program
