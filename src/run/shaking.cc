// See shaking.h. A finding of the experiment and one that was watched at the same append are one:
// the first knows that it matters, the second what was overwritten.
#include "run/shaking.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "base/text_file.h"
#include "findings/fingerprint.h"
#include "report/report.h"
#include "run/heal_names.h"
#include "run/proofs.h"
#include "source/finding_sources.h"

namespace geist::run {
namespace {

// What a finding is called, by what was shaken.
struct Kind {
  std::string_view rule, finding_class;
};
constexpr Kind kOfCapacity = {"GB014", "capacity_dependent"};
constexpr Kind kOfPool = {"GB015", "pool_dependent"};

std::string repeat_command(const std::string& condition, const std::vector<std::string>& sites,
                           const std::vector<std::string>& command) {
  std::string text = "geist run";
  for (const std::string& site : sites)
    text += " " + quote_for_shell("--condition=" + condition + ":" + site);
  if (sites.empty()) text += " --condition=" + condition;
  text += " --";
  for (const std::string& word : command) text += " " + quote_for_shell(word);
  return text;
}

const findings::Finding* find_at(const std::map<std::string, findings::Report>& watched,
                                 const std::string& condition, const std::string& append) {
  auto report = watched.find(condition);
  if (report == watched.end()) return nullptr;
  const findings::Finding* best = nullptr;
  for (const findings::Finding& finding : report->second.findings) {
    if (append_name(finding) == append && (best == nullptr || finding.level > best->level))
      best = &finding;
  }
  return best;
}

class Adder {
 public:
  Adder(const std::map<std::string, findings::Report>& watched, SiteFindings& make,
        source::SourceCache& sources, findings::Report& report)
      : watched_(watched), make_(make), sources_(sources), report_(report) {}

  void add(const prove::Shaken& shaken, const std::string& test);

 private:
  findings::Finding make(const prove::Shaken& shaken, const prove::NamedAppend& append);

