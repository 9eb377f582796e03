// geist prove: a run that finds, then runs of the same program with what was found healed. The
// detecting run is a geist of its own, so that its program is watched exactly as `geist run`
// watches it.
#include "cli/cmd_prove.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/text_file.h"
#include "cli/exit_code.h"
#include "prove/prove.h"
#include "report/report.h"
#include "run/child_signals.h"
#include "run/find_sites.h"
#include "run/heal_names.h"
#include "run/program_path.h"
#include "run/proofs.h"
#include "run/refuse_sanitized.h"
#include "run/run_recorder.h"
#include "run/run_report.h"
#include "run/site_finding.h"
#include "source/source.h"

namespace geist::cli {
namespace {

// A geist that writes its report as JSON into `report_file`, a descriptor of ours.
std::vector<std::string> detecting_command(const ProveOptions& options, const run::Program& program,
                                           int report_file) {
  std::vector<std::string> argv{
      "geist", "run", "--log=/dev/null", "--exitcode=0", "--no-store",
      fmt::format("--report=json:/proc/{}/fd/{}", ::getpid(), report_file),
      // A suspect takes part: an experiment needs no victim that lived on. What is not proved and
      // below the user's level is left out in the end.
      fmt::format("--level={}", findings::level_name(options.is_run ? options.output.level
                                                                    : findings::Level::kSuspect))};
  if (options.assume_go_minor)
    argv.push_back(fmt::format("--assume-go=1.{}", *options.assume_go_minor));
  argv.insert(argv.end(), options.run_flags.begin(), options.run_flags.end());
  argv.push_back("--");
  argv.insert(argv.end(), options.command.begin(), options.command.end());
  bool was_built =
      program.path != options.command[0] && options.command[0].find('/') != std::string::npos;
  if (was_built) argv[argv.size() - options.command.size()] = program.path;
  return argv;
}

Result<findings::Report> read_detected(int report_file, const std::string& said) {
  std::string path = fmt::format("/proc/self/fd/{}", report_file);
  GEIST_TRY(text, read_text_file(path));
  if (text.empty())
    return Error("the detecting run wrote no report" + (said.empty() ? "" : ": " + said));
  return report::read_json(text);
}

// The detecting run of `geist prove`: its program's output is nobody's.
Result<findings::Report> detect(const ProveOptions& options, const run::Program& program,
                                prove::Runner& runner) {
  Fd file(::memfd_create("geist-report", MFD_CLOEXEC));
  GEIST_TRY(outcome,
            runner.run_other("/proc/self/exe", detecting_command(options, program, file.get())));
  if (outcome.timed_out) {
    return Error("the program did not end in time: it cannot be compared with itself")
        .with_hint("--timeout gives it longer");
  }
  return read_detected(file.get(), outcome.err.substr(0, outcome.err.find('\n')));
}

// On a busy machine a run may end before all that it recorded was looked at; it says so in its
// losses, and is repeated.
Result<findings::Report> detect_patiently(const ProveOptions& options, const run::Program& program,
                                          prove::Runner& runner) {
  constexpr int kAttempts = 3;
  for (int attempt = 1;; ++attempt) {
    GEIST_TRY(report, detect(options, program, runner));
    bool lost_something = std::any_of(report.lost.begin(), report.lost.end(),
                                      [](const auto& item) { return item.second != 0; });
    if (!report.findings.empty() || !lost_something || attempt == kAttempts) return report;
  }
}

struct Detected {
  findings::Report report;
  std::optional<int> signal;  // that ended the user's run
};

// The detecting run of `geist run --prove`: the user's own.
Result<Detected> run_for_user(const ProveOptions& options, const run::Program& program,
                              prove::Runner& runner) {
  Fd file(::memfd_create("geist-report", MFD_CLOEXEC));
  GEIST_TRY_STATUS(runner.give_input());
  GEIST_TRY(signals, run::ChildSignals::block());
  process::LaunchRequest request;
  request.path = "/proc/self/exe";
  request.command = detecting_command(options, program, file.get());
  request.signal_mask = signals.child_mask();
  GEIST_TRY(pid, process::start_plain(request));
  run::ExitStatus exit = run::wait_for_exit(pid, signals);
  signals.restore();
  GEIST_TRY(report, read_detected(file.get(), ""));
  return Detected{std::move(report), exit.signal};
}

findings::Report report_without_judge(const read::GoBinary& binary, const sites::SiteTable& sites) {
  findings::Report report;
  report.sites = run::count_sites(sites, {});
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

// Findings of one append share its runs.
Status prove_findings(prove::Prover& prover, findings::Report& report) {
  std::map<std::string, prove::Verdict> verdicts;
  for (findings::Finding& finding : report.findings) {
    std::string append = run::append_name(finding);
    // Of a suspect's victim nobody knows whether it is read: an honest program that relies on the
    // write in place changes too when it is healed. Without its victim it is asked for again below.
    if (append.empty() || finding.level < findings::Level::kLikely) continue;
    if (!verdicts.contains(append)) {
      GEIST_TRY(verdict, prover.prove(append));
      verdicts[append] = std::move(verdict);
    }
    run::add_verdict(verdicts[append], finding, report.notes);
  }
  run::sort_by_level(report.findings);
  return Done{};
}

// Without a finding that was proved, and without being told what is right.
Status prove_unseen(prove::Prover& prover, const read::GoBinary& binary,
                    const sites::SiteTable& sites, findings::Report& report) {
  GEIST_TRY(answer, prove::find_unseen(prover.experiment(), binary, sites, {}));
  run::SiteFindings make(binary, sites);
  source::SourceCache sources(
      {.go_release = report.target.go, .binary_path = binary.image().path()});
  run::add_unseen(answer, make, sources, "", report);
  run::sort_by_level(report.findings);
  return Done{};
}

bool has_proof(const findings::Report& report) {
  return std::any_of(
      report.findings.begin(), report.findings.end(),
      [](const findings::Finding& f) { return f.level == findings::Level::kProved; });
}

Status bisect(const ProveOptions& options, prove::Runner& runner, const read::GoBinary& binary,
              const sites::SiteTable& sites, findings::Report& report) {
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
  source::SourceCache sources(
      {.go_release = report.target.go, .binary_path = binary.image().path()});
  for (findings::Bisection::Site& site : answer.bisection->sites) {
    site.frame.source = sources.line_text(site.frame.file, site.frame.line);
  }
  report.bisection = std::move(answer.bisection);
  return Done{};
}

Result<prove::Runner> make_runner(const ProveOptions& options, const run::Program& program,
                                  const read::GoBinary& binary, const sites::SiteTable& sites) {
  prove::Command command;
  command.path = program.path;
  command.argv = options.command;
  command.watched_files = options.watched_files;
  command.timeout_ms = options.timeout_ms;
  ::sigprocmask(SIG_BLOCK, nullptr, &command.signal_mask);
  return prove::Runner::create(binary, sites, std::move(command));
}

Result<Detected> detect_or_not(const ProveOptions& options, const run::Program& program,
                               const read::GoBinary& binary, const sites::SiteTable& sites,
                               prove::Runner& runner) {
  Detected found;
  if (options.no_judge) {
    found.report = report_without_judge(binary, sites);
  } else if (options.is_run) {
    GEIST_TRY(of_user, run_for_user(options, program, runner));
    found = std::move(of_user);
  } else {
    GEIST_TRY(report, detect_patiently(options, program, runner));
    found.report = std::move(report);
  }
  found.report.target.command = options.command;
  return found;
}

Status prove_or_bisect(const ProveOptions& options, const read::GoBinary& binary,
                       const sites::SiteTable& sites, prove::Runner& runner,
                       findings::Report& report) {
  const bool knows_right = !options.expected_path.empty() || options.wanted_exit.has_value();
  const bool looks_for_more = !knows_right && !options.is_run;
  if (!report.findings.empty() || looks_for_more) {
    prove::Prover prover(runner, binary, sites, options.confirm_runs);
    GEIST_TRY_STATUS(prover.learn());
    GEIST_TRY_STATUS(prove_findings(prover, report));
    if (looks_for_more && !has_proof(report))
      GEIST_TRY_STATUS(prove_unseen(prover, binary, sites, report));
    for (const std::string& part : prover.unstable())
      report.notes.push_back(part + " varies too much from run to run to be compared");
  }
  if (knows_right && !has_proof(report))
    GEIST_TRY_STATUS(bisect(options, runner, binary, sites, report));
  return Done{};
}

// As geist run ends when its program was killed.
[[noreturn]] void die_as_the_program(int signal) {
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (signals.ok()) die_of(signal, signals.value());
  ::_exit(128 + signal);
}

}  // namespace

int cmd_prove(const ProveOptions& options) {
  // The program, as a file and as a Go binary, its append sites, and the files the report goes to.
  Result<run::Program> program = run::resolve_program(options.command[0]);
  if (!program.ok()) return fail(program.error());
  auto binary = read::GoBinary::open(program->path, {options.assume_go_minor});
  if (!binary.ok()) return fail(binary.error());
  if (Status status = run::refuse_sanitized(*binary.value()); !status.ok())
    return fail(status.error());
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());
  sites::SiteCache cache(options.no_cache ? "" : sites::SiteCache::default_folder());
  const sites::SiteTable sites = run::find_sites(cache, *binary.value());
  cache.save();

  // A run that finds. What it found is kept before anything else is tried.
  ::unsetenv("GEIST");  // has been obeyed; the detecting run gets flags
  auto runner = make_runner(options, program.value(), *binary.value(), sites);
  if (!runner.ok()) return fail(runner.error());
  auto found = detect_or_not(options, program.value(), *binary.value(), sites, runner.value());
  if (!found.ok()) return fail(found.error());
  findings::Report report = std::move(found->report);
  std::unique_ptr<run::RunRecorder> recorder;
  if (options.keeps_run)
    recorder = run::keep_early(report, options.output.level, options.kept_runs);

  // And runs that show what it changes.
  Status proved = prove_or_bisect(options, *binary.value(), sites, runner.value(), report);
  if (!proved.ok()) return fail(proved.error());

  // Tell.
  if (recorder) recorder->finish(report);
  bool bisected = report.bisection.has_value();
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  program->built = run::BuiltProgram();  // its folder: a signal leaves no time for that
  if (found->signal && status.value() == 128 + *found->signal) die_as_the_program(*found->signal);
  if (options.is_run) return status.value();
  return to_int(status.value() == kFoundMark || bisected ? ExitCode::kFound : ExitCode::kOk);
}

}  // namespace geist::cli
