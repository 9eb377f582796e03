// After things settled: which victims still show the change? The rules of level `likely`.
//
// A victim counts when at a later look its header is as it was, it is reachable, and the bytes
// differ. Three honest shapes look the same and are told apart before that:
//   the receiver     x.buf = append(x.buf[:1], …) of the same length leaves the header as it was:
//                    only a watch that saw no write to it, from before the append on, shows that
//                    it is another slice's
//   the next round   fields and rows that are cut out of a buffer anew, at the same places as
//                    before: replaced right after the append, so a watch for a while is enough
//   the refill       append(buf[:0], …): reuse is the point, older views are dead or wrong;
//                    only a read confirms; likewise of an array that is given out in parts
#include <algorithm>

#include "detect/append/append_case.h"
#include "heap/gc.h"
#include "heap/goroutines.h"

namespace geist::detect::append {
namespace {

constexpr u32 kLooksNeeded = 2;

bool may_be_receiver(const Append& append, const View& view) {
  const abi::AppendFacts& facts = append.event->append;
  return view.ptr == facts.old_ptr && view.len == facts.new_len;
}

// A buffer that is filled again, from its start (emptied: whatever still looks into it belongs to a
// life that its owner has ended) or behind a front part of it: out := append(c.buf[:4], payload...)
// with c.buf as long as it ever was.
bool refills(const Append& append, const View& view) {
  return append.old_len() == 0 || view.may_be_cut(*append.event);
}

// An array that parts were cut from with a limit, arena[lo:lo:hi]: only then does a slice reach beyond
// the operand's capacity. The part is for who got it, and to fill it is the point.
bool gave_out_part(const Append& append, const View& view) {
  const abi::AppendFacts& facts = append.event->append;
  return view.ptr <= facts.old_ptr &&
         view.end(facts.elem_size) > facts.old_ptr + facts.cap * facts.elem_size;
}

// Is what stands there perhaps a new header that is the same again?
bool may_be_replaced(const Append& append, const Candidate& candidate, bool has_watches) {
  const View& view = candidate.view;
  // A header that moved was not watched for a moment. If it is the append's own result in all three
  // words, that may have been put there meanwhile; of two places in use that have it, one is the
  // victim's.
  if (candidate.moved || candidate.copy_missing)
    return may_be_receiver(append, view) && !candidate.has_twin;
  if (candidate.watched_throughout) return false;
  if (view.ptr == append.event->append.old_ptr) return true;
  // A variable that is live behind the append was not about to be replaced.
  if (view.holder == findings::Holder::kStack) return false;
  return has_watches ? !candidate.watched_a_while : view.ptr >= append.dest();
}

// In the frame of the append itself a filter (kept := items[:0]) leaves its source changed on
// purpose; two results of one operand have the same length. A slice whose pointer is the operand's,
// in one register, is no result: the operand was cut out of it, buf[:n].
bool is_sibling(const Append& append, const View& view) {
  const bool is_operands = view.told_by_code && view.ptr_from == append.site->site.old_ptr;
  return may_be_receiver(append, view) && !is_operands;
}

}  // namespace

// Live behind the append for sure, with a length of its own, and neither a buffer that is filled
// again nor, in the frame of the append itself, anything but the other result of the same operand.
bool AppendCase::is_fair_stack_victim(const View& view) const {
  return view.live_for_sure && !view.in_stack_object && view.len_known &&
         !refills(write_.append, view) && (!view.same_frame || is_sibling(write_.append, view));
}

// Where a word of the view is by now: stacks move. Nothing when its goroutine is gone.
std::optional<TargetAddr> AppendCase::find_word_now(const View& view, TargetAddr word) const {
  if (view.holder != findings::Holder::kStack) return word;
  std::optional<heap::Goroutine> g =
      heap::read_goroutine(context_.memory, context_.binary.layout(), view.g);
  if (!g || g->goid != view.goid) return std::nullopt;
  return g->stack_hi - (view.stack_hi - word);
}

bool AppendCase::header_is_unchanged(const View& view) const {
  if (!view.ptr_word || !view.len_word) return false;
  std::optional<TargetAddr> ptr_word = find_word_now(view, view.ptr_word);
  std::optional<TargetAddr> len_word = find_word_now(view, view.len_word);
  if (!ptr_word || !len_word) return false;
  std::optional<u64> ptr = context_.memory.find<u64>(*ptr_word);
  std::optional<u64> len = context_.memory.find<u64>(*len_word);
  if (!ptr || !len || *ptr != view.ptr || *len != view.len) return false;
  if (view.holder != findings::Holder::kHeap) return true;
  std::optional<heap::Object> object = context_.spans.find_object(view.object);
  return object && object->user == view.object && object->size_bytes == view.object_size;
}

// As many bytes of the destination as the event kept; empty when they cannot be read.
std::vector<u8> AppendCase::read_destination() const {
  std::vector<u8> now(event().old_size);
  if (!context_.memory.read(TargetAddr(event().append.dest), now)) now.clear();
  return now;
}

// Does what the view covers of the destination differ from before?
bool AppendCase::shows_change(const View& view, const std::vector<u8>& bytes) const {
  const abi::Event& e = event();
  u64 begin = std::max(e.append.dest, view.ptr) - e.append.dest;
  u64 end = std::min(e.append.dest + e.old_size, view.end(e.append.elem_size)) - e.append.dest;
  for (u64 i = begin; i < end && i < bytes.size(); ++i) {
    if (bytes[i] != e.old_bytes[i]) return true;
  }
  return false;
}

// The destination as the append left it, as far as that is known; else as it is now, if nobody is
// known to have written there since.
std::vector<u8> AppendCase::as_appended(const Candidate& candidate,
                                        const std::vector<u8>& now) const {
  if (!candidate.appended.empty()) return candidate.appended;
  const bool has_stores = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                                      [](const Evidence& e) { return !e.stores().empty(); });
  const bool is_others = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                                     [](const Evidence& e) { return e.was_written_again(); });
  return has_stores || is_others ? put_together(candidate, now) : now;
}

