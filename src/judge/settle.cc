// After things settled: which victims still show the change? The rules of level `likely`, and the program's end.
//
// A victim counts when at a later look its header is as it was, it is reachable, and the bytes differ. Two honest shapes
// look the same and are told apart before that:
//   the receiver   x.buf = append(x.buf[:1], …) of the same length leaves the header as it was: only a watch that saw no
//                  write to it from before the append on shows that it is somebody else's
//   the refill     append(buf[:0], …): reuse is the point, older views are dead or wrong; only a read confirms
#include <algorithm>

#include "heap/gc.h"
#include "heap/goroutines.h"
#include "judge/tracker.h"

namespace geist::judge {
namespace {

constexpr double kLookInterval = 0.5;
constexpr double kSettleSeconds = 1.0;
constexpr u64 kMaxReachBytes = u64{512} << 20;
constexpr u32 kLooksNeeded = 2;
constexpr usize kMaxOutcomes = 2000;

bool may_be_receiver(const Case& c, const View& view) {
  return view.ptr == c.event->old_ptr && view.len == c.event->new_len;
}

// An emptied buffer that is filled again: whatever still looks into it belongs to a life that its owner has ended.
bool refills_emptied_buffer(const Case& c) { return c.event->new_len == c.event->num; }

// A header that begins where the operand does may have been replaced and have become the same again.
bool needs_watch(const Case& c, const View& view) { return view.ptr == c.event->old_ptr; }

// In the frame of the append itself a filter (kept := items[:0]) leaves its source changed on purpose; two results of one
// operand have the same length.
bool is_sibling(const Case& c, const View& view) { return may_be_receiver(c, view); }

}  // namespace

// Live behind the append for sure, with a length of its own, and neither a buffer that is filled again nor, in the frame of
// the append itself, anything but the other result of the same operand.
bool Tracker::is_fair_stack_victim(const Case& c, const View& view) {
  return view.live_for_sure && !view.in_stack_object && view.len_known && !refills_emptied_buffer(c) &&
         (!view.same_frame || is_sibling(c, view));
}

bool Tracker::header_is_unchanged(const View& view) const {
  if (!view.ptr_word || !view.len_word) return false;
  std::optional<u64> ptr = context_.memory.find<u64>(view.ptr_word);
  std::optional<u64> len = context_.memory.find<u64>(view.len_word);
  if (!ptr || !len || *ptr != view.ptr || *len != view.len) return false;
  if (view.holder != Holder::kHeap) return true;
  std::optional<heap::Object> object = context_.spans.find_object(view.object);
  return object && object->user == view.object && object->size_bytes == view.object_size;
}

// As many bytes of the destination as the event kept; empty when they cannot be read.
std::vector<u8> Tracker::read_destination(const Case& c) const {
  std::vector<u8> now(c.event->old_size);
  if (!context_.memory.read(TargetAddr(c.event->dest), now)) now.clear();
  return now;
}

// Does what the view covers of the destination differ from before?
bool Tracker::shows_change(const Case& c, const View& view, const std::vector<u8>& bytes) {
  const abi::Event& e = *c.event;
  u64 begin = std::max(e.dest, view.ptr) - e.dest;
  u64 end = std::min(e.dest + e.old_size, view.end(e.elem_size)) - e.dest;
  for (u64 i = begin; i < end && i < bytes.size(); ++i) {
    if (bytes[i] != e.old_bytes[i]) return true;
  }
  return false;
}

std::optional<std::vector<u8>> Tracker::changed_bytes(const Case& c, const Candidate& candidate) const {
  std::vector<u8> now = read_destination(c);
  if (!shows_change(c, candidate.view, now)) return std::nullopt;
  return now;
}

std::optional<Level> Tracker::level_of(const Case& c, const Candidate& candidate, bool at_gate, bool reachable,
                                       bool main_returned) const {
  const View& view = candidate.view;
  if (candidate.confirmed) return Level::kConfirmed;
  if (candidate.closed || !view.len_known) return std::nullopt;
  // The other result of the same operand, live behind the append by the compiler's own word: it is used later, changed.
  // A header whose words stand side by side may be a variable in memory, and the append's own: only a watch can tell.
  bool in_memory = view.ptr_word && view.len_word == view.ptr_word + 8;
  bool live_sibling = view.same_frame && is_fair_stack_victim(c, view) && candidate.change_watched &&
                      (!in_memory || candidate.watched_throughout);
  if (live_sibling) return Level::kLikely;
  if (!header_is_unchanged(view)) return std::nullopt;
  if (refills_emptied_buffer(c)) return Level::kSuspect;
  if (needs_watch(c, view) && !candidate.watched_throughout) return Level::kSuspect;
  if (!at_gate && candidate.seen_unchanged < kLooksNeeded) return std::nullopt;
  switch (view.holder) {
    case Holder::kGlobal: return Level::kLikely;
    case Holder::kHeap: return reachable ? Level::kLikely : Level::kSuspect;
    case Holder::kStack: {
      std::optional<read::Function> function = context_.binary.pclntab().find_function(view.pc - 1);
      bool in_scope = main_returned && function && function->name == "main.main" &&
                      view.g.value == process_.ring.control().main_gate_g;
      if (!in_scope || !view.live_for_sure) return Level::kSuspect;
      return !view.same_frame || is_sibling(c, view) ? Level::kLikely : Level::kSuspect;
    }
    case Holder::kRegister: return Level::kSuspect;
  }
  return std::nullopt;
}

void Tracker::record(const Case& c, usize candidate, Level level, const std::vector<u8>& after) {
  for (Outcome& o : outcomes_) {
    if (o.found != &c || o.candidate != candidate) continue;
    if (level > o.finding.level) o.finding = describer_.describe(c, c.candidates[candidate], level, after);
    return;
  }
  if (outcomes_.size() >= kMaxOutcomes) return;
  outcomes_.push_back({&c, candidate, describer_.describe(c, c.candidates[candidate], level, after)});
}

std::vector<Finding> Tracker::findings() const {
  std::vector<Finding> merged;
  std::map<std::string, usize> by_key;
  for (const Outcome& o : outcomes_) {
    const Finding& f = o.finding;
    std::string key = f.pc + "|" + std::string(holder_name(f.victim.holder)) + "|" + f.victim.name + "|" + f.victim.type;
    auto [it, fresh] = by_key.emplace(key, merged.size());
    if (fresh) {
      merged.push_back(f);
      continue;
    }
    Finding& kept = merged[it->second];
    u64 count = kept.count + f.count;
    if (f.level > kept.level) kept = f;
    kept.count = count;
  }
  std::stable_sort(merged.begin(), merged.end(), [](const Finding& a, const Finding& b) { return a.level > b.level; });
  return merged;
}

// Between gates: victims that are gone are dropped; heap victims that outlived a GC cycle and globals become findings.
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
        candidate.closed = candidate.view.holder != Holder::kStack;
        continue;
      }
      ++candidate.seen_unchanged;
      bool reachable = candidate.view.holder != Holder::kHeap ||
                       heap::survived_gc(context_.spans, candidate.view.object, c->sweepgen).value_or(false);
      std::optional<Level> level = level_of(*c, candidate, false, reachable, false);
      if (level && *level >= Level::kLikely) record(*c, i, *level, *after);
    }
  }
  for (usize i = sessions_.size(); i-- > 0;) {
    const Session& s = sessions_[i];
    bool over = std::all_of(s.candidates.begin(), s.candidates.end(), [&](usize k) { return s.of->candidates[k].closed; });
    if (over) end_session(i, false);
  }
}

