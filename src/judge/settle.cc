// After things settled: which victims still show the change? The rules of level `likely`, and the
// program's end.
//
// A victim counts when at a later look its header is as it was, it is reachable, and the bytes
// differ. Three honest shapes look the same and are told apart before that:
//   the receiver     x.buf = append(x.buf[:1], …) of the same length leaves the header as it was:
//                    only a watch that saw no write to it, from before the append on, shows that
//                    it is another slice's
//   the next round   fields and rows that are cut out of a buffer anew, at the same places as
//                    before: replaced right after the append, so a watch for a while is enough
//   the refill       append(buf[:0], …): reuse is the point, older views are dead or wrong;
//                    only a read confirms
#include <algorithm>

#include "heap/gc.h"
#include "heap/goroutines.h"
#include "judge/tracker.h"
#include "process/signs_of_life.h"

namespace geist::judge {
namespace {

constexpr double kLookInterval = 0.5;
constexpr double kSettleSeconds = 1.0;
constexpr u64 kMaxReachBytes = u64{512} << 20;
constexpr u32 kLooksNeeded = 2;
constexpr usize kMaxOutcomes = 2000;

bool may_be_receiver(const Case& c, const View& view) {
  return view.ptr == c.event->append.old_ptr && view.len == c.event->append.new_len;
}

// A buffer that is filled again, from its start (emptied: whatever still looks into it belongs to a
// life that its owner has ended) or behind a front part of it: out := append(c.buf[:4], payload...)
// with c.buf as long as it ever was.
bool refills(const Case& c, const View& view) {
  return c.append.old_len() == 0 || view.may_be_cut(*c.event);
}

// Is what stands there perhaps a new header that is the same again?
bool may_be_replaced(const Case& c, const Candidate& candidate, bool has_watches) {
  const View& view = candidate.view;
  // A header that moved was not watched for a moment. If it is the append's own result in all three
  // words, that may have been put there meanwhile; of two places in use that have it, one is the
  // victim's.
  if (candidate.moved || candidate.copy_missing)
    return may_be_receiver(c, view) && !candidate.has_twin;
  if (candidate.watched_throughout) return false;
  if (view.ptr == c.event->append.old_ptr) return true;
  // A variable that is live behind the append was not about to be replaced.
  if (view.holder == findings::Holder::kStack) return false;
  return has_watches ? !candidate.watched_a_while : view.ptr >= c.append.dest();
}

// In the frame of the append itself a filter (kept := items[:0]) leaves its source changed on
// purpose; two results of one operand have the same length. A slice whose pointer is the operand's,
// in one register, is no result: the operand was cut out of it, buf[:n].
bool is_sibling(const Case& c, const View& view) {
  const bool is_operands = view.told_by_code && view.ptr_from == c.append.site->site.old_ptr;
  return may_be_receiver(c, view) && !is_operands;
}

}  // namespace

// Live behind the append for sure, with a length of its own, and neither a buffer that is filled
// again nor, in the frame of the append itself, anything but the other result of the same operand.
bool Tracker::is_fair_stack_victim(const Case& c, const View& view) {
  return view.live_for_sure && !view.in_stack_object && view.len_known && !refills(c, view) &&
         (!view.same_frame || is_sibling(c, view));
}

// Where a word of the view is by now: stacks move. Nothing when its goroutine is gone.
std::optional<TargetAddr> Tracker::find_word_now(const View& view, TargetAddr word) const {
  if (view.holder != findings::Holder::kStack) return word;
  std::optional<heap::Goroutine> g =
      heap::read_goroutine(context_.memory, context_.binary.layout(), view.g);
  if (!g || g->goid != view.goid) return std::nullopt;
  return g->stack_hi - (view.stack_hi - word);
}

bool Tracker::header_is_unchanged(const View& view) const {
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
std::vector<u8> Tracker::read_destination(const Case& c) const {
  std::vector<u8> now(c.event->old_size);
  if (!context_.memory.read(TargetAddr(c.event->append.dest), now)) now.clear();
  return now;
}

// Does what the view covers of the destination differ from before?
bool Tracker::shows_change(const Case& c, const View& view, const std::vector<u8>& bytes) {
  const abi::Event& e = *c.event;
  u64 begin = std::max(e.append.dest, view.ptr) - e.append.dest;
  u64 end = std::min(e.append.dest + e.old_size, view.end(e.append.elem_size)) - e.append.dest;
  for (u64 i = begin; i < end && i < bytes.size(); ++i) {
    if (bytes[i] != e.old_bytes[i]) return true;
  }
  return false;
}

// The destination as the append left it, as far as that is known; else as it is now, if nobody is
// known to have written there since.
std::vector<u8> Tracker::as_appended(const Case& c, const Candidate& candidate,
                                     const std::vector<u8>& now) {
  if (!candidate.appended.empty()) return candidate.appended;
  const bool has_stores = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                                      [](const Evidence& e) { return !e.stores().empty(); });
  const bool is_others = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                                     [](const Evidence& e) { return e.was_written_again(); });
  return has_stores || is_others ? put_together(c, candidate, now) : now;
}