// The destination as it is, if the victim shows the append's change there: what others have written
// since is no part of it.
std::optional<std::vector<u8>> AppendCase::changed_bytes(const Candidate& candidate) const {
  std::vector<u8> now = read_destination();
  if (now.size() == candidate.appended.size()) {
    std::vector<u8> appends = now;
    for (usize i = 0; i < now.size(); ++i) {
      if (now[i] != candidate.appended[i]) appends[i] = event().old_bytes[i];
    }
    if (!shows_change(candidate.view, appends)) return std::nullopt;
  } else if (!shows_change(candidate.view, now)) {
    return std::nullopt;
  }
  return now;
}

std::optional<findings::Level> AppendCase::level_of(const Candidate& candidate, bool at_gate,
                                                    bool reachable, bool main_returned) const {
  const Append& append = write_.append;
  const View& view = candidate.view;
  if (candidate.confirmed) return findings::Level::kConfirmed;
  if (candidate.closed || !view.len_known) return std::nullopt;
  // The other result of the same operand, live behind the append by the compiler's own word (that
  // of DWARF is too weak: buf of append(buf[:n], x) may stand in the very register of the operand):
  // it is used later, changed. A header whose words stand side by side may be a variable in memory,
  // and the append's own: only a watch can tell.
  bool in_memory = view.ptr_word && view.len_word == view.ptr_word + 8;
  bool live_sibling = view.same_frame && view.told_by_code && !candidate.is_owner &&
                      is_fair_stack_victim(view) && candidate.change_watched &&
                      (!in_memory || candidate.watched_throughout);
  const bool has_watches = desk_.watcher().available();
  const bool is_appends = was_changed_by_append(view);
  if (live_sibling && is_appends) return findings::Level::kLikely;
  // Or it is handed on, after the append, as the slice that it was before: not a buffer with a
  // position.
  if (candidate.handed_on && candidate.change_watched && is_appends)
    return findings::Level::kLikely;
  if (!header_is_unchanged(view)) return std::nullopt;
  // Who changed it is known only where somebody looked right after the append.
  if (has_watches && !is_appends) return findings::Level::kSuspect;
  if (refills(append, view) || candidate.is_refilled || gave_out_part(append, view))
    return findings::Level::kSuspect;
  if (may_be_replaced(append, candidate, has_watches)) return findings::Level::kSuspect;
  if (!at_gate && candidate.seen_unchanged < kLooksNeeded) return std::nullopt;
  switch (view.holder) {
    case findings::Holder::kGlobal:
      return findings::Level::kLikely;
    case findings::Holder::kHeap:
      return reachable ? findings::Level::kLikely : findings::Level::kSuspect;
    case findings::Holder::kStack: {
      std::optional<read::Function> function = context_.binary.pclntab().find_function(view.pc - 1);
      bool in_scope = main_returned && function && function->name == "main.main" &&
                      view.g.value == desk_.process().ring.control().main_gate_g;
      if (!in_scope || !view.live_for_sure) return findings::Level::kSuspect;
      const bool is_result = is_sibling(append, view) && !candidate.is_owner;
      return !view.same_frame || is_result ? findings::Level::kLikely : findings::Level::kSuspect;
    }
    case findings::Holder::kRegister:
      return findings::Level::kSuspect;
  }
  return std::nullopt;
}

