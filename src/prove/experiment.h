// Experiment: does a change to the program's run change what it does, every time and never without?
//
//   two plain runs ─▶ what varies by itself ─▶ a changed run differs ─▶ more plain, control and
//   changed runs, in turn ─▶ it differs in every changed run, in no other
//
// One differing run proves nothing about a program that varies: a coin flip agrees with that every
// second time. So a difference is asked for again, `confirm_runs` times, with runs of the other
// kinds in between; a run that shows the difference without the change makes it part of what
// varies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "findings/finding.h"
#include "prove/baseline.h"
#include "prove/runner.h"
#include "sites/names.h"

namespace geist::prove {

// An append by its name, or a call of Put, with all the places it was compiled into.
struct NamedAppend {
  sites::SiteName name;
  std::vector<ImageAddr> calls;
};

// The appends of these calls, the program's own and its libraries' first: they are the more likely
// culprits, and of two that would do the first is found.
std::vector<NamedAppend> group_by_name(const read::GoBinary& binary,
                                       const std::vector<ImageAddr>& calls);
std::vector<ImageAddr> calls_of(const std::map<ImageAddr, u64>& counts);
std::vector<ImageAddr> calls_of(const std::vector<NamedAppend>& appends,
                                const std::vector<usize>& chosen);
// `mode` kHealAlways: also where the slots that would be written are all zero, which may be live.
std::map<ImageAddr, abi::SiteMode> healing(const std::vector<ImageAddr>& calls,
                                           abi::SiteMode mode = abi::kHeal);
u64 count_healed(const ChangedOutcome& run);

struct Repeated {
  std::optional<Difference> difference;  // nothing: it also changes by itself
  u64 plain_runs = 0, changed_runs = 0;
};

class Experiment {
 public:
  Experiment(Runner& runner, u64 confirm_runs) : runner_(runner), confirm_runs_(confirm_runs) {}

  // The two plain runs. Fails when the program cannot be run to its end.
  Status learn();
  Runner& runner() { return runner_; }
  // After learn().
  const Baseline& baseline() const { return *baseline_; }
  // Asks again for the difference that `first`, an outcome of these changes, shows.
  Result<Repeated> repeat(const Changes& changes, Outcome first);

 private:
  Runner& runner_;
  u64 confirm_runs_;
  std::optional<Baseline> baseline_;
};

findings::Proof make_proof(const Difference& d, u64 plain_runs, u64 changed_runs, u64 healed_count);

// Does `outcome` show at the place of `d` what d shows there after the change? Other places may
// differ.
bool shows_change(const Outcome& outcome, const Difference& d);
// Likewise, what d shows there in plain runs.
bool shows_plain(const Outcome& outcome, const Difference& d);

}  // namespace geist::prove
