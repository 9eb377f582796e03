// geist run: the table of contents of the main job. Each step hands the next what it needs; what
// holds from there on is said between them.
#include "cli/cmd_run.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "cli/child_signals.h"
#include "cli/debug_opener.h"
#include "cli/exit_code.h"
#include "cli/heal_names.h"
#include "cli/kept_program.h"
#include "cli/program_path.h"
#include "cli/refuse_sanitized.h"
#include "cli/run_following.h"
#include "cli/run_recorder.h"
#include "cli/run_report.h"
#include "cli/running_heap.h"
#include "cli/unwatched.h"
#include "judge/tracker.h"
#include "probe/heal_choice.h"
#include "program/site_cache.h"

namespace geist::cli {
namespace {

ExitStatus watch_until_exit(judge::Tracker& tracker, target::ProbedProcess& process,
                            const ChildSignals& signals, RunRecorder* recorder, RunningHeap& heap) {
  u64 kept = 0;
  for (;;) {
    tracker.turn();
    heap.turn(tracker.now_s());
    if (recorder != nullptr && std::exchange(kept, tracker.revision()) != tracker.revision()) {
      recorder->offer(tracker.findings());
    }
    signals.forward_to(process.pid);
    std::optional<ExitStatus> exit = find_exit(process.pid);
    if (!exit) continue;
    tracker.finish();
    return *exit;
  }
}

Result<std::unique_ptr<read::GoBinary>> open_binary(const std::string& path,
                                                    const RunOptions& options) {
  auto binary = read::GoBinary::open(path, {options.assume_go_minor});
  if (!binary.ok() && binary.error().kind() == ErrorKind::kNotGo) {
    return binary.take_error().with_hint(
        "A shell or another wrapper: geist run --follow watches the Go programs that it starts.");
  }
  if (!binary.ok()) return binary;
  GEIST_TRY_STATUS(refuse_sanitized(*binary.value()));
  return binary;
}

target::LaunchRequest make_request(const RunOptions& options, const std::string& path,
                                   const ChildSignals& signals) {
  target::LaunchRequest request;
  request.path = path;
  request.command = options.command;
  request.budget.share_percent = options.budget_percent;
  request.budget.unready_timeout_us = kUnreadyTimeoutUs;
  request.signal_mask = signals.child_mask();
  request.plan.thorough = options.thorough;
  if (options.thorough) request.budget.grace_ms = target::kThoroughGraceMs;
  return request;
}

judge::TrackerOptions make_tracking(const RunOptions& options, RunningHeap& heap) {
  judge::TrackerOptions tracking =
      tracker_options(!options.no_watch, options.history, options.budget_percent);
  tracking.at_end = [&heap] { heap.look_for_latent_at_end(); };
  return tracking;
}

// What is known before the program runs.
judge::Report begin_report(const RunOptions& options, const read::GoBinary& binary,
                           const program::SiteTable& sites) {
  judge::Report report;
  report.geist_version = GEIST_VERSION;
  report.target = describe_target(options.command, binary);
  report.sites = count_sites(sites);
  return report;
}

// Nothing when the user wants no run kept.
std::unique_ptr<RunRecorder> start_recorder(const RunOptions& options, const judge::Report& start,
                                            const std::string& binary, const ReportOutput& output) {
  if (!options.keeps_run) return nullptr;
  RunRecorder::Options recording;
  recording.level = options.output.level;
  recording.limits.runs = options.kept_runs;
  recording.sources =
      program::SourceCache::Options{.go_release = start.target.go, .binary_path = binary};
  // A report that goes to a file leaves the terminal to the program.
  if (options.output.log_path.empty()) {
    recording.is_announced = [&](const judge::Finding& finding) {
      return output.shows(finding, start.target);
    };
  }
  return std::make_unique<RunRecorder>(start, std::move(recording));
}

// What the run itself tells, whoever reads it.
void add_run(const judge::Tracker& tracker, const read::GoBinary& binary,
             const target::ProbedProcess& process, const RunningHeap& heap, const ExitStatus& exit,
             judge::Report& report) {
  fill_report(report, tracker, binary, process, exit.cpu_s);
  heap.add_latent(report);
  report.exit_code = exit.code;
  if (exit.signal) report.exit_signal = signal_name(*exit.signal);
}

void add_healing(const read::GoBinary& binary, const probe::HealChoice& choice,
                 const target::ProbedProcess& process, judge::Report& report) {
  report.notes.insert(report.notes.end(), choice.notes.begin(), choice.notes.end());
  for (std::string& line : describe_healing(binary, process))
    report.notes.push_back(std::move(line));
}

// For who proves the findings when the program's file has gone. Failing costs the proofs, not the
// run.
void keep_for_proof(const RunOptions& options, const std::string& path, judge::Report& report) {
  auto is_wanted = [&](const judge::Finding& finding) {
    return finding.level >= options.output.level;
  };
  if (options.kept_folder.empty() || std::ranges::none_of(report.findings, is_wanted)) return;
  Status kept =
      keep_program(path, options.command, fmt::format("{}/{}", options.kept_folder, ::getpid()));
  if (!kept.ok())
    report.notes.push_back("the program could not be kept: " + kept.error().message());
}

}  // namespace

int cmd_run(const RunOptions& options) {
  if (options.follow) return run_following(options);

  // The program, as a file and as a Go binary of a release whose layout is known.
  Result<Program> program = resolve_program(options.command[0]);
  if (!program.ok()) return give_up(options, program.error());
  auto binary = open_binary(program->path, options);
  if (!binary.ok()) return give_up(options, binary.error());

  // Every output file is open before the program runs: it must not fail afterwards for a typo.
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());

