// Headers that are copied while they are watched: with an array that grows, by copy or append of a
// slice of slices, as a value of a map, a channel or an interface.
//
//   old │ L │ ──growslice──▶ new │ L │          the old array is nobody's: the watch goes along
//   a   │ L │ ──copy───────▶ b   │ L │          two victims from now on, each with a watch
//
// The thread waits before it copies (abi::CopyGate), and the watch is put where the header will be:
// so its arrival there is the first write that is seen, and nothing that happens to it later is
// missed. Where nobody waited (the budget is used up, two threads at once) a copy is followed as far
// as samples tell (Tracker::follow_copies), and confirms nothing.
#include <algorithm>

#include "judge/tracker.h"

namespace geist::judge {
namespace {

constexpr usize kMostCandidates = 16;  // of one case, its copies among them
// A header that is copied all the time (a value of a map that is looked up) would make the program
// wait all the time.
constexpr u32 kMostCopies = 24;

bool is_in_memory(const View& view) {
  return view.holder == findings::Holder::kHeap || view.holder == findings::Holder::kGlobal;
}

}  // namespace

void Tracker::guard_copies() {
  if (process_.plan.copy_records.empty()) return;
  std::vector<TargetAddr> words;
  for (const Session& session : sessions_) {
    for (usize index : session.candidates) {
      const Candidate& candidate = session.of->candidates[index];
      const TargetAddr word = candidate.view.header_word();
      const bool is_watched = std::count(session.words.begin(), session.words.end(), word) != 0;
      const bool is_wanted = is_in_memory(candidate.view) && !candidate.closed &&
                             candidate.copies_followed < kMostCopies;
      if (is_watched && is_wanted) words.push_back(word);
    }
  }
  if (words == copied_words_) return;
  copied_words_ = words;
  process_.ring.watch_copies(process_.plan.copy_records, copied_words_);
}

void Tracker::serve_copy_gate() {
  const std::optional<process::SharedRing::Copy> copy = process_.ring.find_copy();
  if (!copy) return;
  read_samples();
  std::vector<std::pair<Case*, usize>> moved;
  for (Session& session : sessions_) {
    const std::vector<usize> before = session.candidates;
    for (usize index : before) {
      const Candidate& candidate = session.of->candidates[index];
      const TargetAddr word = candidate.view.header_word();
      const bool is_copied = is_in_memory(candidate.view) && !candidate.closed &&
                             word >= copy->from && word - copy->from < copy->bytes;
      if (!is_copied) continue;
      const TargetAddr there = copy->to + (word - copy->from);
      if (!follow_copy(session, index, there, copy->keeps_source)) continue;
      const bool is_new = copy->keeps_source && session.candidates.back() != index;
      moved.emplace_back(session.of, is_new ? session.candidates.back() : index);
    }
  }
  guard_copies();
  if (process_.ring.open_copy_gate()) return;
  // It went on before the watch was there.
  for (const auto& [of, index] : moved) {
    Candidate& candidate = of->candidates[index];
    candidate.moved = true;
    candidate.watched_throughout = false;
    for (Evidence& evidence : candidate.evidence) evidence.follow(candidate.view.header_word());
  }
}

// A copy of a copy: the one before it is the least likely to be read.
bool Tracker::make_room_for_copy(Session& session, usize source) {
  if (watcher_.free_words() > 0) return true;
  for (usize i = 0; i < session.candidates.size(); ++i) {
    const usize index = session.candidates[i];
    const Candidate& other = session.of->candidates[index];
    const Candidate& own = session.of->candidates[source];
    const bool is_of_family = index != source && other.family == own.family;
    if (!is_of_family) continue;
    const TargetAddr word = other.view.header_word();
    watcher_.remove(word);
    std::erase(session.words, word);
    session.of->candidates[index].watched_throughout = false;
    session.candidates.erase(session.candidates.begin() + static_cast<i64>(i));
    return true;
  }
  return false;
}

// False: the copy's place is none that can be watched.
bool Tracker::follow_copy(Session& session, usize index, TargetAddr header_word,
                          bool keeps_source) {
  Case& c = *session.of;
  View view = c.candidates[index].view;
  const u64 distance = header_word - view.header_word();
  const TargetAddr ptr_word = view.ptr_word + distance;
  const std::optional<heap::Object> object = context_.spans.find_object(ptr_word);
  if (!object || object->is_stack || ptr_word < object->user) return false;
  const TargetAddr before = view.header_word();
  ++c.candidates[index].copies_followed;
  put_view_at(view, {ptr_word, findings::Holder::kHeap, object->user, object->size_bytes});
  usize target = index;
  const bool adds = keeps_source && c.candidates.size() < kMostCandidates &&
                    make_room_for_copy(session, index) && watcher_.add(header_word, 8, false);
  if (adds) {
    session.words.push_back(header_word);
    Candidate copy = c.candidates[index];
    c.candidates.push_back(std::move(copy));
    target = c.candidates.size() - 1;
    session.candidates.push_back(target);
    c.candidates[target].copies.clear();
    c.candidates[target].copies_seen = 0;
  } else {
    replace_header_watch(session, before, header_word, false);
  }
  c.candidates[target].view = view;
  for (Evidence& evidence : c.candidates[target].evidence)
    evidence.follow_copy(header_word, make_route(c, view));
  return true;
}

}  // namespace geist::judge