// The destination as it is, if the victim shows the append's change there: what others have written
// since is no part of it.
std::optional<std::vector<u8>> Tracker::changed_bytes(const Case& c,
                                                      const Candidate& candidate) const {
  std::vector<u8> now = read_destination(c);
  if (now.size() == candidate.appended.size()) {
    std::vector<u8> appends = now;
    for (usize i = 0; i < now.size(); ++i) {
      if (now[i] != candidate.appended[i]) appends[i] = c.event->old_bytes[i];
    }
    if (!shows_change(c, candidate.view, appends)) return std::nullopt;
  } else if (!shows_change(c, candidate.view, now)) {
    return std::nullopt;
  }
  return now;
}

std::optional<findings::Level> Tracker::level_of(const Case& c, const Candidate& candidate,
                                                 bool at_gate, bool reachable,
                                                 bool main_returned) const {
  const View& view = candidate.view;
  if (candidate.confirmed) return findings::Level::kConfirmed;
  if (candidate.closed || !view.len_known) return std::nullopt;
  // The other result of the same operand, live behind the append by the compiler's own word (that of
  // DWARF is too weak: buf of append(buf[:n], x) may stand in the very register of the operand): it is
  // used later, changed. A header whose words stand side by side may be a variable in memory, and
  // the append's own: only a watch can tell.
  bool in_memory = view.ptr_word && view.len_word == view.ptr_word + 8;
  bool live_sibling = view.same_frame && view.told_by_code && !candidate.is_owner &&
                      is_fair_stack_victim(c, view) && candidate.change_watched &&
                      (!in_memory || candidate.watched_throughout);
  const bool is_appends = was_changed_by_append(c, view);
  if (live_sibling && is_appends) return findings::Level::kLikely;
  // Or it is handed on, after the append, as the slice that it was before: not a buffer with a
  // position.
  if (candidate.handed_on && candidate.change_watched && is_appends)
    return findings::Level::kLikely;
  if (!header_is_unchanged(view)) return std::nullopt;
  // Who changed it is known only where somebody looked right after the append.
  if (watcher_.available() && !is_appends) return findings::Level::kSuspect;
  if (refills(c, view) || candidate.is_refilled) return findings::Level::kSuspect;
  if (may_be_replaced(c, candidate, watcher_.available())) return findings::Level::kSuspect;
  if (!at_gate && candidate.seen_unchanged < kLooksNeeded) return std::nullopt;
  switch (view.holder) {
    case findings::Holder::kGlobal:
      return findings::Level::kLikely;
    case findings::Holder::kHeap:
      return reachable ? findings::Level::kLikely : findings::Level::kSuspect;
    case findings::Holder::kStack: {
      std::optional<read::Function> function = context_.binary.pclntab().find_function(view.pc - 1);
      bool in_scope = main_returned && function && function->name == "main.main" &&
                      view.g.value == process_.ring.control().main_gate_g;
      if (!in_scope || !view.live_for_sure) return findings::Level::kSuspect;
      const bool is_result = is_sibling(c, view) && !candidate.is_owner;
      return !view.same_frame || is_result ? findings::Level::kLikely : findings::Level::kSuspect;
    }
    case findings::Holder::kRegister:
      return findings::Level::kSuspect;
  }
  return std::nullopt;
}

void Tracker::record(const Case& c, usize candidate, findings::Level level,
                     const std::vector<u8>& after) {
  for (Outcome& o : outcomes_) {
    if (o.of != c.number || o.candidate != candidate) continue;
    if (level <= o.finding.level) return;
    o.finding = describer_.describe(c, c.candidates[candidate], level, after);
    ++revision_;
    return;
  }
  if (outcomes_.size() >= kMaxOutcomes) {
    ++findings_left_out_;
    return;
  }
  ++revision_;
  outcomes_.push_back({c.number, candidate, c.event->context,
                       describer_.describe(c, c.candidates[candidate], level, after)});
}

