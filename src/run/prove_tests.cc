// A finding names the tests it was made in. Each is run by itself, which is quick and compares what
// belongs together; only where that shows nothing is the whole binary run: tests may need what
// earlier ones left, and of what happens often not every test is named.
//
//   finding ─▶ its first tests, then all of the binary ─▶ Prover of that command line ─▶ verdict
//
// Findings of one test share its plain runs.
#include "run/prove_tests.h"

#include <signal.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "program/test_binary.h"
#include "prove/prove.h"
#include "run/find_sites.h"
#include "run/heal_names.h"
#include "run/proofs.h"
#include "run/refuse_sanitized.h"
#include "run/site_finding.h"
#include "run/test_rerun.h"

namespace geist::run {
namespace {

constexpr u64 kTimeoutMs = 60000;
constexpr u64 kConfirmRuns = 4;
constexpr usize kMaxTests = 3;    // of one finding that are tried
constexpr usize kMaxFailing = 5;  // tests of a binary

// "TestOrders/two_chunks" of "example.com/shop.TestOrders/two_chunks".
std::string name_in_binary(const read::GoBinary& binary, const std::string& test) {
  const std::string package = program::find_tested_package(binary).value_or("");
  return test.starts_with(package + ".") ? test.substr(package.size() + 1) : "";
}

std::string full_name(const read::GoBinary& binary, const std::string& test) {
  const std::string package = program::find_tested_package(binary).value_or("");
  return package.empty() ? test : package + "." + test;
}

// A runner and its prover for one command line; the prover points to the runner.
struct Experiment {
  prove::Runner runner;
  std::optional<prove::Prover> prover;
};

class TestProver {
 public:
  TestProver(const KeptProgram& program, const read::GoBinary& binary,
             const sites::SiteTable& sites)
      : program_(program), binary_(binary), sites_(sites) {}

  Result<prove::Verdict> prove(const findings::Finding& finding);
  Status prove_failing(findings::Report& report);

 private:
  Result<prove::Prover*> prover_of(const std::string& test);

  const KeptProgram& program_;
  const read::GoBinary& binary_;
  const sites::SiteTable& sites_;
  std::map<std::string, std::unique_ptr<Experiment>>
      experiments_;  // by test; "": all of the binary
};

Result<prove::Prover*> TestProver::prover_of(const std::string& test) {
  if (auto known = experiments_.find(test); known != experiments_.end())
    return &*known->second->prover;
  prove::Command command;
  command.path = program_.path;
  command.argv = make_rerun_command(program_.command, test);
  command.folder = program_.folder;
  command.environment = program_.environment;
  command.has_our_input = false;
  command.timeout_ms = kTimeoutMs;
  ::sigprocmask(SIG_BLOCK, nullptr, &command.signal_mask);
  GEIST_TRY(runner, prove::Runner::create(binary_, sites_, std::move(command)));
  auto experiment = std::unique_ptr<Experiment>(new Experiment{std::move(runner), std::nullopt});
  experiment->prover.emplace(experiment->runner, binary_, sites_, kConfirmRuns);
  GEIST_TRY_STATUS(experiment->prover->learn());
  return &*(experiments_[test] = std::move(experiment))->prover;
}

Result<prove::Verdict> TestProver::prove(const findings::Finding& finding) {
  std::vector<std::string> tests;
  for (const std::string& test : finding.tests) {
    std::string name = name_in_binary(binary_, test);
    if (!name.empty() && tests.size() < kMaxTests) tests.push_back(std::move(name));
  }
  tests.emplace_back();
  prove::Verdict best;
  for (const std::string& test : tests) {
    GEIST_TRY(prover, prover_of(test));
    GEIST_TRY(verdict, prover->prove(append_name(finding)));
    if (verdict.was_healed || !best.was_healed) best = std::move(verdict);
    if (best.proof) break;
  }
  return best;
}

// A test that fails and in which nothing was proved: which append, healed, makes it pass?
Status TestProver::prove_failing(findings::Report& report) {
  GEIST_TRY(all, prover_of(""));
  std::vector<std::string> failing;
  for (const auto& [test, verdict] :
       prove::read_verdicts(all->experiment().baseline().first().out)) {
    if (verdict != "FAIL") continue;
    // A test fails with its subtest, which stands after it in the order of names and says more.
    if (!failing.empty() && test.starts_with(failing.back() + "/")) failing.pop_back();
    failing.push_back(test);
  }
  SiteFindings make(binary_, sites_);
  source::SourceCache sources(
      {.go_release = report.target.go, .binary_path = binary_.image().path()});
  for (usize i = 0; i < std::min(failing.size(), kMaxFailing); ++i) {
    GEIST_TRY(prover, prover_of(failing[i]));
    GEIST_TRY(answer, prove::find_unseen(prover->experiment(), binary_, sites_, {}));
    add_unseen(answer, make, sources, full_name(binary_, failing[i]), report);
  }
  if (failing.size() > kMaxFailing)
    report.notes.push_back(fmt::format("{} more failing tests were not run again, healed",
                                       failing.size() - kMaxFailing));
  return Done{};
}

Status prove_all(const KeptProgram& program, findings::Report& report) {
  GEIST_TRY(binary, read::GoBinary::open(program.path, {}));
  GEIST_TRY_STATUS(refuse_sanitized(*binary));
  sites::SiteCache cache(sites::SiteCache::default_folder());
  const sites::SiteTable sites = find_sites(cache, *binary);
  TestProver prover(program, *binary, sites);
  for (findings::Finding& finding : report.findings) {
    if (append_name(finding).empty()) continue;
    Result<prove::Verdict> verdict = prover.prove(finding);
    add_verdict(
        verdict.ok() ? verdict.value() : prove::Verdict{std::nullopt, verdict.error().message()},
        finding, report.notes);
  }
  const bool is_proved = std::ranges::any_of(report.findings, [](const findings::Finding& f) {
    return f.level == findings::Level::kProved;
  });
  if (report.exit_code != 0 && !is_proved) GEIST_TRY_STATUS(prover.prove_failing(report));
  sort_by_level(report.findings);
  return Done{};
}

}  // namespace

void prove_test_findings(const KeptProgram& program, findings::Report& report) {
  Status done = prove_all(program, report);
  if (!done.ok()) report.notes.push_back("not proved: " + done.error().message());
}

}  // namespace geist::run
