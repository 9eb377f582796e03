// Prover: does healing an append change what the program does? And, without a finding: which
// appends must be healed for the output to be right?
//
//   two plain runs ─▶ what varies by itself ─▶ a healed run differs
//                  ─▶ more plain, control and healed runs, in turn
//                  ─▶ every healed run shows it, no other does: proved
//
// How a difference is asked for: experiment.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "findings/finding.h"
#include "prove/experiment.h"

namespace geist::prove {

struct Verdict {
  std::optional<findings::Proof> proof;
  std::string why_not;      // one sentence when there is no proof
  bool was_healed = false;  // the append did overwrite something when the program was run again
};

class Prover {
 public:
  Prover(Runner& runner, const read::GoBinary& binary, const sites::SiteTable& table,
         u64 confirm_runs)
      : binary_(binary), table_(table), experiment_(runner, confirm_runs) {}

  // The two plain runs. Fails when the program cannot be run to its end.
  Status learn() { return experiment_.learn(); }
  // After learn(): heals the append of this name (program::find_sites_named).
  Result<Verdict> prove(const std::string& append);
  // What cannot be compared because it varies too much.
  std::vector<std::string> unstable() const { return experiment_.baseline().unstable(); }
  Experiment& experiment() { return experiment_; }

 private:
  const read::GoBinary& binary_;
  const sites::SiteTable& table_;
  Experiment experiment_;
};

// What the user calls right.
struct Expectation {
  std::optional<std::string> out;
  std::optional<int> code;
  bool holds_for(const Outcome& outcome) const;
};

struct BisectAnswer {
  std::optional<findings::Bisection> bisection;
  std::string why_not;  // one sentence when there is none
};

// One plain run, one with every append healed, and halving: at most 2·log2(appends that overwrite)
// + 4 runs for one culprit.
Result<BisectAnswer> bisect(Runner& runner, const read::GoBinary& binary,
                            const sites::SiteTable& table, const Expectation& right);

}  // namespace geist::prove