std::vector<findings::Finding> Tracker::findings() const {
  std::vector<findings::Finding> merged;
  std::map<std::string, usize> by_key;
  for (const Outcome& o : outcomes_) {
    const findings::Finding& f = o.finding;
    std::string key = f.pc + "|" + std::string(findings::holder_name(f.victim.holder)) + "|" +
                      f.victim.name + "|" + f.victim.type;
    auto [it, fresh] = by_key.emplace(key, merged.size());
    if (fresh) {
      merged.push_back(f);
      continue;
    }
    findings::Finding& kept = merged[it->second];
    u64 count = kept.count + f.count;
    if (f.level > kept.level) kept = f;
    kept.count = count;
  }
  std::stable_sort(
      merged.begin(), merged.end(),
      [](const findings::Finding& a, const findings::Finding& b) { return a.level > b.level; });
  return merged;
}

// Between gates: victims that are gone are dropped; heap victims that outlived a GC cycle and
// globals become findings.
void Tracker::look_again() {
  if (now_s() - last_look_s_ < kLookInterval || !may_spend(0.001)) return;
  last_look_s_ = now_s();
  for (std::unique_ptr<Case>& c : cases_) {
    if (now_s() - c->at_s < kSettleSeconds) continue;
    for (usize i = 0; i < c->candidates.size(); ++i) {
      Candidate& candidate = c->candidates[i];
      if (candidate.closed || candidate.confirmed) continue;
      std::optional<std::vector<u8>> after = changed_bytes(*c, candidate);
      if (!after || !header_is_unchanged(candidate.view)) {
        candidate.closed = candidate.view.holder != findings::Holder::kStack;
        continue;
      }
      ++candidate.seen_unchanged;
      bool reachable =
          candidate.view.holder != findings::Holder::kHeap ||
          heap::survived_gc(context_.spans, candidate.view.object, c->sweepgen).value_or(false);
      std::optional<findings::Level> level = level_of(*c, candidate, false, reachable, false);
      if (level && *level >= findings::Level::kLikely)
        record(*c, i, *level, as_appended(*c, candidate, *after));
    }
  }
  for (usize i = sessions_.size(); i-- > 0;) {
    const Session& s = sessions_[i];
    bool over = std::all_of(s.candidates.begin(), s.candidates.end(),
                            [&](usize k) { return s.of->candidates[k].closed; });
    if (over) end_session(i, false);
  }
  cases_.forget_if([this](const Case& c) { return is_over(c); });
}

// Nothing of it can become a finding any more, or a stronger one.
bool Tracker::is_over(const Case& c) const {
  const bool is_watched =
      std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& s) { return s.of == &c; });
  return !is_watched && std::all_of(c.candidates.begin(), c.candidates.end(),
                                    [](const auto& v) { return v.closed || v.confirmed; });
}

std::vector<Tracker::Open> Tracker::find_open() const {
  std::vector<Open> open;
  for (const std::unique_ptr<Case>& c : cases_) {
    for (usize i = 0; i < c->candidates.size(); ++i) {
      const Candidate& candidate = c->candidates[i];
      if (candidate.closed) continue;
      std::optional<std::vector<u8>> after = changed_bytes(*c, candidate);
      if (after) open.push_back({c.get(), i, std::move(*after)});
    }
  }
  return open;
}

// While main.main waits at its return, its goroutine counts as running.
heap::StandingGoroutine Tracker::at_main_gate() const {
  const abi::Control& control = process_.ring.control();
  if (!process::SharedRing::is_waited_at(&control.main_gate)) return {};
  return {TargetAddr(control.main_gate_g), TargetAddr(control.main_gate_sp)};
}

void Tracker::mark_reachable(std::vector<Open>& open) const {
  std::vector<TargetAddr> objects;
  for (const Open& o : open) {
    const View& view = o.victim().view;
    objects.push_back(view.holder == findings::Holder::kHeap
                          ? view.object
                          : TargetAddr(o.of->event->append.old_ptr));
  }
  std::vector<bool> reached(objects.size(), false);
  context_.scanner.is_reachable(objects, kMaxReachBytes, &reached, at_main_gate());
  for (usize i = 0; i < open.size(); ++i) open[i].reachable = reached[i];
}

