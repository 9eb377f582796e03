// Stacks move when they grow or shrink (runtime.copystack), and victims' headers with them.
//
// A goroutine with a watched header on its stack waits behind the growth until the watch lies at
// the header's new place (abi::StackGate), so nothing that it does goes unseen. Where nobody waited
// (the collector shrank the stack; the budget is used up) the header is followed only if its
// function leaves it alone; elsewhere what was read of it before the move is all there will be.
#include <algorithm>

#include "detect/append/append_case.h"
#include "heap/goroutines.h"
#include "program/origins.h"
#include "program/slot_writes.h"

namespace geist::detect::append {

// Does the function of the victim's frame, from where it stands, never store into this header of
// its own again?
bool AppendCase::is_left_alone(const View& view) const {
  const sites::AppendSite& site = write_.append.site->site;
  ImageAddr at = view.same_frame ? site.branch : view.pc - 1;
  std::optional<read::Function> function = context_.binary.pclntab().find_function(at);
  const program::FunctionCode* code = function ? context_.codes.find(*function) : nullptr;
  std::optional<i32> delta =
      function ? context_.binary.pclntab().find_sp_delta(*function, at) : std::nullopt;
  if (code == nullptr || !delta || view.in_stack_object) return false;
  TargetAddr sp = view.frame.cfa - (static_cast<u64>(*delta) + 8);
  ImageAddr from = view.same_frame ? site.inplace_entry : view.pc;
  auto is_written = [&](TargetAddr word) {
    return word && program::may_write_slot(*code, from, static_cast<i64>(word.value - sp.value));
  };
  return !is_written(view.ptr_word) && !is_written(view.len_word);
}

// `for _, x := range s`, of an s that is not used after the loop, moves its spilled pointer from
// element to element: what the frame stores there was made of what stood there.
bool AppendCase::is_walk(const View& view, const Access& access) const {
  const bool by_owner = view.holder == findings::Holder::kStack && !view.in_stack_object &&
                        !view.same_frame && view.ptr_word && view.header_word() == view.ptr_word &&
                        access.word == view.ptr_word && access.kind == Access::Kind::kWrite &&
                        access.actor == 0 && !access.frames.empty() &&
                        access.activation(0) == view.frame;
  const Access::Stored& stored = access.stored;
  const bool is_place = stored.size_bytes == 8 && stored.at == access.word &&
                        stored.value >= view.ptr && stored.value <= write_.append.array.end.value &&
                        (stored.value - view.ptr) % event().append.elem_size == 0;
  if (!by_owner || !is_place) return false;
  const program::FunctionCode* code = context_.codes.find(access.frames[0].function);
  const std::optional<u32> store = code == nullptr ? std::nullopt : code->find_insn(access.insn);
  if (!store || code->insn(*store).operands[1].kind != x86::Operand::Kind::kReg) return false;
  program::SliceEnds ends;
  ends.slot = static_cast<i64>(view.ptr_word - access.frames[0].sp);
  const std::vector<program::Origin> origins =
      program::find_origins(*code, *store, {code->insn(*store).operands[1].reg, 0},
                            program::callees_of(context_.binary), ends);
  return std::ranges::all_of(origins, [&](const program::Origin& origin) {
    return origin.kind == program::Origin::Kind::kSlot && origin.at.slot == *ends.slot;
  });
}

// Is its goroutine on the way to its stack gate?
bool AppendCase::is_moving(const View& view) const {
  if (!context_.plan.follows_stacks) return false;
  std::optional<heap::Goroutine> g =
      heap::read_goroutine(context_.memory, context_.binary.layout(), view.g);
  return g && g->goid == view.goid && g->status == heap::GStatus::kCopystack;
}

void AppendCase::follow_moved_header(usize index, bool waits) {
  Candidate& candidate = write_.candidates[index];
  View& view = candidate.view;
  if (view.holder != findings::Holder::kStack || candidate.lost_track) return;
  const std::optional<TargetAddr> now = find_word_now(view, view.header_word());
  const bool is_elsewhere = waits && now && *now != view.header_word();
  const bool was_copied = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                                      [](const Evidence& e) { return e.header_has_moved(); });
  if (!is_elsewhere && (!was_copied || is_moving(view))) return;
  const bool nothing_unseen = waits || is_left_alone(view);
  candidate.watched_throughout &= nothing_unseen;
  candidate.lost_track = !nothing_unseen || !now || !header_is_unchanged(view);
  if (candidate.lost_track) return;
  const TargetAddr before = view.header_word();
  const u64 distance = *now - before;
  for (TargetAddr* part : {&view.ptr_word, &view.len_word, &view.stack_hi, &view.frame.cfa})
    if (*part) *part += distance;
  move_header_watch(before, view.header_word(), true);
  for (Evidence& evidence : candidate.evidence) evidence.follow_header(view.header_word());
}

void AppendCase::on_stack_move(TargetAddr g) {
  for (usize index : watched_) {
    if (write_.candidates[index].view.g == g) follow_moved_header(index, true);
  }
}

bool AppendCase::stands_on(TargetAddr g) const {
  return std::ranges::any_of(
      watched_, [&](usize index) { return write_.candidates[index].view.g == g; });
}

}  // namespace geist::detect::append
