// Stacks move when they grow or shrink (runtime.copystack), and victims' headers with them.
//
// A goroutine with a watched header on its stack waits behind the growth until the watch lies at
// the header's new place (abi::StackGate), so nothing that it does goes unseen. Where nobody waited
// (the collector shrank the stack; the budget is used up) the header is followed only if its
// function leaves it alone; elsewhere what was read of it before the move is all there will be.
#include <algorithm>

#include "detect/append/append_case.h"
#include "heap/goroutines.h"
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