  // Append sites. From here on they are only read.
  program::SiteCache cache(options.no_cache ? "" : program::SiteCache::default_folder());
  program::SiteTable sites =
      cache.find_or_search(*binary.value(), std::thread::hardware_concurrency());
  auto symbols = heap::find_runtime_symbols(*binary.value());
  if (!symbols.ok()) return give_up(options, symbols.error());
  auto healed = probe::choose_healed_sites(*binary.value(), sites, options.healed_sites, false);
  if (!healed.ok()) return fail(healed.error());

  // Start it with every site probed, while the names are read in a thread of its own: a signal for
  // the program must not find one that has not blocked it. Then it runs and nobody traces it.
  Result<ChildSignals> signals = ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  DebugOpener debug(*binary.value());
  target::LaunchRequest request = make_request(options, program->path, signals.value());
  request.plan.modes = healed->modes;
  auto process = target::launch(*binary.value(), sites, request);
  if (!process.ok()) return give_up(options, process.error(), &signals.value());
  target::ProbedProcess& running = *process.value();
  signals->child_started();
  cache.save();  // not before: the program waits for nobody's disk

  // From here on what is found is kept, whatever becomes of geist.
  judge::Report report = begin_report(options, *binary.value(), sites);
  auto recorder = start_recorder(options, report, program->path, output.value());

  // Judge while it runs, and once more at its end.
  judge::Context context =
      judge::make_context(*binary.value(), debug.wait(running.ring), running, symbols.value());
  RunningHeap heap(context, running, {.names = true, .latent = options.output.wants_latent()});
  judge::Tracker tracker(context, running, make_tracking(options, heap));
  ExitStatus exit = watch_until_exit(tracker, running, signals.value(), recorder.get(), heap);

  // Tell.
  add_run(tracker, *binary.value(), running, heap, exit, report);
  program::SourceCache sources({.go_release = report.target.go, .binary_path = program->path});
  add_from_source(report, *binary.value(), sites, sources);
  add_healing(*binary.value(), healed.value(), running, report);
  note_what_was_missing(report, tracker, debug, !options.no_watch);
  keep_for_proof(options, program->path, report);
  if (recorder) recorder->finish(report);  // kept before it is told
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  program->built = BuiltProgram();  // its folder: a signal leaves no time for that
  if (exit.signal && status.value() == exit.code) die_of(*exit.signal, signals.value());
  return status.value();
}

}  // namespace geist::cli
