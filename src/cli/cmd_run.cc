// geist run: the table of contents of the main job. Each step hands the next what it needs; what holds from there on is
// said between them.
#include "cli/cmd_run.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <thread>

#include <fmt/format.h>

#include "cli/child_signals.h"
#include "cli/exit_code.h"
#include "cli/heal_names.h"
#include "cli/program_path.h"
#include "cli/refuse_sanitized.h"
#include "cli/run_recorder.h"
#include "judge/sources.h"
#include "judge/tracker.h"
#include "probe/heal_choice.h"
#include "program/site_cache.h"

namespace geist::cli {
namespace {

judge::Target describe_target(const RunOptions& options, const read::GoBinary& binary) {
  judge::Target target;
  const read::BuildInfo& info = binary.build_info();
  target.command = options.command;
  target.binary = std::filesystem::path(binary.image().path()).filename();
  target.go = info.release.text;
  target.module = info.main_module.path.empty() ? info.main_package : info.main_module.path;
  target.build_id = binary.image().build_id();
  if (std::optional<read::Function> main = binary.pclntab().find_function_named("main.main")) {
    std::string file(binary.pclntab().source_frames(*main, main->entry).back().file);
    target.module_dir_hint = std::filesystem::path(file).parent_path();
  }
  if (std::optional<read::Function> main = binary.pclntab().find_function_named("runtime.main")) {
    std::string file(binary.pclntab().source_frames(*main, main->entry).back().file);
    usize src = file.rfind("/src/runtime/");
    if (src != std::string::npos) target.goroot = file.substr(0, src);
  }
  return target;
}

judge::SiteCounts count_sites(const program::SiteTable& table) {
  judge::SiteCounts counts;
  counts.growslice_calls = table.sites.size();
  for (const program::AppendSite& site : table.sites) {
    if (site.bucket == program::SiteBucket::kProbed) ++counts.probed;
    else if (site.bucket == program::SiteBucket::kAlwaysGrows) ++counts.always_grows;
    else ++counts.skipped[std::string(program::bucket_name(site.bucket))];
  }
  return counts;
}

// How long an append may wait for the debug information to be read.
constexpr u32 kUnreadyTimeoutUs = 1500000;

// DWARF is opened beside everything up to the first event: it takes its time on large binaries.
struct DebugOpener {
  std::unique_ptr<read::DebugInfo> info;
  std::string why_not;
  std::future<void> done;
  explicit DebugOpener(const read::GoBinary& binary) {
    done = std::async(std::launch::async, [this, &binary] {
      Result<std::unique_ptr<read::DebugInfo>> opened = read::DebugInfo::open(binary.image());
      if (!opened.ok()) {
        why_not = opened.error().message();
        return;
      }
      info = std::move(opened).value();
      std::optional<read::Function> main = binary.pclntab().find_function_named("main.main");
      if (info && main) (void)info->variables_at(main->entry, main->entry);
    });
  }
  // Waits for it; the running program sees signs of life meanwhile.
  read::DebugInfo* wait(target::SharedRing& ring) {
    while (done.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) ring.beat();
    return info.get();
  }
};

target::LaunchRequest make_request(const RunOptions& options, const std::string& path, const ChildSignals& signals) {
  target::LaunchRequest request;
  request.path = path;
  request.command = options.command;
  request.budget.share_percent = options.budget_percent;
  request.budget.unready_timeout_us = kUnreadyTimeoutUs;
  request.signal_mask = signals.child_mask();
  return request;
}

ExitStatus watch_until_exit(judge::Tracker& tracker, target::ProbedProcess& process, const ChildSignals& signals,
                            RunRecorder* recorder) {
  u64 kept = 0;
  for (;;) {
    tracker.turn();
    if (recorder != nullptr && std::exchange(kept, tracker.revision()) != tracker.revision()) {
      recorder->offer(tracker.findings());
    }
    signals.forward_to(process.pid);
    if (std::optional<ExitStatus> exit = find_exit(process.pid)) return *exit;
  }
}

// What is known before the program runs.
judge::Report begin_report(const RunOptions& options, const read::GoBinary& binary, const program::SiteTable& sites) {
  judge::Report report;
  report.geist_version = GEIST_VERSION;
  report.target = describe_target(options, binary);
  report.sites = count_sites(sites);
  return report;
}

// Nothing when the user wants no run kept.
std::unique_ptr<RunRecorder> start_recorder(const RunOptions& options, const judge::Report& start, const std::string& binary,
                                            const ReportOutput& output) {
  if (!options.keeps_run) return nullptr;
  RunRecorder::Options recording;
  recording.level = options.output.level;
  recording.limits.runs = options.kept_runs;
  recording.sources = {.go_release = start.target.go, .binary_path = binary};
  // A report that goes to a file leaves the terminal to the program.
  if (options.output.log_path.empty()) {
    recording.is_announced = [&](const judge::Finding& finding) { return output.shows(finding, start.target); };
  }
  return std::make_unique<RunRecorder>(start, std::move(recording));
}

void fill_report(judge::Report& report, const judge::Tracker& tracker, const target::ProbedProcess& process,
                 const ExitStatus& exit, double wall_s) {
  report.exit_code = exit.code;
  if (exit.signal) report.exit_signal = std::string("SIG") + ::sigabbrev_np(*exit.signal);
  report.findings = tracker.findings();
  report.events = tracker.counts();
  report.lost = tracker.losses();
  report.cost.wall_s = wall_s;
  report.cost.parked_s = static_cast<double>(process.ring.control().parked_ticks) / static_cast<double>(process.ring.tsc_hz());
  report.cost.monitor_cpu_s = tracker.cpu_seconds();
  for (const std::string& note : process.plan.notes) report.notes.push_back(note);
}

void add_notes(judge::Report& report, const RunOptions& options, const std::string& no_debug, const target::Watcher& watcher) {
  if (!no_debug.empty()) report.notes.push_back("no variable names: " + no_debug);
  if (options.no_watch || watcher.available()) return;
  report.notes.push_back("reads could not be watched (" + watcher.why_not() + "): no finding can be confirmed; see geist doctor");
}

void add_healing(const read::GoBinary& binary, const probe::HealChoice& choice, const target::ProbedProcess& process,
                 judge::Report& report) {
  report.notes.insert(report.notes.end(), choice.notes.begin(), choice.notes.end());
  for (std::string& line : describe_healing(binary, process)) report.notes.push_back(std::move(line));
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
  program::SiteCache cache(options.no_cache ? "" : program::SiteCache::default_folder());
  program::SiteTable sites = cache.find_or_search(*binary.value(), std::thread::hardware_concurrency());
  auto symbols = heap::find_runtime_symbols(*binary.value());
  if (!symbols.ok()) return fail(symbols.error());

  auto healed = probe::choose_healed_sites(*binary.value(), sites, options.healed_sites, false);
  if (!healed.ok()) return fail(healed.error());

  // Start it with every site probed. When this returns the program runs and nobody traces it.
  Result<ChildSignals> signals = ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  target::LaunchRequest request = make_request(options, program->path, signals.value());
  request.plan.modes = healed->modes;
  auto process = target::launch(*binary.value(), sites, request);
  if (!process.ok()) return fail(process.error());
  target::ProbedProcess& running = *process.value();
  signals->child_started();
  cache.save();  // not before: the program waits for nobody's disk

  // From here on what is found is kept, whatever becomes of geist.
  judge::Report report = begin_report(options, *binary.value(), sites);
  std::unique_ptr<RunRecorder> recorder = start_recorder(options, report, program->path, output.value());

  // Judge while it runs, and once more at its end.
  judge::Context context = judge::make_context(*binary.value(), debug.wait(running.ring), running, symbols.value());
  judge::TrackerOptions tracking;
  tracking.watch = !options.no_watch;
  tracking.max_open_cases = options.history;
  judge::Tracker tracker(context, running, tracking);
  double start_s = tracker.now_s();
  ExitStatus exit = watch_until_exit(tracker, running, signals.value(), recorder.get());
  tracker.finish();

  // Tell.
  fill_report(report, tracker, running, exit, tracker.now_s() - start_s);
  program::SourceCache sources({.go_release = report.target.go, .binary_path = program->path});
  judge::add_sources(report.findings, sources);
  add_healing(*binary.value(), healed.value(), running, report);
  add_notes(report, options, debug.why_not, tracker.watcher());
  // Kept before it is told.
  if (recorder) recorder->finish(report);
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  program->built = BuiltProgram();  // its folder: a signal leaves no time for that
  if (exit.signal && status.value() == exit.code) die_of(*exit.signal, signals.value());
  return status.value();
}

}  // namespace geist::cli
