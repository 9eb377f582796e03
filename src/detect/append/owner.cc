// Whose slice does an append write into on purpose? The header that its operand was loaded from is
// the owner's; and an append whose result nobody keeps and nobody reads through was made for
// whoever has the array, since else it would do nothing at all.
#include <algorithm>
#include <map>
#include <set>

#include "detect/append/append_case.h"
#include "judge/route.h"
#include "program/go_abi.h"
#include "program/write_cursor.h"

namespace geist::detect::append {
namespace {

constexpr usize kMaxCallers = 4;
constexpr u32 kMaxAppendsBefore = 8;

bool covers_all(const Append& append, const View& view) {
  return view.len_known && view.ptr <= append.event->append.old_ptr &&
         view.end(append.event->append.elem_size) >= append.dest_end();
}

// Not a variable that the compiler moves between registers and its frame.
bool is_in_memory(const View& view) {
  return view.holder == findings::Holder::kHeap || view.holder == findings::Holder::kGlobal ||
         view.in_stack_object;
}

bool is_zero(const program::FunctionCode& code, const program::Origin& origin) {
  if (origin.kind != program::Origin::Kind::kNumber) return false;
  const x86::Insn& insn = code.insn(origin.insn);
  const x86::Operand& source = insn.operands[1];
  if (insn.op == x86::Op::kXor) return source.is_reg(insn.operands[0].reg);
  return insn.op == x86::Op::kMov && source.kind == x86::Operand::Kind::kImm && source.imm == 0;
}

// Is there one holder of the array, so that there is no doubt for whom the append writes? The same
// slice in several frames was handed down.
bool has_one_holder(const Append& append, const std::vector<Candidate>& candidates) {
  usize in_frame = 0;
  std::set<TargetAddr> in_memory;
  std::map<u64, usize> by_frame;
  for (const Candidate& candidate : candidates) {
    const View& view = candidate.view;
    if (!covers_all(append, view)) continue;
    if (is_in_memory(view)) {
      in_memory.insert(view.ptr_word);
      continue;
    }
    if (view.same_frame) continue;
    if (view.g.value != append.event->g) return false;
    in_frame = std::max(in_frame, ++by_frame[view.pc.value]);
  }
  return in_memory.size() + in_frame == 1;
}

}  // namespace

// Which of its function's results the callers on the stack read.
static x86::RegMask results_read(Context& context, const Append& append,
                                 const program::TakenArguments& taken) {
  x86::RegMask left = 0, read = 0;
  for (x86::Reg reg : program::kIntegerArguments) left |= x86::bit(reg);
  for (usize i = 1; i < append.frames.size() && left != 0; ++i) {
    const program::FunctionCode* code =
        i > kMaxCallers ? nullptr : context.codes.find(append.frames[i].function);
    if (code == nullptr) return read | left;
    x86::RegMask passed_on = 0;
    read |= program::read_after(*code, append.frames[i].pc, left, taken, &passed_on);
    left = passed_on;
  }
  return read;
}

bool AppendCase::is_write_cursor() {
  const Append& append = write_.append;
  const sites::AppendSite& site = append.site->site;
  const std::optional<program::Location> ptr = program::location_of(site.old_ptr);
  if (append.frames.empty() || !ptr) return false;
  const program::FunctionCode* code = context_.codes.find(append.frames[0].function);
  if (code == nullptr) return false;
  const program::TakenArguments taken = program::taken_arguments(context_.codes);
  return program::is_write_cursor(*code, {site.inplace_entry, *ptr},
                                  program::callees_of(context_.binary), taken,
                                  results_read(context_, append, taken));
}

// Began the slice empty, x[:0], whatever was appended to it in this function since? Then the array
// is filled again from its start.
bool AppendCase::is_refill(const sites::AppendSite& site, u32 depth) {
  using Kind = program::ValueLocation::Kind;
  const std::optional<read::Function> function = context_.binary.pclntab().function(site.function);
  const program::FunctionCode* code = function ? context_.codes.find(*function) : nullptr;
  const std::optional<u32> branch = code == nullptr ? std::nullopt : code->find_insn(site.branch);
  if (!branch || depth > kMaxAppendsBefore) return false;
  const program::Callees callees = program::callees_of(context_.binary);
  if (site.new_len.kind == Kind::kRegister) {
    const std::vector<program::Origin> lengths =
        program::find_origins(*code, *branch, {site.new_len.reg, 0}, callees);
    // What growslice gives back as the length is what it was given: one of the others.
    std::vector<program::Origin> begins;
    std::copy_if(lengths.begin(), lengths.end(), std::back_inserter(begins),
                 [&](const program::Origin& o) {
                   return !program::is_growslice_result(context_.binary, *code, o);
                 });
    return !begins.empty() &&
           std::all_of(begins.begin(), begins.end(),
                       [&](const program::Origin& o) { return is_zero(*code, o); });
  }
  if (site.new_len.kind != Kind::kConstant || site.num.kind != Kind::kConstant) return false;
  if (site.new_len.addend == site.num.addend) return true;
  if (site.old_ptr.kind != Kind::kRegister) return false;
  // One of several appends to it: the first tells.
  bool has_former = false;
  for (const program::Origin& o :
       program::find_origins(*code, *branch, {site.old_ptr.reg, 0}, callees)) {
    if (o.kind != program::Origin::Kind::kResult) continue;
    const ImageAddr call = code->briefs()[o.insn].addr;
    const auto former = std::find_if(context_.sites.sites.begin(), context_.sites.sites.end(),
                                     [&](const sites::AppendSite& s) { return s.call == call; });
    if (former == context_.sites.sites.end() || call == site.call) continue;
    has_former = true;
    if (!is_refill(*former, depth + 1)) return false;
  }
  return has_former;
}

void AppendCase::leave_out_owners() {
  const bool any = std::ranges::any_of(write_.candidates, [&](const Candidate& candidate) {
    return covers_all(write_.append, candidate.view);
  });
  if (!any) return;
  const auto words = find_operand_words(context_, write_.append);
  bool is_owned = false, has_owner = false;
  for (Candidate& candidate : write_.candidates) {
    const View& view = candidate.view;
    candidate.is_owner = words && view.ptr_word &&
                         std::ranges::count(*words, view.ptr_word, &judge::LoadedWord::at) != 0;
    is_owned |= candidate.is_owner;
    has_owner |= candidate.is_owner && covers_all(write_.append, view);
  }
  const bool may_be_meant = has_owner || has_one_holder(write_.append, write_.candidates);
  if ((!is_owned && !may_be_meant) || !is_refill(write_.append.site->site, 0)) return;
  for (Candidate& candidate : write_.candidates) candidate.is_refilled = candidate.is_owner;
  // With another length than none somebody may have wanted a slice of his own, and asked for its
  // length only.
  if (!may_be_meant || !is_write_cursor()) return;
  std::erase_if(write_.candidates, [&](const Candidate& candidate) {
    const bool is_meant = !has_owner || candidate.is_owner || candidate.view.same_frame;
    return is_meant && covers_all(write_.append, candidate.view);
  });
}

// A buffer that is filled by position is as long as its array, and what is appended to is cut from
// its header. Is the victim, that begins with the operand and is longer than the result, no such
// buffer?
void AppendCase::note_cut() {
  const bool any = std::ranges::any_of(write_.candidates, [&](const Candidate& candidate) {
    return candidate.view.may_be_cut(event());
  });
  if (!any || write_.identity || write_.append.old_len() == 0) return;
  const std::optional<std::vector<judge::LoadedWord>> sources =
      find_operand_sources(context_, write_.append);
  if (!sources) return;
  for (Candidate& candidate : write_.candidates) {
    View& view = candidate.view;
    const bool is_source = 
        std::ranges::count(*sources, view.ptr_word, &judge::LoadedWord::at) != 0;
    const bool is_array = view.holder == findings::Holder::kStack && !view.same_frame &&
                          view.ptr_word && view.len_word == view.ptr_word + 8;
    view.not_cut = (is_in_memory(view) || is_array) && view.len_known && view.len < view.cap &&
                   !is_source;
  }
}

}  // namespace geist::detect::append