  const std::map<std::string, findings::Report>& watched_;
  SiteFindings& make_;
  source::SourceCache& sources_;
  findings::Report& report_;
};

findings::Finding Adder::make(const prove::Shaken& shaken, const prove::NamedAppend& append) {
  const ImageAddr call = append.calls.front();
  std::vector<findings::Finding> made{
      shaken.is_pool
          ? make_.make_of_put(call, shaken.ordinal_of(append), kOfPool.rule, kOfPool.finding_class)
          : make_.make(call, kOfCapacity.rule, kOfCapacity.finding_class)};
  source::add_sources(made, sources_);
  findings::Finding finding = std::move(made[0]);
  if (shaken.writers.empty()) {  // to copy would not help: nothing is overwritten
    finding.fix.clear();
    finding.fix_diff.clear();
    finding.heal.clear();
  }
  if (shaken.mode == abi::kHealAlways && !finding.heal.empty()) finding.heal += "!";
  // Awake, it was seen in the plain run; asleep, under the condition.
  const findings::Finding* seen =
      shaken.is_pool
          ? nullptr
          : find_at(watched_, shaken.is_roomy ? shaken.condition : "", append_name(finding));
  if (seen != nullptr) {
    finding = *seen;
    make_.rename(call, kOfCapacity.rule, kOfCapacity.finding_class, finding);
    finding.level = findings::Level::kProved;
  }
  finding.proof = shaken.proof;
  if (shaken.is_roomy) finding.condition = shaken.condition;
  std::vector<std::string> growth;
  for (const prove::NamedAppend& one : shaken.growth) growth.push_back(one.name.text());
  finding.repeat = repeat_command(shaken.condition, growth, report_.target.command);
  return finding;
}

void Adder::add(const prove::Shaken& shaken, const std::string& test) {
  const std::vector<prove::NamedAppend>& appends =
      shaken.writers.empty() ? shaken.growth : shaken.writers;
  for (const prove::NamedAppend& append : appends) {
    findings::Finding finding = make(shaken, append);
    if (!test.empty() && std::ranges::find(finding.tests, test) == finding.tests.end())
      finding.tests.push_back(test);
    // A ghost write that the plain run showed: one append, one finding.
    auto awake = std::ranges::find_if(report_.findings, [&](const findings::Finding& known) {
      return known.rule != finding.rule && append_name(known) == append_name(finding);
    });
    if (awake != report_.findings.end()) {
      awake->level = findings::Level::kProved;
      if (!awake->proof) awake->proof = shaken.proof;
      continue;
    }
    auto same = std::ranges::find_if(report_.findings, [&](const findings::Finding& known) {
      return known.rule == finding.rule && findings::is_same_bug(known, finding);
    });
    if (same == report_.findings.end())
      report_.findings.push_back(std::move(finding));
    else if (finding.condition.empty() && !same->condition.empty())
      *same = std::move(finding);  // awake says more
    else if (!test.empty() && std::ranges::find(same->tests, test) == same->tests.end())
      same->tests.push_back(test);
  }
  if (appends.empty())
    report_.other_changes.push_back(
        {"undecided",
         shaken.condition,
         shaken.is_pool ? "what is put into the pool comes by way of a function value"
                        : "the growth is none of an append of the program: reflect's or the "
                          "runtime's",
         test,
         {},
         shaken.proof});
}

}  // namespace

std::vector<std::string> watching_command(const std::vector<std::string>& command,
                                          const std::string& program,
                                          const std::vector<std::string>& run_flags,
                                          int report_file) {
  std::vector<std::string> argv{
      "geist",           "run",
      "--log=/dev/null", "--exitcode=0",
      "--no-store",      fmt::format("--report=json:/proc/{}/fd/{}", ::getpid(), report_file)};
  argv.insert(argv.end(), run_flags.begin(), run_flags.end());
  argv.emplace_back("--");
  argv.insert(argv.end(), command.begin(), command.end());
  const bool was_built = program != command[0] && command[0].find('/') != std::string::npos;
  if (was_built) argv[argv.size() - command.size()] = program;
  return argv;
}

Result<WatchedRun> watch_run(prove::Runner& runner, const ShakeRequest& request,
                             const std::vector<std::string>& flags) {
  Fd file(::memfd_create("geist-report", MFD_CLOEXEC));
  if (!file.valid()) return Error("memfd_create failed", ErrorKind::kSystem);
  std::vector<std::string> all = request.run_flags;
  all.insert(all.end(), flags.begin(), flags.end());
  GEIST_TRY(outcome,
            runner.run_other("/proc/self/exe",
                             watching_command(request.command, request.program, all, file.get())));
  if (outcome.timed_out) return WatchedRun{std::move(outcome), {}};
  GEIST_TRY(text, read_text_file(fmt::format("/proc/self/fd/{}", file.get())));
  if (text.empty()) {
    const std::string said = outcome.err.substr(0, outcome.err.find('\n'));
    return Error("the watched run wrote no report" + (said.empty() ? "" : ": " + said));
  }
  GEIST_TRY(report, report::read_json(text));
  return WatchedRun{std::move(outcome), std::move(report)};
}

void prefer_watched(const findings::Report& watched, prove::Shaker& shaker) {
  for (const findings::Finding& finding : watched.findings) {
    if (finding.append_stack.empty()) continue;
    const findings::Frame& site = finding.append_stack.front();
    shaker.prefer(site.function, site.file, site.line);
  }
}

void add_sleeping(const std::map<std::string, findings::Report>& watched,
                  findings::Report& report) {
  for (const auto& [condition, seen] : watched) {
    if (condition.empty()) continue;
    for (findings::Finding finding : seen.findings) {
      const std::string append = append_name(finding);
      auto is_told = [&](const findings::Finding& known) {
        return append_name(known) == append || findings::is_same_bug(known, finding);
      };
      if (append.empty() || std::ranges::any_of(report.findings, is_told)) continue;
      finding.condition = condition;
      finding.repeat = repeat_command(condition, {}, report.target.command);
      report.findings.push_back(std::move(finding));
    }
  }
}

void add_shaken(const prove::ShakeAnswer& answer,
                const std::map<std::string, findings::Report>& watched, SiteFindings& make,
                source::SourceCache& sources, const std::string& test, findings::Report& report) {
  Adder adder(watched, make, sources, report);
  for (const prove::Shaken& shaken : answer.found) adder.add(shaken, test);
  for (findings::OtherChange change : answer.alarms) {
    change.test = test;
    add_lines(change.sites, sources);
    report.other_changes.push_back(std::move(change));
  }
  report.notes.insert(report.notes.end(), answer.notes.begin(), answer.notes.end());
  sort_by_level(report.findings);
}

Result<findings::Report> shake_program(prove::Experiment& experiment, const read::GoBinary& binary,
                                       const sites::SiteTable& table, const ShakeRequest& request) {
  GEIST_TRY_STATUS(experiment.learn());
  GEIST_TRY(plain, watch_run(experiment.runner(), request, {}));
  if (plain.outcome.timed_out)
    return Error("the watched program did not end in time").with_hint("--timeout gives it longer");
  findings::Report report = std::move(plain.report);
  report.target.command = request.command;
  std::map<std::string, findings::Report> watched;
  watched[""] = report;
  prove::Shaker shaker(experiment, binary, table);
  prefer_watched(report, shaker);
  auto first_run = [&](const probe::Condition& condition) -> Result<prove::Outcome> {
    GEIST_TRY(seen,
              watch_run(experiment.runner(), request, {"--condition=" + condition.kind_text()}));
    prefer_watched(seen.report, shaker);
    watched[condition.kind_text()] = std::move(seen.report);
    return std::move(seen.outcome);
  };
  GEIST_TRY(answer, shaker.shake(request.conditions, first_run));
  for (const std::string& part : experiment.baseline().unstable())
    answer.notes.push_back(part + " varies too much from run to run to be compared");
  if (const prove::Outcome& first = experiment.baseline().first(); first.code != 0)
    answer.notes.push_back(fmt::format("by itself the program ends with {}: compared all the same",
                                       prove::describe_exit(first)));
  SiteFindings make(binary, table);
  source::SourceCache sources(
      {.go_release = report.target.go, .binary_path = binary.image().path()});
  add_shaken(answer, watched, make, sources, "", report);
  add_sleeping(watched, report);
  sort_by_level(report.findings);
  return report;
}

}  // namespace geist::run
