// geist prove: a run that finds, then runs of the same program with what was found healed. The detecting run is a geist of
// its own, so that its program is watched exactly as `geist run` watches it.
#include "cli/cmd_prove.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "cli/child_signals.h"
#include "cli/exit_code.h"
#include "cli/program_path.h"
#include "cli/refuse_sanitized.h"
#include "program/source.h"
#include "prove/prove.h"
#include "report/report.h"

namespace geist::cli {
namespace {

// A geist that writes its report as JSON into `report_file`, a descriptor of ours.
std::vector<std::string> detecting_command(const ProveOptions& options, const Program& program, int report_file) {
  std::vector<std::string> argv{"geist", "run", "--log=/dev/null", "--exitcode=0",
                                fmt::format("--report=json:/proc/{}/fd/{}", ::getpid(), report_file),
                                fmt::format("--level={}", judge::level_name(options.output.level))};
  if (options.assume_go_minor) argv.push_back(fmt::format("--assume-go=1.{}", *options.assume_go_minor));
  argv.insert(argv.end(), options.run_flags.begin(), options.run_flags.end());
  argv.push_back("--");
  argv.insert(argv.end(), options.command.begin(), options.command.end());
  bool was_built = program.path != options.command[0] && options.command[0].find('/') != std::string::npos;
  if (was_built) argv[argv.size() - options.command.size()] = program.path;
  return argv;
}

Result<judge::Report> read_detected(int report_file, const std::string& said) {
  std::string path = fmt::format("/proc/self/fd/{}", report_file);
  GEIST_TRY(text, read_text_file(path));
  if (text.empty()) return Error("the detecting run wrote no report" + (said.empty() ? "" : ": " + said));
  return report::read_json(text);
}

// The detecting run of `geist prove`: its program's output is nobody's.
Result<judge::Report> detect(const ProveOptions& options, const Program& program, prove::Runner& runner) {
  Fd file(::memfd_create("geist-report", MFD_CLOEXEC));
  GEIST_TRY(outcome, runner.run_other("/proc/self/exe", detecting_command(options, program, file.get())));
  if (outcome.timed_out) {
    return Error("the program did not end in time: it cannot be compared with itself").with_hint("--timeout gives it longer");
  }
  return read_detected(file.get(), outcome.err.substr(0, outcome.err.find('\n')));
}

// On a busy machine a run may end before all that it recorded was looked at; it says so in its losses, and is repeated.
Result<judge::Report> detect_patiently(const ProveOptions& options, const Program& program, prove::Runner& runner) {
  constexpr int kAttempts = 3;
  for (int attempt = 1;; ++attempt) {
    GEIST_TRY(report, detect(options, program, runner));
    bool lost_something = std::any_of(report.lost.begin(), report.lost.end(), [](const auto& item) { return item.second != 0; });
    if (!report.findings.empty() || !lost_something || attempt == kAttempts) return report;
  }
}

// The detecting run of `geist run --prove`: the user's own.
Result<judge::Report> run_for_user(const ProveOptions& options, const Program& program, prove::Runner& runner) {
  Fd file(::memfd_create("geist-report", MFD_CLOEXEC));
  GEIST_TRY_STATUS(runner.give_input());
  GEIST_TRY(signals, ChildSignals::block());
  target::LaunchRequest request;
  request.path = "/proc/self/exe";
  request.command = detecting_command(options, program, file.get());
  request.signal_mask = signals.child_mask();
  GEIST_TRY(pid, target::start_plain(request));
  ExitStatus exit = wait_for_exit(pid, signals);
  signals.restore();
  (void)exit;  // the report has the program's
  return read_detected(file.get(), "");
}

judge::Report report_without_judge(const read::GoBinary& binary, const program::SiteTable& sites) {
  judge::Report report;
  report.sites.growslice_calls = sites.sites.size();
  report.sites.always_grows = sites.count(program::SiteBucket::kAlwaysGrows);
  report.sites.probed = sites.count(program::SiteBucket::kProbed);
  for (const program::AppendSite& site : sites.sites) {
    bool is_skipped = site.bucket != program::SiteBucket::kProbed && site.bucket != program::SiteBucket::kAlwaysGrows;
    if (is_skipped) ++report.sites.skipped[std::string(program::bucket_name(site.bucket))];
  }
  report.geist_version = GEIST_VERSION;
  report.target.binary = std::filesystem::path(binary.image().path()).filename();
  report.target.go = binary.build_info().release.text;
  report.target.module = binary.build_info().main_module.path;
  report.target.build_id = binary.image().build_id();
  if (std::optional<read::Function> main = binary.pclntab().find_function_named("main.main")) {
    std::string file(binary.pclntab().source_frames(*main, main->entry).back().file);
    report.target.module_dir_hint = std::filesystem::path(file).parent_path();
  }
  report.notes.push_back("nothing was judged (--no-judge)");
  return report;
}

std::string append_of(const judge::Finding& finding) {
  if (finding.append_stack.empty()) return "";
  const judge::Frame& site = finding.append_stack.front();
  return fmt::format("{}:{}:{}", site.function, site.file, site.line);
}

// Findings of one append share its runs.
Status prove_findings(prove::Prover& prover, judge::Report& report) {
  GEIST_TRY_STATUS(prover.learn());
  std::map<std::string, prove::Verdict> verdicts;
  for (judge::Finding& finding : report.findings) {
    std::string append = append_of(finding);
    if (append.empty()) continue;
    if (!verdicts.contains(append)) {
      GEIST_TRY(verdict, prover.prove(append));
      if (!verdict.proof) report.notes.push_back(fmt::format("not proved: {}: {}", finding.heal.empty() ? append : finding.heal, verdict.why_not));
      verdicts[append] = std::move(verdict);
    }
    const prove::Verdict& verdict = verdicts[append];
    if (!verdict.proof) continue;
    finding.level = judge::Level::kProved;
    finding.proof = verdict.proof;
  }
  for (const std::string& part : prover.unstable()) {
    report.notes.push_back(part + " varies too much from run to run to be compared");
  }
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const judge::Finding& a, const judge::Finding& b) { return a.level > b.level; });
  return Done{};
}

