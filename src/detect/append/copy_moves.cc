// Headers that are copied while they are watched: with an array that grows, by copy or append of a
// slice of slices, as a value of a map, a channel or an interface.
//
//   old │ L │ ──growslice──▶ new │ L │          the old array is nobody's: the watch goes along
//   a   │ L │ ──copy───────▶ b   │ L │          two victims from now on, each with a watch
//
// The thread waits before it copies (abi::CopyGate), and the watch is put where the header will be:
// so its arrival there is the first write that is seen, and nothing that happens to it later is
// missed. Where nobody waited (the budget is used up, two threads at once) a copy is followed as
// far as samples tell (AppendCase::follow_copies), and confirms nothing.
#include <algorithm>

#include "detect/append/append_case.h"

namespace geist::detect::append {
namespace {

constexpr usize kMostCandidates = 16;  // of one case, its copies among them
// A header that is copied all the time (a value of a map that is looked up) would make the program
// wait all the time.
constexpr u32 kMostCopies = 24;

// In a frame, too, when its words stand side by side: an append begins a slice there (Go 1.25 and
// later) and takes it to the heap when it grows. Nobody copies a variable's spilled words.
bool is_in_memory(const View& view) {
  const bool in_frame = view.holder == findings::Holder::kStack && view.ptr_word &&
                        view.len_word == view.ptr_word + 8 && !view.told_by_code;
  return in_frame || view.holder == findings::Holder::kHeap ||
         view.holder == findings::Holder::kGlobal;
}

// It is an element of an array from now on.
void leave_frame(View& view) {
  view.name.clear();
  view.function.clear();
  view.pc = {};
  view.frame = {};
  view.g = {};
  view.goid = 0;
  view.stack_hi = {};
  view.same_frame = view.in_stack_object = false;
  view.live_for_sure = true;
}

}  // namespace

std::vector<WatchedHeader> AppendCase::headers() const {
  std::vector<WatchedHeader> headers;
  for (usize index : watched_) {
    const Candidate& candidate = write_.candidates[index];
    const View& view = candidate.view;
    const TargetAddr word = view.header_word();
    if (!desk_.registers().watches(*this, word)) continue;
    if (view.holder == findings::Holder::kStack && !candidate.lost_track)
      headers.push_back({word, view.g});
    if (is_in_memory(view) && !candidate.closed && candidate.copies_followed < kMostCopies)
      headers.push_back({word, {}});
  }
  return headers;
}

void AppendCase::on_copy(const process::SharedRing::Copy& copy) {
  copied_.clear();
  const std::vector<usize> before = watched_;
  for (usize index : before) {
    const Candidate& candidate = write_.candidates[index];
    const TargetAddr word = candidate.view.header_word();
    const bool is_copied = is_in_memory(candidate.view) && !candidate.closed && word >= copy.from &&
                           word - copy.from < copy.bytes;
    if (!is_copied) continue;
    const TargetAddr there = copy.to + (word - copy.from);
    if (!follow_copy(index, there, copy.keeps_source)) continue;
    const bool is_new = copy.keeps_source && watched_.back() != index;
    copied_.push_back(is_new ? watched_.back() : index);
  }
}

void AppendCase::on_copy_missed() {
  for (usize index : copied_) {
    Candidate& candidate = write_.candidates[index];
    candidate.moved = true;
    candidate.watched_throughout = false;
    for (Evidence& evidence : candidate.evidence) evidence.follow(candidate.view.header_word());
  }
}

// Else from a copy of a copy: the one before it is the least likely to be read.
bool AppendCase::make_room_for_copy(usize source) {
  Registers& registers = desk_.registers();
  if (registers.free_words() > 0 || registers.take_from_sibling(*this)) return true;
  for (usize i = 0; i < watched_.size(); ++i) {
    const usize index = watched_[i];
    const Candidate& other = write_.candidates[index];
    const Candidate& own = write_.candidates[source];
    const bool is_of_family = index != source && other.family == own.family;
    if (!is_of_family) continue;
    registers.remove(*this, other.view.header_word());
    write_.candidates[index].watched_throughout = false;
    watched_.erase(watched_.begin() + static_cast<i64>(i));
    return true;
  }
  // Reflection boxes a header that it goes on to read where it was.
  return give_up_word(registers);
}

// False: the copy's place is none that can be watched.
bool AppendCase::follow_copy(usize index, TargetAddr header_word, bool keeps_source) {
  std::vector<Candidate>& candidates = write_.candidates;
  View view = candidates[index].view;
  const u64 distance = header_word - view.header_word();
  const TargetAddr ptr_word = view.ptr_word + distance;
  const std::optional<heap::Object> object = context_.spans.find_object(ptr_word);
  if (!object || object->is_stack || ptr_word < object->user) return false;
  const TargetAddr before = view.header_word();
  // From now on it is left alone.
  if (++candidates[index].copies_followed == kMostCopies) ++context_.left_out.copies;
  if (view.holder == findings::Holder::kStack) leave_frame(view);
  put_view_at(view, {ptr_word, findings::Holder::kHeap, object->user, object->size_bytes});
  usize target = index;
  // The watch goes along with the copy, and what the source is used for is not seen any more.
  if (keeps_source && candidates.size() >= kMostCandidates) ++context_.left_out.copies;
  const bool adds = keeps_source && candidates.size() < kMostCandidates &&
                    make_room_for_copy(index) &&
                    desk_.registers().add(*this, header_word, 8, false);
  if (adds) {
    Candidate copy = candidates[index];
    candidates.push_back(std::move(copy));
    target = candidates.size() - 1;
    watched_.push_back(target);
    candidates[target].copies.clear();
    candidates[target].copies_seen = 0;
  } else {
    move_header_watch(before, header_word, false);
  }
  candidates[target].view = view;
  for (Evidence& evidence : candidates[target].evidence)
    evidence.follow_copy(header_word, trust_in(view), make_route(view));
  return true;
}

}  // namespace geist::detect::append
