// The order of the questions; see shake.h. Each answer is held by a run of exactly what it names.
#include "prove/shake.h"

#include <signal.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "probe/heal_choice.h"
#include "prove/bisect.h"
#include "prove/unseen.h"

namespace geist::prove {
namespace {

using probe::Condition;
using probe::ConditionKind;

constexpr usize kMostSets = 5;

// "cap", "capacity", "allocs", …
using IsTold = bool (*)(const std::string& word);
bool is_of_capacity(const std::string& word) {
  return word == "cap" || word.starts_with("capacit") || word.starts_with("alloc");
}
bool is_of_reuse(const std::string& word) {
  return word == "hit" || word == "hits" || word == "miss" || word == "misses" ||
         word.starts_with("reus") || word.starts_with("recycl") || word.starts_with("alloc");
}

// Has it such a word of its own?
bool tells(std::string_view text, IsTold is_told) {
  std::string word;
  auto ends = [&] {
    const bool is_one = is_told(word);
    word.clear();
    return is_one;
  };
  for (char c : text) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0)
      word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    else if (ends())
      return true;
  }
  return ends();
}

// What a failing test says about itself is in the output of the changed run.
bool tells(const Outcome& outcome, const Difference& d, IsTold is_told) {
  constexpr std::string_view kTest = "test ";
  if (!d.what.starts_with(kTest)) return tells(d.plain, is_told) || tells(d.healed, is_told);
  const std::string head = "--- FAIL: " + d.what.substr(kTest.size());
  const usize at = outcome.out.find(head);
  if (at == std::string::npos) return false;
  constexpr usize kMostOfMessage = 2000;
  std::string_view rest = std::string_view(outcome.out).substr(at + head.size(), kMostOfMessage);
  return tells(rest.substr(0, rest.find("\n--- ")), is_told);
}

std::vector<NamedAppend> pick(const std::vector<NamedAppend>& appends, std::vector<usize> chosen) {
  std::ranges::sort(chosen);
  std::vector<NamedAppend> picked;
  for (usize i : chosen) picked.push_back(appends[i]);
  return picked;
}

std::vector<ImageAddr> calls_of_all(const std::vector<NamedAppend>& appends) {
  std::vector<usize> all(appends.size());
  std::iota(all.begin(), all.end(), usize{0});
  return calls_of(appends, all);
}

findings::OtherChange alarm(std::string kind, const Shaken& shaken, std::string reason) {
  std::vector<findings::Bisection::Site> sites = describe_sites(shaken.growth, ChangedOutcome{});
  return {std::move(kind), shaken.condition, std::move(reason), "", std::move(sites), shaken.proof};
}

}  // namespace

usize Shaken::ordinal_of(const NamedAppend& put) const {
  auto at = std::ranges::find(growth, put.name, &NamedAppend::name);
  return ordinals[static_cast<usize>(at - growth.begin())];
}

// By the lines with a call of Put in the same function.
std::vector<usize> Shaker::ordinals_of(const std::vector<NamedAppend>& puts) const {
  std::set<sites::SiteName> all;
  for (ImageAddr call : pool_->calls()) all.insert(sites::name_of_call(binary_, call));
  std::vector<usize> ordinals;
  for (const NamedAppend& put : puts) {
    ordinals.push_back(static_cast<usize>(std::ranges::count_if(all, [&](const auto& other) {
      return other.function == put.name.function && other.line < put.name.line;
    })));
  }
  return ordinals;
}

Shaker::Calls Shaker::all_calls(const Condition& condition) const {
  Calls all;
  if (condition.kind == ConditionKind::kPool) {
    all = pool_->calls();
  } else {
    for (const sites::AppendSite& site : table_.sites) all.push_back(site.call);
  }
  Calls own, of_library;
  for (ImageAddr call : all) {
    const std::optional<read::Function> function = binary_.pclntab().find_function(call);
    if (!function) continue;
    (is_standard_library(function->name) ? of_library : own).push_back(call);
  }
  own.insert(own.end(), of_library.begin(), of_library.end());
  return own;
}