Status bisect(const ProveOptions& options, prove::Runner& runner, const read::GoBinary& binary,
              const program::SiteTable& sites, judge::Report& report) {
  prove::Expectation right;
  right.code = options.wanted_exit;
  if (!options.expected_path.empty()) {
    GEIST_TRY(text, read_text_file(options.expected_path));
    right.out = std::move(text);
  }
  GEIST_TRY(answer, prove::bisect(runner, binary, sites, right));
  if (!answer.bisection) {
    report.notes.push_back(answer.why_not);
    return Done{};
  }
  program::SourceCache sources({.go_release = report.target.go, .binary_path = binary.image().path()});
  for (judge::Bisection::Site& site : answer.bisection->sites) {
    site.frame.source = sources.line_text(site.frame.file, site.frame.line);
  }
  report.bisection = std::move(answer.bisection);
  return Done{};
}

// Everything between an opened program and a report.
Result<judge::Report> detect_and_prove(const ProveOptions& options, const Program& program, const read::GoBinary& binary,
                                       const program::SiteTable& sites) {
  prove::Command command;
  command.path = program.path;
  command.argv = options.command;
  command.watched_files = options.watched_files;
  command.timeout_ms = options.timeout_ms;
  ::sigprocmask(SIG_BLOCK, nullptr, &command.signal_mask);
  GEIST_TRY(runner, prove::Runner::create(binary, sites, std::move(command)));
  judge::Report report;
  if (options.no_judge) {
    report = report_without_judge(binary, sites);
  } else {
    GEIST_TRY(found, options.is_run ? run_for_user(options, program, runner) : detect_patiently(options, program, runner));
    report = std::move(found);
  }
  report.target.command = options.command;
  bool knows_right = !options.expected_path.empty() || options.wanted_exit.has_value();
  if (!report.findings.empty()) {
    prove::Prover prover(runner, binary, sites, options.confirm_runs);
    GEIST_TRY_STATUS(prove_findings(prover, report));
  }
  bool is_proved = std::any_of(report.findings.begin(), report.findings.end(),
                               [](const judge::Finding& f) { return f.level == judge::Level::kProved; });
  if (knows_right && !is_proved) GEIST_TRY_STATUS(bisect(options, runner, binary, sites, report));
  return report;
}

}  // namespace

int cmd_prove(const ProveOptions& options) {
  // The program, as a file and as a Go binary, its append sites, and the files the report goes to.
  Result<Program> program = resolve_program(options.command[0]);
  if (!program.ok()) return fail(program.error());
  auto binary = read::GoBinary::open(program->path, {options.assume_go_minor});
  if (!binary.ok()) return fail(binary.error());
  if (Status status = refuse_sanitized(*binary.value()); !status.ok()) return fail(status.error());
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());
  program::SiteTable sites = program::find_append_sites(*binary.value(), std::thread::hardware_concurrency());

  ::unsetenv("GEIST");  // has been obeyed; the detecting run gets flags
  auto report = detect_and_prove(options, program.value(), *binary.value(), sites);
  if (!report.ok()) return fail(report.error());

  // Tell.
  bool bisected = report->bisection.has_value();
  Result<int> status = output->finish(std::move(report).value());
  if (!status.ok()) return fail(status.error());
  if (options.is_run) return status.value();
  return to_int(status.value() == kFoundMark || bisected ? ExitCode::kFound : ExitCode::kOk);
}

}  // namespace geist::cli
