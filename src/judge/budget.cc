// What watching costs, and what is left out so that it stays within the budget.
//
//   the program   waits, slow path (both by the runtime, in Control); traps of watched words (here)
//   the judge     processor time of this process
//
// Each of the two may take the same share of the time that passes, after a grace. The runtime thins
// out hot sites by itself (runtime/overwrite.cc); here are the watches and the judge.
#include "judge/desk.h"

namespace geist::judge {

// A word that the program uses all the time is watched no longer than half of the budget pays for.
void Desk::hold_budget() {
  constexpr double kGraceSeconds = 0.02;
  const double spent = watch_seconds();
  process_.ring.charge_watches(spent);
  if (spent < kGraceSeconds + options_.share / 2 * now_s()) return;
  const std::optional<usize> hottest = registers_.hottest();
  if (!hottest) return;
  registers_.end(*hottest, true);
  ++too_hot_to_watch_;
}

findings::EventCounts Desk::counts() const {
  const abi::Control& c = process_.ring.control();
  return {c.overwriting, c.contexts, c.recorded, judged_};
}

std::map<std::string, u64> Desk::losses() const {
  const abi::Control& c = process_.ring.control();
  const u64 ring_full = c.lost_ring_full, context_table_full = c.lost_context_table_full;
  const u64 no_private_stack = c.lost_no_stack, bad_arguments = c.lost_bad_arguments;
  const u64 damaged_events = process_.ring.lost_damaged() + damaged_, not_judged = not_judged_,
            not_watched = not_watched_;
  const u64 samples_lost = watcher_.lost_samples(),
            threads_unwatched = watcher_.unwatched_threads();
  const u64 too_hot_to_watch = too_hot_to_watch_, thinned_out = c.thinned_out;
  const u64 disarmed = process_.ring.has_disarmed_itself() ? 1 : 0, gates_left = gates_left_;
  const u64 cases_given_up = cases_given_up_, findings_left_out = outcomes_.left_out();
  const LeftOut& out = context_.left_out;
  const u64 victims_left_out = out.victims, heap_not_scanned = out.heap;
  const u64 goroutines_left_out = out.goroutines, stacks_left_out = out.stacks,
            goroutines_unread = out.unread, header_reads_left_out = out.header_reads,
            copies_left_out = out.copies, holders_left_out = out.holders;
  const u64 latent_left_out = 0, maps_thinned_out = 0, map_findings_left_out = 0,  // others' to add
      list_findings_left_out = 0, mix_rows_left_out = 0, mix_not_counted = 0, mix_maps_lost = 0;
  return {
#define GEIST_LOSS(name, severity, help) {#name, name},
#include "findings/loss.inc"
#undef GEIST_LOSS
  };
}

}  // namespace geist::judge
