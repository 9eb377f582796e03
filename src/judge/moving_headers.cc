// Headers that move while they are watched: with the stack they are on, or copied with the memory
// that holds them. Whoever moves them waits at a gate of the runtime (abi::StackGate,
// abi::CopyGate) until the case whose header it is has its watch where the header will be.
#include <algorithm>
#include <vector>

#include "judge/desk.h"

namespace geist::judge {

void Desk::serve_stack_gates() {
  for (usize n = 0; n < abi::kStackGates; ++n) {
    const std::optional<TargetAddr> g = process_.ring.find_moved_stack();
    if (!g) return;
    read_samples();
    for (const Registers::Watch& watch : registers_.all()) watch.of->on_stack_move(*g);
    if (process_.ring.open_stack_gate(*g)) continue;
    // It has gone on before the watches were where they belong.
    for (usize i = registers_.all().size(); i-- > 0;) {
      if (registers_.all()[i].of->stands_on(*g)) registers_.end(i, true);
    }
  }
}

// The goroutines with watched headers on their stacks are those that wait when these grow.
void Desk::guard_stacks() {
  if (!process_.plan.follows_stacks) return;
  std::vector<TargetAddr> goroutines;
  for (const Registers::Watch& watch : registers_.all()) {
    for (const WatchedHeader& header : watch.of->headers()) {
      if (header.g && std::ranges::count(goroutines, header.g) == 0)
        goroutines.push_back(header.g);
    }
  }
  process_.ring.set_stack_gates(std::move(goroutines));
}

void Desk::guard_copies() {
  if (process_.plan.copy_records.empty()) return;
  std::vector<TargetAddr> words;
  for (const Registers::Watch& watch : registers_.all()) {
    for (const WatchedHeader& header : watch.of->headers()) {
      if (!header.g) words.push_back(header.word);
    }
  }
  if (words == copied_words_) return;
  copied_words_ = std::move(words);
  process_.ring.watch_copies(process_.plan.copy_records, copied_words_);
}

void Desk::serve_copy_gate() {
  const std::optional<process::SharedRing::Copy> copy = process_.ring.find_copy();
  if (!copy) return;
  read_samples();
  // One may take the registers of another to follow both headers.
  std::vector<Case*> cases;
  for (const Registers::Watch& watch : registers_.all()) cases.push_back(watch.of);
  for (Case* c : cases) {
    if (registers_.has(*c)) c->on_copy(*copy);
  }
  guard_copies();
  if (process_.ring.open_copy_gate()) return;
  for (const Registers::Watch& watch : registers_.all()) watch.of->on_copy_missed();
}

}  // namespace geist::judge