Changes Shaker::changes(const Condition& condition, std::optional<Calls> calls) const {
  probe::PlanOptions plan;
  if (condition.kind == ConditionKind::kPool)
    pool_->add(calls, plan);
  else
    growth_->add(table_,
                 {condition.kind == ConditionKind::kRoomy, condition.tight_len, std::move(calls)},
                 plan);
  return {{}, std::move(plan.points)};
}

// The program's own sites come first and by address, so that a prefix of them is few ranges.
Result<std::vector<NamedAppend>> Shaker::find_growth(const Condition& condition, const Calls& calls,
                                                     const Difference& difference) {
  auto makes_it = [&](const Calls& chosen) -> Result<bool> {
    GEIST_TRY(run, experiment_.runner().run_changed(changes(condition, chosen)));
    return shows_change(run.outcome, difference);
  };
  GEIST_TRY(all, makes_it(calls));
  if (!all) return std::vector<NamedAppend>{};  // growth that is no append's
  GEIST_TRY(needed, find_smallest_set(calls.size(), [&](const std::vector<usize>& chosen) {
              Calls some;
              for (usize i : chosen) some.push_back(calls[i]);
              return makes_it(some);
            }));
  Calls some;
  for (usize i : needed) some.push_back(calls[i]);
  return group_by_name(binary_, some);
}

Result<std::vector<NamedAppend>> Shaker::find_writers(const Condition& condition,
                                                      const std::optional<Calls>& calls,
                                                      const Difference& difference,
                                                      abi::SiteMode mode, u64* restored_runs) {
  const bool is_roomy = condition.kind == ConditionKind::kRoomy;
  GEIST_TRY(choice, probe::choose_healed_sites(binary_, table_, {"all"}, mode == abi::kHealAlways));
  auto run_with = [&](std::map<ImageAddr, abi::SiteMode> modes) {
    Changes healed = is_roomy ? changes(condition, calls) : Changes{};
    healed.modes = std::move(modes);
    return experiment_.runner().run_changed(healed);
  };
  auto is_it = [&](const ChangedOutcome& run) {
    return is_roomy ? shows_plain(run.outcome, difference) : shows_change(run.outcome, difference);
  };
  GEIST_TRY(all, run_with(choice.modes));
  if (!is_it(all) || all.healed.empty()) return std::vector<NamedAppend>{};
  std::vector<NamedAppend> appends = group_by_name(binary_, calls_of(all.healed));
  std::ranges::stable_partition(
      appends, [&](const NamedAppend& append) { return preferred_.contains(append.name); });
  GEIST_TRY(needed, find_smallest_set(
                        appends.size(), [&](const std::vector<usize>& chosen) -> Result<bool> {
                          GEIST_TRY(run, run_with(healing(calls_of(appends, chosen), mode)));
                          return is_it(run);
                        }));
  GEIST_TRY(again, run_with(healing(calls_of(appends, needed), mode)));
  if (!is_it(again)) return std::vector<NamedAppend>{};
  if (is_roomy) *restored_runs = 2;  // the search ended with the first
  return pick(appends, needed);
}

// Nothing when the difference is gone when it is asked for again.
Result<std::optional<Shaken>> Shaker::find_set(const Condition& condition,
                                               const std::optional<Calls>& calls, Outcome first) {
  Shaken shaken;
  shaken.condition = condition.kind_text();
  shaken.is_roomy = condition.kind == ConditionKind::kRoomy;
  shaken.is_pool = condition.kind == ConditionKind::kPool;
  GEIST_TRY(repeated, experiment_.repeat(changes(condition, calls), std::move(first)));
  if (!repeated.difference) return std::optional<Shaken>();
  const Difference& difference = *repeated.difference;
  shaken.proof = make_proof(difference, repeated.plain_runs, repeated.changed_runs, 0);
  shaken.proof.condition = shaken.condition;
  GEIST_TRY(growth, find_growth(condition, calls.value_or(all_calls(condition)), difference));
  shaken.growth = std::move(growth);
  if (shaken.is_pool) shaken.ordinals = ordinals_of(shaken.growth);
  std::optional<Calls> of_growth = calls;
  if (!shaken.growth.empty()) of_growth = calls_of_all(shaken.growth);
  for (abi::SiteMode mode : {abi::kHeal, abi::kHealAlways}) {
    // Without room to take back, copies everywhere would change what counts allocations.
    if (shaken.is_pool || !shaken.writers.empty() || (mode == abi::kHealAlways && !shaken.is_roomy)) break;
    GEIST_TRY(writers,
              find_writers(condition, of_growth, difference, mode, &shaken.proof.restored_runs));
    shaken.writers = std::move(writers);
    shaken.mode = mode;
  }
  return std::optional<Shaken>(std::move(shaken));
}