// At a gate the program stands still in one place: main.main returns, or the process exits.
void Tracker::settle(bool main_returned) {
  read_samples();
  struct Open {
    Case* c;
    usize candidate;
    std::vector<u8> after;
  };
  std::vector<Open> open;
  std::vector<TargetAddr> objects;
  for (std::unique_ptr<Case>& c : cases_) {
    for (usize i = 0; i < c->candidates.size(); ++i) {
      Candidate& candidate = c->candidates[i];
      if (candidate.closed) continue;
      std::optional<std::vector<u8>> after = changed_bytes(*c, candidate);
      if (!after) continue;
      open.push_back({c.get(), i, std::move(*after)});
      objects.push_back(candidate.view.holder == Holder::kHeap ? candidate.view.object : TargetAddr(c->event->old_ptr));
    }
  }
  if (open.empty()) return;
  std::vector<bool> reached(objects.size(), false);
  context_.scanner.is_reachable(objects, kMaxReachBytes, &reached);
  for (usize i = 0; i < open.size(); ++i) {
    const Candidate& candidate = open[i].c->candidates[open[i].candidate];
    std::optional<Level> level = level_of(*open[i].c, candidate, true, i < reached.size() && reached[i], main_returned);
    if (level) record(*open[i].c, open[i].candidate, *level, open[i].after);
  }
}

void Tracker::serve_gates() {
  abi::Control& control = process_.ring.control();
  auto waits = [](u32* gate) { return __atomic_load_n(gate, __ATOMIC_ACQUIRE) == abi::kGateWaiting; };
  if (waits(&control.main_gate)) {
    settle(true);
    settled_at_end_ = true;
    process_.ring.open_gate(&control.main_gate);
  }
  if (waits(&control.exit_gate)) {
    if (settled_at_end_) read_samples();
    else settle(false);
    settled_at_end_ = true;
    process_.ring.open_gate(&control.exit_gate);
  }
}

void Tracker::finish() {
  // Memory is gone; what the kernel had sampled before is still in the buffers, and so are unread events.
  read_samples();
  u32 sites = static_cast<u32>(process_.plan.sites.size());
  while (process_.ring.take(sites)) ++not_judged_;
}

}  // namespace geist::judge
