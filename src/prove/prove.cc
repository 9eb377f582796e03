// The experiments: see prove.h for their order. Everything that decides is asked of runs, nothing
// of the program's text.
#include "prove/prove.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "probe/heal_choice.h"
#include "prove/bisect.h"
#include "sites/names.h"

namespace geist::prove {
namespace {

using Modes = std::map<ImageAddr, abi::SiteMode>;

// An append by its name, with all the places it was compiled into.
struct NamedAppend {
  sites::SiteName name;
  std::vector<ImageAddr> calls;
};

findings::Proof make_proof(const Difference& d, u64 plain_runs, u64 healed_runs, u64 healed_count) {
  return {d.what, d.line, d.plain, d.healed, d.diff, plain_runs, healed_runs, healed_count};
}

u64 count_healed(const HealedOutcome& run) {
  u64 sum = 0;
  for (const auto& [call, count] : run.healed) sum += count;
  return sum;
}

// The appends that were healed, the program's own and its libraries' first: they are the more
// likely culprits, and of two that would do the first is found.
std::vector<NamedAppend> group_by_name(const read::GoBinary& binary, const sites::SiteTable& table,
                                       const std::map<ImageAddr, u64>& healed) {
  std::map<sites::SiteName, std::vector<ImageAddr>> groups;
  for (const sites::AppendSite& site : table.sites) {
    if (healed.contains(site.call)) groups[sites::name_of(binary, site)].push_back(site.call);
  }
  std::vector<NamedAppend> appends;
  for (auto& [name, calls] : groups) appends.push_back({name, std::move(calls)});
  std::stable_partition(appends.begin(), appends.end(), [](const NamedAppend& append) {
    return !is_standard_library(append.name.function);
  });
  return appends;
}

Modes modes_of(const std::vector<NamedAppend>& appends, const std::vector<usize>& chosen) {
  Modes modes;
  for (usize i : chosen) {
    for (ImageAddr call : appends[i].calls) modes[call] = abi::kHeal;
  }
  return modes;
}

findings::Bisection describe(const std::vector<NamedAppend>& appends, std::vector<usize> chosen,
                             const HealedOutcome& run) {
  findings::Bisection bisection;
  std::sort(chosen.begin(), chosen.end());
  for (usize i : chosen) {
    const NamedAppend& append = appends[i];
    findings::Bisection::Site site;
    site.frame.function = append.name.function;
    site.frame.file = append.name.file;
    site.frame.line = append.name.line;
    site.heal = append.name.text();
    for (ImageAddr call : append.calls) {
      if (auto it = run.healed.find(call); it != run.healed.end()) site.healed += it->second;
    }
    bisection.sites.push_back(std::move(site));
  }
  bisection.candidates = appends.size();
  return bisection;
}

}  // namespace

Result<Outcome> Prover::run_to_end(Result<Outcome> outcome) const {
  if (outcome.ok() && outcome->timed_out) {
    return Error("the program did not end in time: it cannot be compared with itself")
        .with_hint("--timeout gives it longer; a server has to be told to stop by its own flags");
  }
  return outcome;
}

Status Prover::learn() {
  GEIST_TRY(first, run_to_end(runner_.run_plain()));
  GEIST_TRY(second, run_to_end(runner_.run_plain()));
  baseline_.emplace(std::vector<Outcome>{std::move(first), std::move(second)});
  return Done{};
}

Result<Verdict> Prover::prove(const std::string& append) {
  GEIST_CHECK(baseline_.has_value());
  auto choice = probe::choose_healed_sites(binary_, table_, {append}, false);
  if (!choice.ok()) return Verdict{std::nullopt, choice.error().message(), false};
  GEIST_TRY(first, runner_.run_healed(choice->modes));
  u64 count = count_healed(first);
  if (count == 0)
    return Verdict{std::nullopt, "the append overwrote nothing when the program was run again",
                   false};
  if (first.outcome.timed_out)
    return Verdict{std::nullopt, "the healed program did not end in time", true};
  if (!baseline_->find_difference(first.outcome)) {
    return Verdict{std::nullopt, "healing it changed nothing of what was compared", true};
  }
  std::vector<Outcome> healed{std::move(first.outcome)};
  for (u64 i = 0; i < confirm_runs_; ++i) {
    GEIST_TRY(other, run_to_end(i % 2 == 0 ? runner_.run_control() : runner_.run_plain()));
    baseline_->add(std::move(other));
    GEIST_TRY(again, runner_.run_healed(choice->modes));
    healed.push_back(std::move(again.outcome));
  }
  std::optional<Difference> difference = baseline_->find_difference(healed[0]);
  for (const Outcome& outcome : healed) {
    std::optional<Difference> same = baseline_->find_difference(outcome);
    if (!difference || !same || same->what != difference->what) {
      return Verdict{std::nullopt, "what changed when it was healed also changes by itself", true};
    }
  }
  return Verdict{make_proof(*difference, baseline_->runs(), healed.size(), count), "", true};
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
  std::vector<NamedAppend> appends = group_by_name(binary, table, all.healed);
  if (appends.empty())
    return BisectAnswer{std::nullopt, "no append overwrote anything: the fault lies elsewhere"};
  if (!right.holds_for(all.outcome)) {
    return BisectAnswer{
        std::nullopt,
        fmt::format("healing all {} appends that overwrote something does not make it right: the "
                    "fault lies elsewhere, or the program relies on one of them",
                    appends.size())};
  }
  HealedOutcome last = std::move(all);  // of the set that is returned, after the search
  auto is_right = [&](const std::vector<usize>& chosen) -> Result<bool> {
    GEIST_TRY(run, runner.run_healed(modes_of(appends, chosen)));
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