void Shaker::prefer(const std::string& function, const std::string& file, i32 line) {
  preferred_.insert({sites::without_type_arguments(function), file, line});
}

Result<bool> Shaker::counts_allocations(const Condition& condition) {
  Changes counted = changes(condition, std::nullopt);
  std::vector<probe::PointProbe> questions = probe::count_allocation_questions(binary_);
  const usize count = questions.size();
  questions.insert(questions.end(), counted.points.begin(), counted.points.end());
  counted.points = std::move(questions);
  GEIST_TRY(run, experiment_.runner().run_changed(counted));
  return std::any_of(run.passes.begin(), run.passes.begin() + static_cast<i64>(count),
                     [](u64 passes) { return passes != 0; });
}

// Only of what no overwriting append has to do with.
std::optional<findings::OtherChange> Shaker::find_alarm(const Shaken& shaken, const Seen& seen,
                                                        const std::vector<Seen>& all) const {
  if (!shaken.writers.empty()) return std::nullopt;
  for (const Seen& other : all) {
    if (shaken.is_pool || other.condition->kind == ConditionKind::kPool) continue;
    const bool is_other_way = (other.condition->kind == ConditionKind::kRoomy) != shaken.is_roomy;
    if (is_other_way && other.difference && other.difference->what == shaken.proof.what &&
        other.difference->line == shaken.proof.line)
      return alarm("asks_for_capacity", shaken,
                   "it changes with less room and with more room alike, so it asks for capacities");
  }
  if (!shaken.is_roomy && counted_allocations_)
    return alarm("counts_allocations", shaken,
                 shaken.is_pool
                     ? "it changes when pools give nothing back, and asks how much was allocated"
                     : "it changes with less room only, and asks how much was allocated");
  if (!seen.difference) return std::nullopt;
  if (shaken.is_pool && tells(seen.outcome, *seen.difference, is_of_reuse))
    return alarm("counts_reuse", shaken, "what changed tells of reuse or allocations");
  if (!shaken.is_pool && tells(seen.outcome, *seen.difference, is_of_capacity))
    return alarm("asks_for_capacity", shaken, "what changed tells of capacities or allocations");
  return std::nullopt;
}

// One difference may hide others: the sites that made it are left out, and it is asked again.
Status Shaker::look_into(const Seen& seen, const std::vector<Seen>& all, ShakeAnswer& answer) {
  const Condition& condition = *seen.condition;
  std::optional<Calls> calls;
  Outcome outcome = seen.outcome;
  for (usize round = 0; round < kMostSets; ++round) {
    GEIST_TRY(shaken, find_set(condition, calls, std::move(outcome)));
    if (!shaken) {
      if (round == 0) {
        Shaken gone;
        gone.condition = condition.kind_text();
        gone.proof = make_proof(*seen.difference, experiment_.baseline().runs(), 1, 0);
        gone.proof.condition = gone.condition;
        answer.alarms.push_back(alarm("varies", gone, "it was gone when it was run again"));
      }
      return Done{};
    }
    Seen now{seen.condition, seen.outcome, seen.difference};
    if (round != 0) now.difference.reset();
    if (std::optional<findings::OtherChange> none = find_alarm(*shaken, now, all))
      answer.alarms.push_back(std::move(*none));
    else
      answer.found.push_back(*shaken);
    if (shaken->growth.empty()) return Done{};
    Calls rest = calls.value_or(all_calls(condition));
    const Calls found = calls_of_all(shaken->growth);
    const std::set<ImageAddr> gone(found.begin(), found.end());
    std::erase_if(rest, [&](ImageAddr call) { return gone.contains(call); });
    calls = std::move(rest);
    GEIST_TRY(run, experiment_.runner().run_changed(changes(condition, calls)));
    if (!experiment_.baseline().find_difference(run.outcome)) return Done{};
    outcome = std::move(run.outcome);
  }
  answer.notes.push_back(
      fmt::format("under {} more than {} {} make a difference: the search ended there",
                  condition.kind_text(), kMostSets,
                  condition.kind == ConditionKind::kPool ? "calls of Put" : "appends"));
  return Done{};
}

