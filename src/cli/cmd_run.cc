// geist run: the table of contents of the main job. Each step hands the next what it needs; what
// holds from there on is said between them.
#include "cli/cmd_run.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/run_following.h"
#include "cli/unwatched.h"
#include "findings/detectors.h"
#include "judge/desk.h"
#include "probe/heal_choice.h"
#include "run/child_signals.h"
#include "run/debug_opener.h"
#include "run/find_sites.h"
#include "run/heal_names.h"
#include "run/kept_program.h"
#include "run/program_path.h"
#include "run/refuse_sanitized.h"
#include "run/run_recorder.h"
#include "run/run_report.h"
#include "run/running_heap.h"

namespace geist::cli {
namespace {

run::ExitStatus watch_until_exit(judge::Desk& desk, process::ProbedProcess& process,
                                 const run::ChildSignals& signals, run::RunRecorder* recorder,
                                 run::RunningHeap& heap, detect::Session& session) {
  u64 kept = 0;
  for (;;) {
    desk.turn();
    heap.turn(desk.now_s());
    session.turn(desk.now_s());
    if (recorder != nullptr && std::exchange(kept, desk.revision()) != desk.revision()) {
      recorder->offer(desk.findings());
    }
    signals.forward_to(process.pid);
    std::optional<run::ExitStatus> exit = run::find_exit(process.pid);
    if (!exit) continue;
    desk.finish();
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
  GEIST_TRY_STATUS(run::refuse_sanitized(*binary.value()));
  return binary;
}

// What the run has otherwise: appends that are healed, growth under a condition.
struct Changes {
  probe::PlanOptions plan;
  std::vector<std::string> notes;
  void add_to(probe::PlanOptions& other) const {
    other.modes = plan.modes;
    other.points.insert(other.points.end(), plan.points.begin(), plan.points.end());
  }
};

process::LaunchRequest make_request(const RunOptions& options, const std::string& path,
                                    const run::ChildSignals& signals, const Changes& changes,
                                    const detect::Program& program) {
  process::LaunchRequest request;
  request.path = path;
  request.command = options.command;
  request.budget.share_percent = options.budget_percent;
  request.budget.unready_timeout_us = run::kUnreadyTimeoutUs;
  request.signal_mask = signals.child_mask();
  request.plan.thorough = options.thorough;
  request.plan.only_healed = !options.watches_appends;
  const detect::Detectors detectors(options.detectors);
  detectors.ask(request.plan);
  detectors.find(program, request.plan);
  changes.add_to(request.plan);
  if (options.thorough) request.budget.grace_ms = process::kThoroughGraceMs;
  return request;
}

Result<Changes> choose_changes(const RunOptions& options, const read::GoBinary& binary,
                               const sites::SiteTable& sites) {
  Changes changes;
  GEIST_TRY(healed, probe::choose_healed_sites(binary, sites, options.healed_sites, false));
  changes.plan.modes = std::move(healed.modes);
  changes.notes = std::move(healed.notes);
  GEIST_TRY_STATUS(
      probe::add_conditions(binary, sites, options.conditions, changes.plan, changes.notes));
  return changes;
}

detect::Session begin_session(const RunOptions& options, const read::GoBinary& binary,
                              const process::ProbedProcess& process, run::RunningHeap& heap) {
  auto find_paths = [&heap](std::span<const TargetAddr> objects) {
    return heap.paths_to_objects(objects);
  };
  return {options.detectors, {binary, process, find_paths}};
}

judge::DeskOptions make_desk_options(const RunOptions& options, run::RunningHeap& heap,
                                     detect::Session& session) {
  judge::DeskOptions of_desk =
      run::desk_options(!options.no_watch, options.history, options.budget_percent);
  of_desk.at_end = [&heap, &session] {
    heap.look_for_latent_at_end();
    session.look();
  };
  of_desk.on_other = [&session](const abi::Event& event) { session.hear(event); };
  return of_desk;
}

// What is known before the program runs.
findings::Report begin_report(const RunOptions& options, const read::GoBinary& binary,
                              const sites::SiteTable& sites, const sites::Refused& refused) {
  findings::Report report;
  report.geist_version = GEIST_VERSION;
  report.target = run::describe_target(options.command, binary);
  report.sites = run::count_sites(sites, refused);
  report.detectors = options.looked_for();
  if (!report.looked_at_appends())
    report.sites.skipped["not_looked_for"] = std::exchange(report.sites.probed, 0);
  for (const probe::Condition& condition : options.conditions) {
    for (std::string& text : condition.texts()) report.conditions.push_back(std::move(text));
  }
  return report;
}

// Nothing when the user wants no run kept.
std::unique_ptr<run::RunRecorder> start_recorder(const RunOptions& options,
                                                 const findings::Report& start,
                                                 const std::string& binary,
                                                 const ReportOutput& output) {
  if (!options.keeps_run) return nullptr;
  run::RunRecorder::Options recording;
  recording.level = options.output.level;
  recording.limits.runs = options.kept_runs;
  recording.sources =
      source::SourceCache::Options{.go_release = start.target.go, .binary_path = binary};
  // A report that goes to a file leaves the terminal to the program.
  if (options.output.log_path.empty()) {
    recording.is_announced = [&](const findings::Finding& finding) {
      return output.shows(finding, start.target);
    };
    recording.announce = say;
  }
  return std::make_unique<run::RunRecorder>(start, std::move(recording));
}

run::RunningHeap::Uses heap_uses(const RunOptions& options) {
  return {.names = true, .latent = options.output.wants_latent(), .objects = true};
}

// What the run itself tells, whoever reads it.
void add_run(const judge::Desk& desk, detect::Session& session, const read::GoBinary& binary,
             const process::ProbedProcess& process, const run::RunningHeap& heap,
             const run::ExitStatus& exit, findings::Report& report) {
  run::fill_report(report, desk, session, binary, process, exit.cpu_s);
  heap.add_latent(report);
  report.exit_code = exit.code;
  if (exit.signal) report.exit_signal = run::signal_name(*exit.signal);
}

void add_lines(const std::string& path, const read::GoBinary& binary, const sites::SiteTable& sites,
               findings::Report& report) {
  source::SourceCache sources({.go_release = report.target.go, .binary_path = path});
  run::add_from_source(report, binary, sites, sources);
}

void add_changes(const read::GoBinary& binary, const Changes& changes,
                 const process::ProbedProcess& process, findings::Report& report) {
  report.notes.insert(report.notes.end(), changes.notes.begin(), changes.notes.end());
  for (std::string& line : run::describe_healing(binary, process))
    report.notes.push_back(std::move(line));
  for (const probe::PlannedPoint& point : process.plan.points) {
    if (point.refused && point.point.kind != program::PointKind::kCall)
      report.notes.push_back(fmt::format("a condition does not hold everywhere: {:#x}: {}",
                                         point.point.at.value,
                                         program::refusal_help(*point.refused)));
  }
}

// For who proves the findings when the program's file has gone. Failing costs the proofs, not the
// run.
void keep_for_proof(const RunOptions& options, const std::string& path, findings::Report& report) {
  auto is_wanted = [&](const findings::Finding& finding) {
    return finding.level >= options.output.level;
  };
  if (options.kept_folder.empty()) return;
  if (!options.keeps_always && std::ranges::none_of(report.findings, is_wanted)) return;
  Status kept = run::keep_program(path, options.command,
                                  fmt::format("{}/{}", options.kept_folder, ::getpid()));
  if (!kept.ok())
    report.notes.push_back("the program could not be kept: " + kept.error().message());
}

// Does not come back when the program died of a signal, and nothing else is to be said.
void end_as_program(const RunOptions& options, const run::ExitStatus& exit, int status,
                    const run::ChildSignals& signals) {
  if (options.ends_as_program && exit.signal && status == exit.code) die_of(*exit.signal, signals);
}

}  // namespace

std::vector<std::string> RunOptions::looked_for() const {
  std::vector<std::string> names;
  if (watches_appends) names.emplace_back("append");
  for (const findings::DetectorRow& row : findings::all_detectors()) {
    const bool is_asked = std::ranges::find(detectors, row.name) != detectors.end();
    if (row.when == findings::When::kByName && is_asked) names.emplace_back(row.name);
  }
  return names;
}

int cmd_run(const RunOptions& options) {
  if (options.follow) return run_following(options);

  // The program, as a file and as a Go binary of a release whose layout is known.
  auto program = run::resolve_program(options.command[0]);
  if (!program.ok()) return give_up(options, program.error());
  auto binary = open_binary(program->path, options);
  if (!binary.ok()) return give_up(options, binary.error());

  // Every output file is open before the program runs: it must not fail afterwards for a typo.
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());

