// The search and its judgement; see unseen.h. Everything that decides is asked of runs.
#include "prove/unseen.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "probe/growth.h"
#include "probe/heal_choice.h"
#include "prove/bisect.h"

namespace geist::prove {
namespace {

constexpr usize kMostSets = 8;
constexpr usize kMostNamed = 3;
constexpr u64 kTightLen = 64;

Standing judge_verdict(const Outcome& plain, const Outcome& healed, const Difference& d) {
  if (d.what.starts_with("test ")) {
    if (d.plain == "FAIL" && d.healed == "PASS") return Standing::kFixed;
    if (d.plain == "PASS" && d.healed != "PASS") return Standing::kBroken;
  }
  if (plain.code != 0 && healed.code == 0) return Standing::kFixed;
  if (plain.code == 0 && healed.code != 0) return Standing::kBroken;
  return Standing::kUnknown;
}

std::vector<usize> all_of(usize count) {
  std::vector<usize> all(count);
  std::iota(all.begin(), all.end(), usize{0});
  return all;
}

// An append that cannot be healed may be the one that matters.
void note_refused(const read::GoBinary& binary, const sites::SiteTable& table,
                  UnseenAnswer& answer) {
  std::set<std::string> names;
  for (const sites::AppendSite& site : table.sites) {
    if (site.bucket != sites::SiteBucket::kProbed ||
        site.heal_refusal != sites::HealRefusal::kNeedsCapacity)
      continue;
    const std::string_view function = binary.pclntab().function(site.function).name;
    if (!is_standard_library(function)) names.insert(std::string(function));
  }
  if (names.empty()) return;
  std::string list;
  usize named = 0;
  for (const std::string& name : names) {
    if (named++ == kMostNamed) break;
    list += (list.empty() ? "" : ", ") + name;
  }
  if (names.size() > kMostNamed) list += fmt::format(" and {} more", names.size() - kMostNamed);
  answer.notes.push_back(fmt::format(
      "slices.Delete cannot be healed (needs_capacity) and was not tried: in {}", list));
}

class Search {
 public:
  Search(Experiment& experiment, const read::GoBinary& binary, const sites::SiteTable& table)
      : experiment_(experiment), binary_(binary), table_(table) {}

  Result<UnseenAnswer> search(std::map<ImageAddr, abi::SiteMode> modes);

 private:
  Result<std::optional<UnseenSet>> next(const std::map<ImageAddr, abi::SiteMode>& modes);
  Result<std::vector<usize>> halve(const std::vector<NamedAppend>& appends, abi::SiteMode mode);
  Status judge(const Difference& difference, const Outcome& healed, UnseenSet& set);
  Status judge_by_capacity(const Difference& difference, UnseenSet& set);
  Status learn_of_growth();
  Result<ChangedOutcome> run_grown(bool is_roomy, std::map<ImageAddr, abi::SiteMode> healed);
  bool differs(const Outcome& outcome) const {
    return experiment_.baseline().find_difference(outcome).has_value();
  }