void AppendCase::record(usize index, findings::Level level, const std::vector<u8>& after) {
  const Candidate& candidate = write_.candidates[index];
  level = std::min(level, candidate.is_meant ? findings::Level::kSuspect : strongest(candidate.view));
  // The lines tell that it is used, not that what was read is its own.
  if (candidate.view.told_by_source) level = std::min(level, findings::Level::kLikely);
  desk_.outcomes().record({number(), index, event().context}, level, [&] {
    return Describer(context_).describe(write_, write_.candidates[index], level, after);
  });
}

// Between gates: victims that are gone are dropped; heap victims that outlived a GC cycle and
// globals become findings.
void AppendCase::look_again() {
  for (usize i = 0; i < write_.candidates.size(); ++i) {
    Candidate& candidate = write_.candidates[i];
    if (candidate.closed || candidate.confirmed) continue;
    std::optional<std::vector<u8>> after = changed_bytes(candidate);
    if (!after || !header_is_unchanged(candidate.view)) {
      candidate.closed = candidate.view.holder != findings::Holder::kStack;
      continue;
    }
    ++candidate.seen_unchanged;
    bool reachable =
        candidate.view.holder != findings::Holder::kHeap ||
        heap::survived_gc(context_.spans, candidate.view.object, write_.sweepgen).value_or(false);
    std::optional<findings::Level> level = level_of(candidate, false, reachable, false);
    if (level && *level >= findings::Level::kLikely)
      record(i, *level, as_appended(candidate, *after));
  }
}

bool AppendCase::is_seen_through() const {
  return std::ranges::all_of(watched_, [&](usize i) { return write_.candidates[i].closed; });
}

bool AppendCase::is_over() const {
  return std::ranges::all_of(write_.candidates,
                             [](const Candidate& v) { return v.closed || v.confirmed; });
}

// Is the victim's header in use? When it is in memory that nobody uses any more, it may have gone
// on elsewhere: where it was copied to, or, when its holder grew, to an array that begins as that
// one.
std::span<Question> AppendCase::ask() {
  open_.clear();
  questions_.clear();
  for (usize i = 0; i < write_.candidates.size(); ++i) {
    const Candidate& candidate = write_.candidates[i];
    if (candidate.closed) continue;
    std::optional<std::vector<u8>> after = changed_bytes(candidate);
    if (!after) continue;
    open_.push_back({i, std::move(*after)});
    Question question;
    const bool is_in_heap = candidate.view.holder == findings::Holder::kHeap;
    const bool may_be_elsewhere =
        candidate.moved || candidate.copy_missing || !candidate.copies.empty();
    question.object = is_in_heap ? candidate.view.object : TargetAddr(event().append.old_ptr);
    if (is_in_heap && may_be_elsewhere) question.header = &candidate.view;
    questions_.push_back(std::move(question));
  }
  return questions_;
}

// The same header in a second place in use is its twin.
void AppendCase::settle_place(usize index, Question& question) {
  Candidate& candidate = write_.candidates[index];
  const View old = candidate.view;
  auto is_copy = [&](const Place& place) {
    return std::ranges::any_of(candidate.copies,
                               [&](const Place& copy) { return copy.ptr_word == place.ptr_word; });
  };
  for (const Place& place : question.elsewhere) {
    if (question.is_reachable) break;
    const bool may_have_grown = candidate.moved || candidate.copy_missing;
    if (!is_copy(place) && !(may_have_grown && has_grown_from(context_, place, old))) continue;
    put_view_at(candidate.view, place);
    candidate.moved = true;
    question.is_reachable = true;
  }
  // What stands at the same offset of another object may be what the holder grew from.
  const View& view = candidate.view;
  candidate.has_twin = std::ranges::any_of(question.elsewhere, [&](const Place& place) {
    return place.ptr_word != view.ptr_word &&
           place.ptr_word - place.object != view.ptr_word - view.object;
  });
}

void AppendCase::settle(const Gate& gate) {
  for (usize i = 0; i < open_.size(); ++i) {
    const auto& [index, after] = open_[i];
    const Candidate& candidate = write_.candidates[index];
    if (questions_[i].header != nullptr) settle_place(index, questions_[i]);
    std::optional<findings::Level> level =
        level_of(candidate, true, questions_[i].is_reachable, gate.main_returned);
    if (level) record(index, *level, as_appended(candidate, after));
  }
}

}  // namespace geist::detect::append
