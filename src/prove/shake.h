// Shake: does what the program does depend on the capacity that append gives when it grows, or on
// what a sync.Pool gives back? The language and the library leave that open, so a program that does
// is wrong under one of its outcomes; which append, or which Put, makes the difference is found by
// halving.
//
//   plain runs ─▶ what varies by itself
//   a run under each condition (roomy, tight64) ─▶ a difference ─▶ asked again
//        ─▶ growth:  the smallest set of sites whose growth alone makes the difference
//        ─▶ writers: the smallest set of overwriting appends that take it back when they are healed
//                    under roomy, or make it by themselves when they are healed in a run as it is
//                    (tight64): the ghost write behind it
// Of pool there are no writers: what is used after its Put is seen by nobody here, and the smallest
// set is one of calls of Put.
//
// Alarms that are none, told apart by what the runs show:
//   asks_for_capacity   (of capacities) changes at one place under both conditions, or says "cap" there, and no
//                       append that overwrites something has to do with it
//   counts_allocations  changes under tight64 or pool only, likewise, and the program asked how much
//                       was allocated
//   counts_reuse        changes under pool, and tells there of hits, misses or reuse
//   varies              gone when it was run again
#pragma once

#include <functional>
#include <set>

#include "probe/condition.h"
#include "probe/pool.h"
#include "prove/experiment.h"

namespace geist::prove {

struct Shaken {
  std::string condition;             // Condition::kind_text
  bool is_pool = false;
  bool is_roomy = true;              // right by itself, so it sleeps
  std::vector<NamedAppend> growth;   // of pool, calls of Put; empty: of reflect or the runtime
  std::vector<NamedAppend> writers;  // empty: nothing was overwritten, or not by an append
  std::vector<usize> ordinals;       // of pool: which Put of its function each of growth is, from 0
  abi::SiteMode mode = abi::kHeal;   // of the writers: kHealAlways when they overwrite zeros
  findings::Proof proof;
  usize ordinal_of(const NamedAppend& put) const;  // one of growth
};

struct ShakeAnswer {
  std::vector<Shaken> found;
  std::vector<findings::OtherChange> alarms;
  std::vector<std::string> notes;  // one sentence each
};

class Shaker {
 public:
  // The first run under a condition, by whoever watches it.
  using FirstRun = std::function<Result<Outcome>(const probe::Condition&)>;

  Shaker(Experiment& experiment, const read::GoBinary& binary, const sites::SiteTable& table)
      : experiment_(experiment), binary_(binary), table_(table) {}

  // Of several appends that would explain a difference, those that somebody saw overwrite something
  // are named: function, file and line.
  void prefer(const std::string& function, const std::string& file, i32 line);
  // After experiment.learn(). Of the conditions, all sites are meant. Fails when growth cannot be
  // changed in this program.
  Result<ShakeAnswer> shake(const std::vector<probe::Condition>& conditions,
                            const FirstRun& first_run);
  // One run under a condition, not watched.
  Result<Outcome> run_under(const probe::Condition& condition);
  // The same for one more difference: does growth at these sites alone explain it?
  Result<bool> explains(const Shaken& known, const Difference& difference);

 private:
  struct Seen {
    const probe::Condition* condition = nullptr;
    Outcome outcome;
    std::optional<Difference> difference;
  };
  using Calls = std::vector<ImageAddr>;

  // The condition at these calls; nothing: everywhere.
  Changes changes(const probe::Condition& condition, std::optional<Calls> calls) const;
  Status look_into(const Seen& seen, const std::vector<Seen>& all, ShakeAnswer& answer);
  Result<std::optional<Shaken>> find_set(const probe::Condition& condition,
                                         const std::optional<Calls>& calls, Outcome first);
  Result<std::vector<NamedAppend>> find_growth(const probe::Condition& condition,
                                               const Calls& calls, const Difference& difference);
  // kHeal: appends that overwrite something; kHealAlways: also those that overwrite zeros.
  Result<std::vector<NamedAppend>> find_writers(const probe::Condition& condition,
                                                const std::optional<Calls>& calls,
                                                const Difference& difference, abi::SiteMode mode,
                                                u64* restored_runs);
  std::optional<findings::OtherChange> find_alarm(const Shaken& shaken, const Seen& seen,
                                                  const std::vector<Seen>& all) const;
  Result<bool> counts_allocations(const probe::Condition& condition);
  std::vector<usize> ordinals_of(const std::vector<NamedAppend>& puts) const;
  Status find_points(const probe::Condition& condition);
  void note_ending(const Seen& seen, ShakeAnswer& answer) const;
  // All that a set can be made of.
  Calls all_calls(const probe::Condition& condition) const;

  Experiment& experiment_;
  const read::GoBinary& binary_;
  const sites::SiteTable& table_;
  std::optional<probe::GrowthPoints> growth_;
  std::optional<probe::PoolPoints> pool_;
  bool counted_allocations_ = false;
  std::set<sites::SiteName> preferred_;
};

}  // namespace geist::prove
