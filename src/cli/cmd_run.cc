// geist run: the table of contents of the main job. Each step hands the next what it needs; what holds from there on is
// said between them.
#include "cli/cmd_run.h"

#include <sys/prctl.h>

#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "cli/child_signals.h"
#include "cli/exit_code.h"
#include "cli/program_path.h"
#include "cli/watching.h"
#include "judge/sources.h"
#include "judge/tracker.h"
#include "program/append_sites.h"

namespace geist::cli {
namespace {

ExitStatus watch_until_exit(judge::Tracker& tracker, target::ProbedProcess& process, const ChildSignals& signals) {
  for (;;) {
    tracker.turn();
    signals.forward_to(process.pid);
    if (std::optional<ExitStatus> exit = find_exit(process.pid)) return *exit;
  }
}

void fill_report(judge::Report& report, const judge::Tracker& tracker, const target::ProbedProcess& process,
                 const ExitStatus& exit, double wall_s) {
  report.exit_code = exit.code;
  if (exit.signal) report.exit_signal = std::string("SIG") + ::sigabbrev_np(*exit.signal);
  fill_from_tracker(report, tracker, process, wall_s);
}

// The program was ended by a signal: so are we, that the caller sees what it would have seen.
[[noreturn]] void die_of(int signal, const ChildSignals& signals) {
  ::prctl(PR_SET_DUMPABLE, 0);  // the program may have left a core, we shall not
  ::signal(signal, SIG_DFL);
  signals.restore();
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace

int cmd_run(const RunOptions& options) {
  // The program, as a file and as a Go binary of a release whose layout is known.
  Result<Program> program = resolve_program(options.command[0]);
  if (!program.ok()) return fail(program.error());
  auto binary = read::GoBinary::open(program->path, {options.assume_go_minor});
  if (!binary.ok()) return fail(binary.error());
  if (Status status = refuse_sanitized(*binary.value()); !status.ok()) return fail(status.error());

  // Every output file is open before the program runs: it must not fail afterwards for a typo.
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());

  // Names and append sites. From here on both are only read.
  DebugOpener debug(*binary.value());
  program::SiteTable sites = program::find_append_sites(*binary.value(), std::thread::hardware_concurrency());
  auto symbols = heap::find_runtime_symbols(*binary.value());
  if (!symbols.ok()) return fail(symbols.error());
  (void)debug.join();

  // Start it with every site probed. When this returns the program runs and nobody traces it.
  Result<ChildSignals> signals = ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  target::LaunchRequest request;
  request.path = program->path;
  request.command = options.command;
  request.budget.share_percent = options.budget_percent;
  request.signal_mask = signals->child_mask();
  auto process = target::launch(*binary.value(), sites, request);
  if (!process.ok()) return fail(process.error());
  target::ProbedProcess& running = *process.value();
  signals->child_started();

  // Judge while it runs, and once more at its end.
  judge::Context context = judge::make_context(*binary.value(), debug.join(), running, symbols.value());
  judge::TrackerOptions tracking;
  tracking.watch = !options.no_watch;
  tracking.max_open_cases = options.history;
  judge::Tracker tracker(context, running, tracking);
  double start_s = tracker.now_s();
  ExitStatus exit = watch_until_exit(tracker, running, signals.value());
  tracker.finish();

  // Tell.
  judge::Report report;
  report.geist_version = GEIST_VERSION;
  report.target = describe_target(*binary.value(), options.command, binary.value()->image().path());
  report.sites = count_sites(sites);
  fill_report(report, tracker, running, exit, tracker.now_s() - start_s);
  program::SourceCache sources({.go_release = report.target.go, .binary_path = program->path});
  judge::add_sources(report.findings, sources);
  note_what_is_missing(report, debug, tracker, !options.no_watch);
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  program->built = BuiltProgram();  // its folder: a signal leaves no time for that
  if (exit.signal && status.value() == exit.code) die_of(*exit.signal, signals.value());
  return status.value();
}

}  // namespace geist::cli
