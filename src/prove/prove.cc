// The experiments: see prove.h for their order. Everything that decides is asked of runs, nothing
// of the program's text.
#include "prove/prove.h"

#include <algorithm>

#include <fmt/format.h>

#include "probe/heal_choice.h"
#include "prove/bisect.h"
#include "prove/unseen.h"

namespace geist::prove {
namespace {

findings::Bisection describe(const std::vector<NamedAppend>& appends, std::vector<usize> chosen,
                             const ChangedOutcome& run) {
  findings::Bisection bisection;
  std::sort(chosen.begin(), chosen.end());
  std::vector<NamedAppend> needed;
  for (usize i : chosen) needed.push_back(appends[i]);
  bisection.sites = describe_sites(needed, run);
  bisection.candidates = appends.size();
  return bisection;
}

}  // namespace

Result<Verdict> Prover::prove(const std::string& append) {
  auto choice = probe::choose_healed_sites(binary_, table_, {append}, false);
  if (!choice.ok()) return Verdict{std::nullopt, choice.error().message(), false};
  const Changes changes{choice->modes, {}};
  GEIST_TRY(first, experiment_.runner().run_changed(changes));
  u64 count = count_healed(first);
  if (count == 0)
    return Verdict{std::nullopt, "the append overwrote nothing when the program was run again",
                   false};
  if (first.outcome.timed_out)
    return Verdict{std::nullopt, "the healed program did not end in time", true};
  if (!experiment_.baseline().find_difference(first.outcome)) {
    return Verdict{std::nullopt, "healing it changed nothing of what was compared", true};
  }
  GEIST_TRY(repeated, experiment_.repeat(changes, std::move(first.outcome)));
  if (!repeated.difference)
    return Verdict{std::nullopt, "what changed when it was healed also changes by itself", true};
  return Verdict{
      make_proof(*repeated.difference, repeated.plain_runs, repeated.changed_runs, count), "",
      true};
}

bool Expectation::holds_for(const Outcome& outcome) const {
  if (outcome.timed_out) return false;
  return (!out || *out == outcome.out) && (!code || *code == outcome.code);
}

Result<BisectAnswer> bisect(Runner& runner, const read::GoBinary& binary,
                            const sites::SiteTable& table, const Expectation& right) {
  u64 runs_before = runner.runs();
  GEIST_TRY(plain, runner.run_plain());
  if (right.holds_for(plain))
    return BisectAnswer{std::nullopt, "the program does what is expected without any healing"};
  GEIST_TRY(choice, probe::choose_healed_sites(binary, table, {"all"}, false));
  GEIST_TRY(all, runner.run_healed(choice.modes));
  std::vector<NamedAppend> appends = group_by_name(binary, calls_of(all.healed));
  if (appends.empty())
    return BisectAnswer{std::nullopt, "no append overwrote anything: the fault lies elsewhere"};
  if (!right.holds_for(all.outcome)) {
    return BisectAnswer{
        std::nullopt,
        fmt::format("healing all {} appends that overwrote something does not make it right: the "
                    "fault lies elsewhere, or the program relies on one of them",
                    appends.size())};
  }
  ChangedOutcome last = std::move(all);  // of the set that is returned, after the search
  auto is_right = [&](const std::vector<usize>& chosen) -> Result<bool> {
    GEIST_TRY(run, runner.run_healed(healing(calls_of(appends, chosen))));
    bool holds = right.holds_for(run.outcome);
    if (holds) last = std::move(run);
    return holds;
  };
  GEIST_TRY(needed, find_smallest_set(appends.size(), is_right));
  findings::Bisection bisection = describe(appends, needed, last);
  bisection.runs = runner.runs() - runs_before;
  u64 healed_count = 0;
  for (const findings::Bisection::Site& site : bisection.sites) healed_count += site.healed;
  Baseline baseline({std::move(plain)});
  Difference difference = baseline.find_difference(last.outcome).value_or(Difference{});
  bisection.proof = make_proof(difference, 1, 1, healed_count);
  return BisectAnswer{std::move(bisection), ""};
}

}  // namespace geist::prove
