// See empty_start.h. The length that the append asks about is followed back to where it was set; the
// pointer beside it tells whether the array was anybody's before.
#include "detect/append/empty_start.h"

#include <algorithm>

#include "program/go_abi.h"

namespace geist::detect::append {

using judge::Append;
using judge::Context;
using program::FunctionCode;
using program::Location;
using program::Origin;

namespace {

constexpr u32 kMaxAppendsBefore = 8;

// The same value in both registers? Code that is not optimized subtracts the two ends of x[i:i],
// each loaded from the variable's word.
bool are_same(const FunctionCode& code, u32 insn, x86::Reg a, x86::Reg b,
              const program::Callees& callees) {
  program::SliceEnds ends;
  ends.any_slot = true;
  const std::vector<Origin> of_a = program::find_origins(code, insn, {a, 0}, callees, ends);
  const std::vector<Origin> of_b = program::find_origins(code, insn, {b, 0}, callees, ends);
  return of_a.size() == 1 && of_b.size() == 1 && of_a[0].kind == Origin::Kind::kSlot &&
         of_b[0].kind == Origin::Kind::kSlot && of_a[0].at == of_b[0].at &&
         !of_a[0].is_shifted && !of_b[0].is_shifted;
}

bool is_zero(const FunctionCode& code, const Origin& origin, const program::Callees& callees) {
  const x86::Insn& insn = code.insn(origin.insn);
  const x86::Operand& source = insn.operands[1];
  if (insn.op == x86::Op::kXor) return source.is_reg(insn.operands[0].reg);
  if (insn.op == x86::Op::kSub && source.kind == x86::Operand::Kind::kReg)
    return are_same(code, origin.insn, insn.operands[0].reg, source.reg, callees);
  return insn.op == x86::Op::kMov && source.kind == x86::Operand::Kind::kImm && source.imm == 0;
}

bool is_constant(const FunctionCode& code, const Origin& origin) {
  return code.insn(origin.insn).operands[1].kind == x86::Operand::Kind::kImm;
}

}  // namespace

EmptyStart::EmptyStart(Context& context, const Append& append, const program::CallUse& calls)
    : context_(context),
      append_(append),
      calls_(calls),
      callees_(program::callees_of(context.binary)) {}

bool EmptyStart::was_empty() {
  const sites::AppendSite& site = append_.site->site;
  if (append_.frames.empty()) return false;
  const Begin begin = of_site(site, 0);
  is_cut_at_place_ = begin == Begin::kPlace;
  if (begin != Begin::kEmpty) return false;
  const std::optional<Location> ptr = program::location_of(site.old_ptr);
  const FunctionCode* code = context_.codes.find(append_.frames[0].function);
  const std::optional<u32> branch = code == nullptr ? std::nullopt : code->find_insn(site.branch);
  return ptr && branch && was_anothers(0, *branch, *ptr);
}

std::optional<std::set<u32>> EmptyStart::blocks(usize frame) const {
  if (blocks_.empty() || frame > blocks_.rbegin()->first) return std::nullopt;
  const auto found = blocks_.find(frame);
  return found == blocks_.end() ? std::set<u32>() : found->second;
}

bool EmptyStart::was_anothers(usize frame, u32 insn, Location ptr) {
  if (frame >= append_.frames.size() || frame > kMaxCallers) return true;
  const FunctionCode* code = context_.codes.find(append_.frames[frame].function);
  if (code == nullptr) return true;
  if (!pointers_.emplace(frame, insn).second) return false;
  bool is_nil = false, is_address = false;
  for (const Origin& o : program::find_origins(*code, insn, ptr, callees_)) {
    if (o.kind == Origin::Kind::kNumber) {
      is_nil |= is_zero(*code, o, callees_);
    } else if (o.kind == Origin::Kind::kAddress) {
      is_address = true;
    } else if (o.kind == Origin::Kind::kResult) {
      if (program::is_growslice_result(context_.binary, *code, o)) {
        if (!growths_[frame].contains(o.insn)) return true;
        continue;
      }
      const auto handed = program::passed_on_argument(calls_, code->briefs()[o.insn].target);
      if (!handed || was_anothers(frame, o.insn, {*handed, 0})) return true;
    } else if (o.kind == Origin::Kind::kArgument) {
      const Call call = caller_of(frame);
      if (call.code == nullptr || was_anothers(frame + 1, call.insn, o.at)) return true;
    } else {
      return true;
    }
  }
  // An array in the frame: of a slice that is made there, or, after nil, that append begins in.
  return is_address && !is_nil;
}

// The call that led from the frame's caller to it.
EmptyStart::Call EmptyStart::caller_of(usize frame) const {
  if (frame + 1 >= append_.frames.size()) return {};
  const heap::StackFrame& caller = append_.frames[frame + 1];
  const FunctionCode* code = context_.codes.find(caller.function);
  if (code == nullptr || !caller.is_return_address) return {};
  const u32 next = code->first_insn_from(caller.pc);
  const bool is_call = next != 0 && code->briefs()[next - 1].end() == caller.pc &&
                       code->briefs()[next - 1].flow == x86::Flow::kCall;
  return is_call ? Call{code, next - 1} : Call{};
}

EmptyStart::Begin EmptyStart::of_site(const sites::AppendSite& site, u32 depth) {
  using Kind = program::ValueLocation::Kind;
  const std::optional<read::Function> function = context_.binary.pclntab().function(site.function);
  const FunctionCode* code = function ? context_.codes.find(*function) : nullptr;
  const std::optional<u32> branch = code == nullptr ? std::nullopt : code->find_insn(site.branch);
  if (!branch || depth > kMaxAppendsBefore) return Begin::kOther;
  if (site.new_len.kind == Kind::kRegister) {
    find_stack_buffers(*code, *branch, site);
    std::vector<Origin> added;
    if (const std::optional<Location> num = program::location_of(site.num))
      added = program::find_origins(*code, *branch, *num, callees_);
    const Slice slice{{site.new_len.reg, 0}, program::location_of(site.old_ptr)};
    return of_length(0, *branch, slice, added);
  }
  if (site.new_len.kind != Kind::kConstant || site.num.kind != Kind::kConstant)
    return Begin::kOther;
  if (site.new_len.addend == site.num.addend) {
    blocks_[0].insert(code->block_of(*branch));
    return Begin::kEmpty;
  }
  return site.old_ptr.kind == Kind::kRegister ? of_operand(*code, *branch, site, depth)
                                              : Begin::kOther;
}

// From Go 1.25 on a small slice that grows for the first time may go to an array in the frame: then it
// is another one, with a length that is known. Source: cmd/compile/internal/walk/append.go.
void EmptyStart::find_stack_buffers(const FunctionCode& code, u32 branch,
                                    const sites::AppendSite& site) {
  if (site.old_ptr.kind != program::ValueLocation::Kind::kRegister) return;
  for (const Origin& o : program::find_origins(code, branch, {site.old_ptr.reg, 0}, callees_)) {
    if (o.kind == Origin::Kind::kAddress && o.mem.base == x86::kRsp)
      stack_buffers_.insert(code.block_of(o.insn));
  }
}

// One of several appends to it, of known lengths: the first tells.
EmptyStart::Begin EmptyStart::of_operand(const FunctionCode& code, u32 branch,
                                         const sites::AppendSite& site, u32 depth) {
  Begin all = Begin::kNone;
  for (const Origin& o : program::find_origins(code, branch, {site.old_ptr.reg, 0}, callees_)) {
    if (o.kind != Origin::Kind::kResult) continue;
    const ImageAddr call = code.briefs()[o.insn].addr;
    const auto former = std::find_if(context_.sites.sites.begin(), context_.sites.sites.end(),
                                     [&](const sites::AppendSite& s) { return s.call == call; });
    if (former == context_.sites.sites.end() || call == site.call) continue;
    growths_[0].insert(o.insn);
    all = std::max(all, of_site(*former, depth + 1));
  }
  return all == Begin::kNone ? Begin::kOther : all;
}

// What growslice gives back as the length is what it was given: one of the others.
EmptyStart::Begin EmptyStart::of_length(usize frame, u32 insn, const Slice& slice,
                                        std::span<const Origin> added) {
  if (frame >= append_.frames.size() || frame > kMaxCallers) return Begin::kOther;
  const FunctionCode* code = context_.codes.find(append_.frames[frame].function);
  if (code == nullptr) return Begin::kOther;
  if (!lengths_.emplace(frame, insn).second) return Begin::kNone;
  std::vector<Origin> pointers;
  if (slice.ptr) pointers = program::find_origins(*code, insn, *slice.ptr, callees_);
  Begin all = Begin::kNone;
  for (const Origin& origin : program::find_origins(*code, insn, slice.len, callees_)) {
    const bool is_added = std::ranges::any_of(added, [&](const Origin& o) {
      return o.kind == origin.kind && o.insn == origin.insn && o.at == origin.at;
    });
    if (is_added && origin.is_shifted) continue;
    all = std::max(all, of_origin(frame, *code, origin, pointers));
  }
  return all;
}

EmptyStart::Begin EmptyStart::of_origin(usize frame, const FunctionCode& code,
                                        const Origin& origin, std::span<const Origin> pointers) {
  switch (origin.kind) {
    case Origin::Kind::kNumber:
      if (frame == 0 && stack_buffers_.contains(code.block_of(origin.insn))) return Begin::kNone;
      if (!is_zero(code, origin, callees_)) return is_constant(code, origin) ? Begin::kOther : Begin::kPlace;
      blocks_[frame].insert(code.block_of(origin.insn));
      return Begin::kEmpty;
    case Origin::Kind::kResult: {
      if (program::is_growslice_result(context_.binary, code, origin)) {
        growths_[frame].insert(origin.insn);
        return Begin::kNone;
      }
      const auto handed = program::passed_on_argument(calls_, code.briefs()[origin.insn].target);
      if (!handed) return Begin::kPlace;
      const Location len{*program::argument_behind(*handed), 0};
      return of_length(frame, origin.insn, {len, Location{*handed, 0}});
    }
    case Origin::Kind::kArgument: {
      // A slice that was cut by the caller, or a number to cut it at?
      const auto ptr = std::ranges::find_if(pointers, [&](const Origin& o) {
        return o.kind == Origin::Kind::kArgument &&
               program::argument_behind(o.at.reg) == origin.at.reg;
      });
      const Call call = caller_of(frame);
      if (ptr == pointers.end()) return Begin::kPlace;
      return call.code == nullptr ? Begin::kOther
                                  : of_length(frame + 1, call.insn, {origin.at, ptr->at});
    }
    case Origin::Kind::kLoad:
      return Begin::kPlace;
    default:
      return Begin::kOther;
  }
}

}  // namespace geist::detect::append
