// Which watch ends for whom, and the words of each.
#include "judge/registers.h"

#include <algorithm>

#include "judge/clock.h"

namespace geist::judge {
namespace {

constexpr u64 kHoldNs = 50'000'000;  // a younger watch is not taken off for an equal one
constexpr int kEqual = 4;            // ranks that differ by no more
constexpr usize kWordsOfAWatch = 2;  // a header's, and one of what changes

}  // namespace

void Registers::begin(Case& of, int rank) {
  // What was lost before is an earlier watch's.
  if (watches_.empty()) {
    watcher_.drain();
    watcher_.note_unseen();
  }
  Watch watch;
  watch.of = &of;
  watch.rank = rank;
  watch.since_ns = nanoseconds(CLOCK_MONOTONIC);
  watch.lost_before = watcher_.lost_samples();
  watch.late_before = watcher_.late_threads();
  watches_.push_back(std::move(watch));
}

Registers::Watch* Registers::find(const Case& of) {
  auto watch = std::ranges::find(watches_, &of, &Watch::of);
  return watch == watches_.end() ? nullptr : &*watch;
}

bool Registers::has(const Case& of) const {
  return std::ranges::find(watches_, &of, &Watch::of) != watches_.end();
}

bool Registers::watches(const Case& of, TargetAddr word) const {
  auto watch = std::ranges::find(watches_, &of, &Watch::of);
  return watch != watches_.end() && std::ranges::count(watch->words, word) != 0;
}

bool Registers::add(const Case& of, TargetAddr word, u32 size, bool on_stack) {
  Watch* watch = find(of);
  if (watch == nullptr || !watcher_.add(word, size, on_stack)) return false;
  watch->words.push_back(word);
  return true;
}

void Registers::remove(const Case& of, TargetAddr word) {
  Watch* watch = find(of);
  if (watch == nullptr) return;
  watcher_.remove(word);
  std::erase(watch->words, word);
}

bool Registers::move(const Case& of, TargetAddr from, TargetAddr to, u32 size, bool on_stack) {
  Watch* watch = find(of);
  if (watch == nullptr) return false;
  auto watched = std::ranges::find(watch->words, from);
  if (watched == watch->words.end()) return false;
  watcher_.remove(from);
  const bool is_set = watcher_.add(to, size, on_stack);
  if (is_set)
    *watched = to;
  else
    watch->words.erase(watched);
  return is_set;
}

Unseen Registers::unseen(const Watch& watch) const {
  return {.lost = watcher_.lost_samples() != watch.lost_before,
          .late = watcher_.late_threads() != watch.late_before,
          .saw_all = watcher_.saw_all()};
}

static bool is_same_site(const Case& a, const Case& b) {
  return a.event().site == b.event().site && a.event().detector == b.event().detector;
}

bool Registers::take_from_sibling(const Case& of) {
  for (usize i = watches_.size(); i-- > 0;) {
    if (watches_[i].of == &of || !is_same_site(*watches_[i].of, of)) continue;
    end(i, true);
    return true;
  }
  return false;
}

bool Registers::go_on_with(const Case& c) {
  return std::ranges::any_of(watches_, [&](const Watch& watch) {
    const Unseen missed = unseen(watch);
    return !missed.lost && !missed.late && watch.of->written().overlaps(c.written()) &&
           watch.of->goes_on_with(c);
  });
}

void Registers::give_way_to(const Case& c) {
  for (usize i = watches_.size(); i-- > 0;) {
    const bool overlaps = watches_[i].of->written().overlaps(c.written());
    if (overlaps && !watches_[i].of->give_way(*this, c.written())) end(i, true);
  }
  for (usize i = watches_.size(); i-- > 0 && watcher_.free_words() < kWordsOfAWatch;) {
    if (watches_[i].of->written().overlaps(c.written())) end(i, true);
  }
}

// Room is made by watches that have seen enough, whose event changed nothing, that are old, or that
// promise less.
void Registers::make_room(int rank, const std::function<void()>& read_samples) {
  if (watcher_.free_words() < kWordsOfAWatch) read_samples();
  for (usize i = watches_.size(); i-- > 0 && watcher_.free_words() < kWordsOfAWatch;) {
    const Watch& watch = watches_[i];
    const bool is_old = nanoseconds(CLOCK_MONOTONIC) - watch.since_ns > kHoldNs;
    if (watch.rank < rank || (is_old && watch.rank <= rank + kEqual) || watch.of->is_idle())
      end(i, true);
  }
}

// Not of cases of the same site: which part of its next change will be read is not known either.
void Registers::give_up_words(const Case& c) {
  for (const Watch& watch : watches_) {
    if (is_same_site(*watch.of, c)) continue;
    while (watcher_.free_words() < kWordsOfAWatch && watch.of->give_up_word(*this)) {
    }
  }
}

void Registers::end(usize index, bool early) {
  const Watch watch = std::move(watches_[index]);
  watches_.erase(watches_.begin() + static_cast<i64>(index));
  for (TargetAddr word : watch.words) watcher_.remove(word);
  watch.of->on_watch_end(early, nanoseconds(CLOCK_MONOTONIC) - watch.since_ns);
}

void Registers::end(const Case& of) {
  for (usize i = watches_.size(); i-- > 0;) {
    if (watches_[i].of == &of) end(i, true);
  }
}

void Registers::drop(const Case& of) {
  Watch* watch = find(of);
  if (watch == nullptr) return;
  for (TargetAddr word : watch->words) watcher_.remove(word);
  watches_.erase(watches_.begin() + (watch - watches_.data()));
}

std::optional<usize> Registers::hottest() const {
  auto hottest = std::ranges::max_element(watches_, {}, &Watch::accesses);
  if (hottest == watches_.end() || hottest->accesses == 0) return std::nullopt;
  return static_cast<usize>(hottest - watches_.begin());
}

}  // namespace geist::judge