void Shaker::note_ending(const Seen& seen, ShakeAnswer& answer) const {
  const std::string kind = seen.condition->kind_text();
  if (seen.outcome.timed_out)
    answer.notes.push_back(
        fmt::format("under {} the program did not end in time: nothing is known of it", kind));
  else if (seen.outcome.signal == SIGKILL)
    answer.notes.push_back(fmt::format(
        "under {} the program was killed, for its memory perhaps: nothing is known of it", kind));
}

Result<ShakeAnswer> Shaker::shake(const std::vector<Condition>& conditions,
                                  const FirstRun& first_run) {
  ShakeAnswer answer;
  std::vector<Seen> all;
  for (const Condition& condition : conditions) {
    if (Status found = find_points(condition); !found.ok()) {
      if (condition.kind != ConditionKind::kPool) return found.take_error();
      answer.notes.push_back(found.error().message());
      continue;
    }
    GEIST_TRY(outcome, first_run(condition));
    Seen seen{&condition, std::move(outcome), std::nullopt};
    note_ending(seen, answer);
    if (!seen.outcome.timed_out && seen.outcome.signal != SIGKILL)
      seen.difference = experiment_.baseline().find_difference(seen.outcome);
    all.push_back(std::move(seen));
  }
  for (const Seen& seen : all) {
    if (!seen.difference) continue;
    if (seen.condition->kind != ConditionKind::kRoomy) {
      GEIST_TRY(counts, counts_allocations(*seen.condition));
      counted_allocations_ = counts;
    }
    GEIST_TRY_STATUS(look_into(seen, all, answer));
  }
  // What changes under both is told once; and a bug that is wrong one way by itself and another way
  // with more room asks for nothing.
  std::set<std::pair<std::string, i64>> told;
  for (const Shaken& found : answer.found) {
    if (!found.writers.empty()) told.emplace(found.proof.what, found.proof.line);
  }
  std::erase_if(answer.alarms, [&](const findings::OtherChange& change) {
    return change.kind == "asks_for_capacity" &&
           !told.emplace(change.proof.what, change.proof.line).second;
  });
  return answer;
}

Status Shaker::find_points(const Condition& condition) {
  if (condition.kind == ConditionKind::kPool && !pool_) {
    GEIST_TRY(points, probe::PoolPoints::find(binary_));
    pool_ = std::move(points);
  } else if (condition.kind != ConditionKind::kPool && !growth_) {
    GEIST_TRY(points, probe::GrowthPoints::find(binary_));
    growth_ = std::move(points);
  }
  return Done{};
}

Result<Outcome> Shaker::run_under(const Condition& condition) {
  GEIST_TRY_STATUS(find_points(condition));
  GEIST_TRY(run, experiment_.runner().run_changed(changes(condition, std::nullopt)));
  return std::move(run.outcome);
}

Result<bool> Shaker::explains(const Shaken& known, const Difference& difference) {
  if (known.growth.empty()) return false;
  GEIST_TRY(condition, probe::read_condition(known.condition));
  GEIST_TRY_STATUS(find_points(condition));
  GEIST_TRY(run, experiment_.runner().run_changed(changes(condition, calls_of_all(known.growth))));
  return shows_change(run.outcome, difference);
}

}  // namespace geist::prove
