// See stack_check.h. A chain of nosplit functions is followed upwards, level by level, until every
// way ends at a function with a check; the longest way counts.
#include "program/stack_check.h"

#include <algorithm>

#include "program/calls_to.h"

namespace geist::program {
namespace {

using x86::Cond;
using x86::Flow;
using x86::Insn;
using x86::Op;
using x86::Operand;

constexpr usize kMaxInsns = 5;
constexpr i64 kReturnAddressBytes = 8;

// g.stackguard0, or stackguard1 in functions that C code calls: the first words of g after its
// stack's bounds (runtime/runtime2.go g).
bool is_guard(const Operand& operand) {
  const x86::Mem& mem = operand.mem;
  return operand.kind == Operand::Kind::kMem && mem.base == x86::kR14 && mem.index == x86::kNoReg &&
         !mem.segment && (mem.disp == 16 || mem.disp == 24);
}

bool is_compare(const Insn& insn, x86::Reg with) {
  return insn.op == Op::kCmp && insn.operands[0].is_reg(with) && is_guard(insn.operands[1]);
}

bool is_branch(const Insn& insn, Cond cond) {
  return insn.flow == Flow::kJcc && insn.cond == cond;
}

bool is_large_frame(const Insn& insn) {
  return insn.op == Op::kLea && insn.operands[0].is_reg(x86::kR12) &&
         insn.operands[1].mem.base == x86::kRsp && insn.operands[1].mem.index == x86::kNoReg;
}

bool is_huge_frame(const std::vector<Insn>& insns) {
  return insns[0].op == Op::kMov && insns[0].operands[0].is_reg(x86::kR12) &&
         insns[0].operands[1].is_reg(x86::kRsp) && insns[1].op == Op::kSub &&
         insns[1].operands[0].is_reg(x86::kR12) &&
         insns[1].operands[1].kind == Operand::Kind::kImm && is_branch(insns[2], Cond::kB);
}

}  // namespace

std::optional<StackCheck> read_stack_check(ByteView code, ImageAddr entry) {
  std::vector<Insn> insns;
  for (u64 offset = 0; insns.size() < kMaxInsns && offset < code.size();) {
    std::optional<Insn> insn = x86::decode(code.subspan(offset), entry + offset);
    if (!insn) break;
    offset += insn->length;
    insns.push_back(*insn);
  }
  auto check = [&](usize compare, x86::Reg with) -> std::optional<StackCheck> {
    if (compare + 1 >= insns.size() || !is_compare(insns[compare], with)) return std::nullopt;
    const Insn& branch = insns[compare + 1];
    if (!is_branch(branch, Cond::kBe)) return std::nullopt;
    return StackCheck{branch.addr, branch.end(), branch.target};
  };
  if (std::optional<StackCheck> small = check(0, x86::kRsp)) return small;
  if (!insns.empty() && is_large_frame(insns[0])) return check(1, x86::kR12);
  if (insns.size() < kMaxInsns || !is_huge_frame(insns)) return std::nullopt;
  std::optional<StackCheck> huge = check(3, x86::kR12);
  return huge && insns[2].target == huge->more ? huge : std::nullopt;
}

bool StackRoom::has_check(const read::Function& function) const {
  std::optional<ByteView> code =
      binary_.image().find_bytes(function.entry, function.end - function.entry);
  return code && read_stack_check(*code, function.entry).has_value();
}

bool StackRoom::is_instruction(const read::Function& function, ImageAddr at) const {
  std::optional<ByteView> code =
      binary_.image().find_bytes(function.entry, function.end - function.entry);
  u64 offset = 0;
  while (code && function.entry + offset < at) {
    std::optional<x86::Brief> brief =
        x86::decode_brief(code->subspan(offset), function.entry + offset);
    if (!brief) return true;  // not decoded: not ruled out
    offset += brief->length;
  }
  return function.entry + offset == at;
}

void StackRoom::add_caller(const CallPlace& call, std::vector<ImageAddr>& open) {
  std::optional<read::Function> caller = binary_.pclntab().find_function(call.at);
  if (!caller || caller->entry == call.target) return;
  Node& node = nodes_[caller->entry];
  node.has_check = node.has_check || has_check(*caller);
  if (!node.has_check) {
    if (!is_instruction(*caller, call.at)) return;
    open.push_back(caller->entry);
  }
  std::optional<i32> frame = binary_.pclntab().find_sp_delta(*caller, call.at);
  Node& callee = nodes_[call.target];
  callee.is_known = callee.is_known && frame.has_value();
  const i64 pushed = call.jumps ? 0 : kReturnAddressBytes;
  callee.callers.push_back({caller->entry, frame.value_or(0) + pushed});
}

// The function's callers, their callers, and so on.
void StackRoom::add_callers(ImageAddr entry) {
  std::vector<ImageAddr> open{entry};
  while (!open.empty()) {
    std::sort(open.begin(), open.end());
    open.erase(std::unique(open.begin(), open.end()), open.end());
    std::erase_if(open, [&](ImageAddr of) { return nodes_[of].is_searched; });
    for (ImageAddr of : open) nodes_[of].is_searched = true;
    std::vector<ImageAddr> next;
    for (const CallPlace& call : find_calls_to(binary_, open)) add_caller(call, next);
    open = std::move(next);
  }
}

// The most that may be in use below what a function with a check leaves, when this one begins.
// Nothing where the frames are not known, or where the chain is a circle, which the linker refuses.
std::optional<i64> StackRoom::depth_of(ImageAddr entry) {
  Node& node = nodes_[entry];
  if (node.depth || node.is_asked || !node.is_known) return node.depth;
  node.is_asked = true;
  // Nobody calls it, but through a pointer: from a function with a check, as the linker takes it.
  i64 deepest = kReturnAddressBytes;
  for (const Call& call : node.callers) {
    if (nodes_[call.entry].has_check) continue;
    std::optional<i64> above = depth_of(call.entry);
    if (!above) return std::nullopt;
    deepest = std::max(deepest, *above + call.bytes);
  }
  node.depth = deepest;
  return deepest;
}

u64 StackRoom::below(const read::Function& function, ImageAddr pc) {
  if (has_check(function)) return kStackOfCallees;
  std::optional<i32> frame = binary_.pclntab().find_sp_delta(function, pc);
  if (!nodes_[function.entry].is_searched) add_callers(function.entry);
  std::optional<i64> depth = depth_of(function.entry);
  const i64 used = frame && depth ? *depth + *frame : static_cast<i64>(kStackOfCallees);
  return used >= static_cast<i64>(kStackOfCallees) ? 0 : kStackOfCallees - static_cast<u64>(used);
}

}  // namespace geist::program