// A victim whose header is in memory that nobody uses any more may have gone on elsewhere: where it
// was copied to, or, when its holder grew, to an array that begins as that one. The same header in
// a second place in use is its twin.
void Tracker::find_moved(std::vector<Open>& open) const {
  std::vector<Open*> moved;
  std::vector<const View*> views;
  for (Open& o : open) {
    const Candidate& candidate = o.victim();
    const bool may_be_elsewhere =
        candidate.moved || candidate.copy_missing || !candidate.copies.empty();
    if (candidate.view.holder != findings::Holder::kHeap || !may_be_elsewhere) continue;
    moved.push_back(&o);
    views.push_back(&candidate.view);
  }
  if (moved.empty()) return;
  const std::vector<std::vector<Place>> places = find_same_headers(context_, views);
  std::vector<TargetAddr> objects;
  for (const std::vector<Place>& of_one : places) {
    for (const Place& p : of_one)
      objects.push_back(p.holder == findings::Holder::kHeap ? p.object : p.ptr_word);
  }
  std::vector<bool> reached(objects.size(), false);
  context_.scanner.is_reachable(objects, kMaxReachBytes, &reached, at_main_gate());
  auto is_reached = reached.begin();
  for (usize i = 0; i < moved.size(); ++i) {
    std::vector<Place> in_use;
    for (const Place& place : places[i]) {
      if (*is_reached++) in_use.push_back(place);
    }
    settle_place(*moved[i], in_use);
  }
}

void Tracker::settle_place(Open& open, const std::vector<Place>& in_use) const {
  Candidate& candidate = open.victim();
  const View old = candidate.view;
  auto is_copy = [&](const Place& place) {
    return std::any_of(candidate.copies.begin(), candidate.copies.end(),
                       [&](const Place& copy) { return copy.ptr_word == place.ptr_word; });
  };
  for (const Place& place : in_use) {
    if (open.reachable) break;
    const bool may_have_grown = candidate.moved || candidate.copy_missing;
    if (!is_copy(place) && !(may_have_grown && has_grown_from(context_, place, old))) continue;
    put_view_at(candidate.view, place);
    candidate.moved = true;
    open.reachable = true;
  }
  // What stands at the same offset of another object may be what the holder grew from.
  const View& view = candidate.view;
  candidate.has_twin = std::any_of(in_use.begin(), in_use.end(), [&](const Place& place) {
    return place.ptr_word != view.ptr_word &&
           place.ptr_word - place.object != view.ptr_word - view.object;
  });
}

// At a gate the program stands still in one place: main.main returns, or the process exits. That
// holds only for what was read before it went on.
void Tracker::settle(const u32* gate, bool main_returned) {
  read_samples();
  wait_for_settled_bytes();
  std::vector<Open> open = find_open();
  if (open.empty()) return;
  const process::SignsOfLife meanwhile(process_.ring);
  mark_reachable(open);
  find_moved(open);
  if (!process::SharedRing::is_waited_at(gate)) {
    ++gates_left_;
    return;
  }
  for (const Open& o : open) {
    std::optional<findings::Level> level =
        level_of(*o.of, o.victim(), true, o.reachable, main_returned);
    if (level) record(*o.of, o.candidate, *level, as_appended(*o.of, o.victim(), o.after));
  }
}

void Tracker::serve_gates() {
  abi::Control& control = process_.ring.control();
  if (process::SharedRing::is_waited_at(&control.main_gate)) {
    settle(&control.main_gate, true);
    settled_at_end_ = true;
    if (options_.at_end) options_.at_end();
    process_.ring.open_gate(&control.main_gate);
  }
  if (process::SharedRing::is_waited_at(&control.exit_gate)) {
    if (settled_at_end_) {
      read_samples();
      wait_for_settled_bytes();
    } else {
      settle(&control.exit_gate, false);
    }
    if (!settled_at_end_ && options_.at_end) options_.at_end();
    settled_at_end_ = true;
    process_.ring.open_gate(&control.exit_gate);
  }
}

void Tracker::finish() {
  // Memory is gone; what the kernel had sampled before is still in the buffers, and so are unread
  // events.
  read_samples();
  u32 sites = static_cast<u32>(process_.plan.sites.size());
  not_judged_ += process_.ring.drop_all(sites);
}

}  // namespace geist::judge
