// All tests of the binary run together, plain and under each condition, for that is quick; only a
// test whose verdict changed is run by itself, where halving begins. Tests that have one cause are
// told from each other by one run: does the growth that was found for the first change this one
// too?
//
//   binary ─▶ 2 plain runs, a watched one under each condition ─▶ changed tests ─▶ each by itself:
//   known cause, or a new one (prove/shake.h)
#include "run/shake_tests.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "program/test_binary.h"
#include "prove/shake.h"
#include "run/find_sites.h"
#include "run/proofs.h"
#include "run/refuse_sanitized.h"
#include "run/shaking.h"
#include "run/test_rerun.h"

namespace geist::run {
namespace {

constexpr u64 kTimeoutMs = 120000;
constexpr u64 kConfirmRuns = 2;
constexpr std::string_view kTest = "test ";

struct Cause {
  prove::Shaken shaken;
  usize tests = 0;
};

class TestShaker {
 public:
  TestShaker(const KeptProgram& program, const TestShaking& shaking, const read::GoBinary& binary,
             const sites::SiteTable& sites, findings::Report& report)
      : program_(program),
        shaking_(shaking),
        binary_(binary),
        sites_(sites),
        report_(report),
        make_(binary, sites),
        sources_({.go_release = report.target.go, .binary_path = binary.image().path()}),
        package_(program::find_tested_package(binary).value_or("")) {
    watched_[""] = report;
  }

  Status shake();

 private:
  // One of the tests; empty: all of them.
  Result<prove::Runner> make_runner(const std::string& test) const;
  Status run_all(const probe::Condition& condition, prove::Experiment& all);
  Status look_into(const probe::Condition& condition, const prove::Difference& difference);
  Result<bool> is_known(prove::Shaker& shaker, const std::string& condition,
                        const prove::Difference& difference, const std::string& test);
  bool is_late() const { return std::chrono::steady_clock::now() > shaking_.deadline; }
  void add(const prove::ShakeAnswer& answer, const std::string& test);