  // Append sites, which are only read from here on.
  sites::SiteCache cache(options.no_cache ? "" : sites::SiteCache::default_folder());
  const sites::SiteTable sites = run::find_sites(cache, *binary.value());
  auto symbols = heap::find_runtime_symbols(*binary.value());
  if (!symbols.ok()) return give_up(options, symbols.error());
  auto changes = choose_changes(options, *binary.value(), sites);
  if (!changes.ok()) return fail(changes.error());

  // Start it probed, while a thread reads the names: a signal for the program must not find one
  // that has not blocked it. Then it runs and nobody traces it.
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  run::DebugOpener debug(*binary.value());
  const auto request = make_request(options, program->path, signals.value(), changes.value(),
                                    {*binary.value(), sites});
  auto process = process::launch(*binary.value(), sites, request);
  if (!process.ok()) return give_up(options, process.error(), &signals.value());
  process::ProbedProcess& running = *process.value();
  signals->child_started();
  cache.save();  // not before: the program waits for nobody's disk

  // From here on what is found is kept, whatever becomes of geist.
  auto report = begin_report(options, *binary.value(), sites, running.plan.refused);
  auto recorder = start_recorder(options, report, program->path, output.value());

  // Judge while it runs, and once more at its end.
  auto context = judge::make_context(*binary.value(), debug.wait(running.ring), sites, running,
                                     symbols.value());
  run::RunningHeap heap(context, running, heap_uses(options));
  detect::Session session = begin_session(options, *binary.value(), running, heap);
  judge::Desk desk(context, running, make_desk_options(options, heap, session));
  session.attend(desk);
  auto exit = watch_until_exit(desk, running, signals.value(), recorder.get(), heap, session);

  // Tell.
  add_run(desk, session, *binary.value(), running, heap, exit, report);
  add_lines(program->path, *binary.value(), sites, report);
  add_changes(*binary.value(), changes.value(), running, report);
  run::note_what_was_missing(report, desk, debug, !options.no_watch);
  keep_for_proof(options, program->path, report);
  if (recorder) recorder->finish(report);  // kept before it is told
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  program->built = run::BuiltProgram();  // its folder: a signal leaves no time for that
  end_as_program(options, exit, status.value(), signals.value());
  return status.value();
}

}  // namespace geist::cli
