// What watching costs, and what is left out so that it stays within the budget.
//
//   the program   waits, slow path (both by the runtime, in Control); traps of watched words (here)
//   the judge     processor time of this process
//
// Each of the two may take the same share of the time that passes, after a grace. The runtime thins
// out hot sites by itself (runtime/overwrite.cc); here are the watches and the judge.
#include <algorithm>

#include "judge/tracker.h"

namespace geist::judge {

bool Tracker::may_spend(double wanted) const {
  return cpu_seconds() + wanted < options_.cpu_grace_s + options_.share * now_s();
}

double Tracker::watch_seconds() const {
  return watcher_.seconds();
}

// A word that the program uses all the time is watched no longer than half of the budget pays for.
void Tracker::hold_budget() {
  constexpr double kGraceSeconds = 0.02;
  const double spent = watch_seconds();
  process_.ring.charge_watches(spent);
  if (spent < kGraceSeconds + options_.share / 2 * now_s()) return;
  auto hottest =
      std::max_element(sessions_.begin(), sessions_.end(),
                       [](const Session& a, const Session& b) { return a.accesses < b.accesses; });
  if (hottest == sessions_.end() || hottest->accesses == 0) return;
  end_session(static_cast<usize>(hottest - sessions_.begin()), true);
  ++too_hot_to_watch_;
}

findings::EventCounts Tracker::counts() const {
  const abi::Control& c = process_.ring.control();
  return {c.overwriting, c.contexts, c.recorded, judged_};
}

std::map<std::string, u64> Tracker::losses() const {
  const abi::Control& c = process_.ring.control();
  const u64 ring_full = c.lost_ring_full, context_table_full = c.lost_context_table_full;
  const u64 no_private_stack = c.lost_no_stack, bad_arguments = c.lost_bad_arguments;
  const u64 damaged_events = process_.ring.lost_damaged() + damaged_, not_judged = not_judged_,
            not_watched = not_watched_;
  const u64 samples_lost = watcher_.lost_samples(),
            threads_unwatched = watcher_.unwatched_threads();
  const u64 heap_not_scanned = heap_not_scanned_, too_hot_to_watch = too_hot_to_watch_,
            thinned_out = c.thinned_out;
  const u64 disarmed = process_.ring.has_disarmed_itself() ? 1 : 0, gates_left = gates_left_;
  const u64 cases_given_up = cases_given_up_, victims_left_out = victims_left_out_,
            findings_left_out = findings_left_out_;
  const LeftOut& out = context_.left_out;
  const u64 goroutines_left_out = out.goroutines, stacks_left_out = out.stacks,
            goroutines_unread = out.unread, header_reads_left_out = out.header_reads,
            copies_left_out = out.copies, holders_left_out = out.holders;
  const u64 latent_left_out = 0;  // who looks for latent ones adds to it
  return {
#define GEIST_LOSS(name, severity, help) {#name, name},
#include "findings/loss.inc"
#undef GEIST_LOSS
  };
}

}  // namespace geist::judge