  const KeptProgram& program_;
  const TestShaking& shaking_;
  const read::GoBinary& binary_;
  const sites::SiteTable& sites_;
  findings::Report& report_;
  SiteFindings make_;
  source::SourceCache sources_;
  std::string package_;
  std::map<std::string, findings::Report> watched_;
  std::vector<Cause> causes_;
  std::set<std::string> shaken_;  // tests that were run by themselves under each condition
  usize left_out_ = 0;            // changed tests, for the time was over
};

Result<prove::Runner> TestShaker::make_runner(const std::string& test) const {
  prove::Command command;
  command.path = program_.path;
  command.argv = make_rerun_command(program_.command, test);
  command.folder = program_.folder;
  command.environment = program_.environment;
  command.has_our_input = false;
  command.timeout_ms = kTimeoutMs;
  ::sigprocmask(SIG_BLOCK, nullptr, &command.signal_mask);
  return prove::Runner::create(binary_, sites_, std::move(command));
}

// The command that repeats a finding is for who has built the test binary.
void TestShaker::add(const prove::ShakeAnswer& answer, const std::string& test) {
  std::vector<std::string> command = std::move(report_.target.command);
  report_.target.command = make_rerun_command(program_.command, test);
  report_.target.command[0] = "./" + std::filesystem::path(program_.command[0]).filename().string();
  const std::string full = package_.empty() ? test : package_ + "." + test;
  add_shaken(answer, watched_, make_, sources_, full, report_);
  report_.target.command = std::move(command);
}

Result<bool> TestShaker::is_known(prove::Shaker& shaker, const std::string& condition,
                                  const prove::Difference& difference, const std::string& test) {
  for (Cause& cause : causes_) {
    if (cause.shaken.condition != condition) continue;
    GEIST_TRY(explains, shaker.explains(cause.shaken, difference));
    if (!explains) continue;
    ++cause.tests;
    prove::ShakeAnswer again;
    again.found.push_back(cause.shaken);
    add(again, test);
    return true;
  }
  return false;
}

Status TestShaker::look_into(const probe::Condition& condition,
                             const prove::Difference& difference) {
  const std::string test = difference.what.substr(kTest.size());
  if (shaken_.contains(test)) return Done{};
  GEIST_TRY(runner, make_runner(test));
  prove::Experiment alone(runner, kConfirmRuns);
  GEIST_TRY_STATUS(alone.learn());
  prove::Shaker shaker(alone, binary_, sites_);
  for (const auto& [of, seen] : watched_) prefer_watched(seen, shaker);
  GEIST_TRY(known, is_known(shaker, condition.kind_text(), difference, test));
  if (known) return Done{};
  bool changes = false;
  auto first_run = [&](const probe::Condition& asked) -> Result<prove::Outcome> {
    GEIST_TRY(run, shaker.run_under(asked));
    changes = changes || (asked.kind_text() == condition.kind_text() &&
                          alone.baseline().find_difference(run).has_value());
    return run;
  };
  // The other conditions are asked too: what changes under all of them asks for capacities.
  GEIST_TRY(answer, shaker.shake(shaking_.conditions, first_run));
  shaken_.insert(test);
  if (!changes) {
    findings::OtherChange gone{"varies",
                               condition.kind_text(),
                               "it was gone when the test was run by itself",
                               "",
                               {},
                               prove::make_proof(difference, 2, 1, 0)};
    gone.proof.condition = condition.kind_text();
    answer.alarms.push_back(std::move(gone));
  }
  for (const prove::Shaken& shaken : answer.found) causes_.push_back({shaken, 1});
  add(answer, test);
  return Done{};
}

// What a panic keeps from being run is no verdict that changed.
std::vector<prove::Difference> without_unreached(std::vector<prove::Difference> changed,
                                                 usize* unreached) {
  const bool has_failed =
      std::ranges::any_of(changed, [](const auto& d) { return d.healed == "FAIL"; });
  if (!has_failed) return changed;
  *unreached = std::erase_if(changed, [](const auto& d) { return d.healed == "none"; });
  return changed;
}

Status TestShaker::run_all(const probe::Condition& condition, prove::Experiment& all) {
  ShakeRequest request;
  request.command = make_rerun_command(program_.command, "");
  request.program = program_.path;
  request.run_flags = shaking_.run_flags;
  const std::string kind = condition.kind_text();
  GEIST_TRY(seen, watch_run(all.runner(), request, {"--test", "--condition=" + kind}));
  if (seen.outcome.timed_out) {
    report_.notes.push_back(
        fmt::format("under {} the tests of {} did not end in time", kind, package_));
    return Done{};
  }
  watched_[kind] = std::move(seen.report);
  usize unreached = 0;
  std::vector<prove::Difference> changed =
      without_unreached(all.baseline().changed_tests(seen.outcome), &unreached);
  if (unreached != 0)
    report_.notes.push_back(fmt::format(
        "under {} {} tests of {} were not reached, for one before them ended the binary", kind,
        unreached, package_));
  for (const prove::Difference& difference : changed) {
    if (is_late())
      ++left_out_;
    else
      GEIST_TRY_STATUS(look_into(condition, difference));
  }
  return Done{};
}

Status TestShaker::shake() {
  GEIST_TRY(runner, make_runner(""));
  prove::Experiment all(runner, kConfirmRuns);
  GEIST_TRY_STATUS(all.learn());
  for (const probe::Condition& condition : shaking_.conditions)
    GEIST_TRY_STATUS(run_all(condition, all));
  add_sleeping(watched_, report_);
  sort_by_level(report_.findings);
  if (left_out_ != 0)
    report_.notes.push_back(
        fmt::format("{} changed tests of {} were not looked into: the time of --time was over",
                    left_out_, package_));
  return Done{};
}

Status shake_binary(const KeptProgram& program, const TestShaking& shaking,
                    findings::Report& report) {
  if (std::chrono::steady_clock::now() > shaking.deadline)
    return Error("the time of --time was over");
  GEIST_TRY(binary, read::GoBinary::open(program.path, {}));
  GEIST_TRY_STATUS(refuse_sanitized(*binary));
  sites::SiteCache cache(sites::SiteCache::default_folder());
  const sites::SiteTable sites = find_sites(cache, *binary);
  return TestShaker(program, shaking, *binary, sites, report).shake();
}

}  // namespace

void shake_test_binary(const KeptProgram& program, const TestShaking& shaking,
                       findings::Report& report) {
  Status done = shake_binary(program, shaking, report);
  if (!done.ok())
    report.notes.push_back(fmt::format("not shaken: {}: {}",
                                       std::filesystem::path(program.path).filename().string(),
                                       done.error().message()));
}

}  // namespace geist::run
