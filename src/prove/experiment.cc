// Runs in turn, and what they show at one place; see experiment.h.
#include "prove/experiment.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/go_symbol.h"

namespace geist::prove {
namespace {

Result<Outcome> run_to_end(Result<Outcome> outcome) {
  if (outcome.ok() && outcome->timed_out) {
    return Error("the program did not end in time: it cannot be compared with itself")
        .with_hint("--timeout gives it longer; a server has to be told to stop by its own flags");
  }
  return outcome;
}

// `line` counts from 1; 0: anywhere.
bool has_line(const std::string& text, i64 line, const std::string& wanted) {
  i64 number = 0;
  for (usize start = 0; start < text.size();) {
    const usize end = std::min(text.find('\n', start), text.size());
    ++number;
    const bool is_here = line == 0 || number == line;
    if (is_here && std::string_view(text).substr(start, end - start) == wanted) return true;
    start = end + 1;
  }
  return false;
}

bool shows(const Outcome& outcome, const Difference& d, const std::string& wanted) {
  constexpr std::string_view kTest = "test ", kFile = "file ";
  if (outcome.timed_out) return false;
  if (d.what.starts_with(kTest)) {
    const auto verdicts = read_verdicts(outcome.out);
    const auto verdict = verdicts.find(d.what.substr(kTest.size()));
    return wanted == (verdict == verdicts.end() ? "none" : verdict->second);
  }
  if (d.what == "exit") return describe_exit(outcome) == wanted;
  if (d.what.starts_with(kFile)) {
    const auto file = outcome.files.find(d.what.substr(kFile.size()));
    return file != outcome.files.end() && has_line(file->second.value_or(""), d.line, wanted);
  }
  return has_line(d.what == "stderr" ? outcome.err : without_test_times(outcome.out), d.line,
                  wanted);
}

}  // namespace

std::vector<NamedAppend> group_by_name(const read::GoBinary& binary,
                                       const std::vector<ImageAddr>& calls) {
  std::vector<ImageAddr> sorted = calls;
  std::ranges::sort(sorted);
  std::map<sites::SiteName, std::vector<ImageAddr>> groups;
  for (ImageAddr call : sorted) groups[sites::name_of_call(binary, call)].push_back(call);
  std::vector<NamedAppend> appends;
  for (auto& [name, of_name] : groups) appends.push_back({name, std::move(of_name)});
  std::stable_partition(appends.begin(), appends.end(), [](const NamedAppend& append) {
    return !is_standard_library(append.name.function);
  });
  return appends;
}

std::vector<ImageAddr> calls_of(const std::map<ImageAddr, u64>& counts) {
  std::vector<ImageAddr> calls;
  for (const auto& [call, count] : counts) calls.push_back(call);
  return calls;
}

std::vector<ImageAddr> calls_of(const std::vector<NamedAppend>& appends,
                                const std::vector<usize>& chosen) {
  std::vector<ImageAddr> calls;
  for (usize i : chosen)
    calls.insert(calls.end(), appends[i].calls.begin(), appends[i].calls.end());
  return calls;
}

std::map<ImageAddr, abi::SiteMode> healing(const std::vector<ImageAddr>& calls,
                                           abi::SiteMode mode) {
  std::map<ImageAddr, abi::SiteMode> modes;
  for (ImageAddr call : calls) modes[call] = mode;
  return modes;
}

u64 count_healed(const ChangedOutcome& run) {
  u64 sum = 0;
  for (const auto& [call, count] : run.healed) sum += count;
  return sum;
}

Status Experiment::learn() {
  GEIST_TRY(first, run_to_end(runner_.run_plain()));
  GEIST_TRY(second, run_to_end(runner_.run_plain()));
  baseline_.emplace(std::vector<Outcome>{std::move(first), std::move(second)});
  return Done{};
}

Result<Repeated> Experiment::repeat(const Changes& changes, Outcome first) {
  std::vector<Outcome> changed{std::move(first)};
  for (u64 i = 0; i < confirm_runs_; ++i) {
    GEIST_TRY(other, run_to_end(i % 2 == 0 ? runner_.run_control() : runner_.run_plain()));
    baseline_->add(std::move(other));
    GEIST_TRY(again, runner_.run_changed(changes));
    changed.push_back(std::move(again.outcome));
  }
  Repeated repeated{baseline_->find_difference(changed[0]), baseline_->runs(), changed.size()};
  for (const Outcome& outcome : changed) {
    std::optional<Difference> same = baseline_->find_difference(outcome);
    if (!repeated.difference || !same || same->what != repeated.difference->what)
      repeated.difference.reset();
  }
  return repeated;
}

findings::Proof make_proof(const Difference& d, u64 plain_runs, u64 changed_runs,
                           u64 healed_count) {
  findings::Proof proof;
  proof.what = d.what;
  proof.line = d.line;
  proof.plain = d.plain;
  proof.healed = d.healed;
  proof.diff = d.diff;
  proof.plain_runs = plain_runs;
  proof.healed_runs = changed_runs;
  proof.healed_count = healed_count;
  return proof;
}

bool shows_change(const Outcome& outcome, const Difference& d) {
  return shows(outcome, d, d.healed);
}

bool shows_plain(const Outcome& outcome, const Difference& d) {
  return shows(outcome, d, d.plain);
}

}  // namespace geist::prove