  Experiment& experiment_;
  const read::GoBinary& binary_;
  const sites::SiteTable& table_;
  bool knows_growth_ = false;
  std::optional<probe::GrowthPoints> points_;
  std::optional<Outcome> tight_;
  bool asks_for_allocations_ = false;
  std::string why_no_growth_;
};

Result<std::vector<usize>> Search::halve(const std::vector<NamedAppend>& appends,
                                         abi::SiteMode mode) {
  return find_smallest_set(appends.size(), [&](const std::vector<usize>& chosen) -> Result<bool> {
    GEIST_TRY(run, experiment_.runner().run_healed(healing(calls_of(appends, chosen), mode)));
    return differs(run.outcome);
  });
}

Result<ChangedOutcome> Search::run_grown(bool is_roomy, std::map<ImageAddr, abi::SiteMode> healed) {
  probe::PlanOptions plan;
  points_->add(table_, {is_roomy, kTightLen, std::nullopt}, plan);
  return experiment_.runner().run_changed({std::move(healed), std::move(plan.points)});
}

// What the program does without room, once: it does not depend on the set.
Status Search::learn_of_growth() {
  if (knows_growth_) return Done{};
  knows_growth_ = true;
  auto points = probe::GrowthPoints::find(binary_);
  if (!points.ok()) {
    why_no_growth_ = points.error().message();
    return Done{};
  }
  points_ = std::move(points).value();
  GEIST_TRY(counted,
            experiment_.runner().run_changed({{}, probe::count_allocation_questions(binary_)}));
  for (u64 passes : counted.passes) asks_for_allocations_ = asks_for_allocations_ || passes != 0;
  GEIST_TRY(tight, run_grown(false, {}));
  tight_ = std::move(tight.outcome);
  return Done{};
}

// The same outcome with little room, and, healed, with much: then all that depended on capacity
// there was what the set overwrites.
Status Search::judge_by_capacity(const Difference& difference, UnseenSet& set) {
  GEIST_TRY_STATUS(learn_of_growth());
  set.reason = "which of the two outcomes is right is not known: --expect or --want-exit say it";
  if (!tight_) return Done{};
  if (asks_for_allocations_) {
    set.reason =
        "the program asks how much was allocated, and a copy is an allocation; " + set.reason;
    return Done{};
  }
  if (!shows_change(*tight_, difference)) return Done{};
  GEIST_TRY(roomy,
            run_grown(true, healing(calls_of(set.appends, all_of(set.appends.size())), set.mode)));
  if (shows_change(roomy.outcome, difference)) set.standing = Standing::kCapacity;
  return Done{};
}

Status Search::judge(const Difference& difference, const Outcome& healed, UnseenSet& set) {
  set.standing = judge_verdict(experiment_.baseline().first(), healed, difference);
  if (set.standing == Standing::kBroken)
    set.reason = "what passed before fails: the program relies on the sharing";
  if (set.standing == Standing::kUnknown) return judge_by_capacity(difference, set);
  return Done{};
}

Result<std::optional<UnseenSet>> Search::next(const std::map<ImageAddr, abi::SiteMode>& modes) {
  const std::optional<UnseenSet> nothing;
  GEIST_TRY(all, experiment_.runner().run_healed(modes));
  if (modes.empty() || all.outcome.timed_out || all.healed.empty() || !differs(all.outcome))
    return nothing;
  std::vector<NamedAppend> appends = group_by_name(binary_, calls_of(all.healed));
  const abi::SiteMode mode = modes.begin()->second;
  GEIST_TRY(needed, halve(appends, mode));
  std::ranges::sort(needed);
  UnseenSet set;
  set.mode = mode;
  for (usize i : needed) set.appends.push_back(appends[i]);
  const Changes changes{healing(calls_of(set.appends, all_of(set.appends.size())), mode), {}};
  GEIST_TRY(run, experiment_.runner().run_changed(changes));
  set.sites = describe_sites(set.appends, run);
  if (!differs(run.outcome)) return nothing;
  const Outcome healed = run.outcome;
  GEIST_TRY(repeated, experiment_.repeat(changes, std::move(run.outcome)));
  if (!repeated.difference) return nothing;
  u64 count = 0;
  for (const findings::Bisection::Site& site : set.sites) count += site.healed;
  set.proof = make_proof(*repeated.difference, repeated.plain_runs, repeated.changed_runs, count);
  GEIST_TRY_STATUS(judge(*repeated.difference, healed, set));
  return std::optional<UnseenSet>(std::move(set));
}

Result<UnseenAnswer> Search::search(std::map<ImageAddr, abi::SiteMode> modes) {
  UnseenAnswer answer;
  // First what overwrites something; of a program that fails, then also what overwrites zeros: to
  // copy at each append is slow, and most programs are right.
  bool is_always = false;
  while (answer.sets.size() < kMostSets) {
    GEIST_TRY(found, next(modes));
    if (!found && (is_always || experiment_.baseline().first().code == 0)) break;
    if (!found) {
      is_always = true;
      for (auto& [call, mode] : modes) mode = abi::kHealAlways;
      continue;
    }
    for (const NamedAppend& append : found->appends) {
      for (ImageAddr call : append.calls) modes.erase(call);
    }
    answer.sets.push_back(std::move(*found));
  }
  if (answer.sets.size() == kMostSets)
    answer.notes.push_back(fmt::format(
        "more than {} appends change what the program does: the search ended there", kMostSets));
  if (!why_no_growth_.empty()) answer.notes.push_back(why_no_growth_);
  return answer;
}

}  // namespace

std::vector<findings::Bisection::Site> describe_sites(const std::vector<NamedAppend>& appends,
                                                      const ChangedOutcome& run) {
  std::vector<findings::Bisection::Site> sites;
  for (const NamedAppend& append : appends) {
    findings::Bisection::Site site;
    site.frame.function = append.name.function;
    site.frame.file = append.name.file;
    site.frame.line = append.name.line;
    site.heal = append.name.text();
    for (ImageAddr call : append.calls) {
      if (auto it = run.healed.find(call); it != run.healed.end()) site.healed += it->second;
    }
    sites.push_back(std::move(site));
  }
  return sites;
}

Result<UnseenAnswer> find_unseen(Experiment& experiment, const read::GoBinary& binary,
                                 const sites::SiteTable& table,
                                 const std::set<ImageAddr>& left_out) {
  GEIST_TRY(choice, probe::choose_healed_sites(binary, table, {"all"}, false));
  for (ImageAddr call : left_out) choice.modes.erase(call);
  GEIST_TRY(answer, Search(experiment, binary, table).search(std::move(choice.modes)));
  note_refused(binary, table, answer);
  return answer;
}

}  // namespace geist::prove
