// geist run: the table of contents of the main job. Each step hands the next what it needs; what holds from there on is
// said between them.
#include "cli/cmd_run.h"

#include <sys/prctl.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "cli/child_signals.h"
#include "cli/exit_code.h"
#include "cli/program_path.h"
#include "cli/unwatched.h"
#include "judge/sources.h"
#include "judge/tracker.h"
#include "program/append_sites.h"

namespace geist::cli {
namespace {

// Builds with a sanitizer expand appends early and map shadow memory where geist would go.
Status refuse_sanitized(const read::GoBinary& binary) {
  for (const char* flag : {"-race", "-asan", "-msan"}) {
    if (binary.build_info().has_setting(flag, "true")) {
      return Error(fmt::format("{}: built with {}, which geist does not support", binary.image().path(), flag))
          .with_hint(fmt::format("build it without {}; geist needs no special build", flag));
    }
  }
  return Done{};
}

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

// DWARF is opened beside the search for sites; both take their time on large binaries.
struct DebugOpener {
  std::unique_ptr<read::DebugInfo> info;
  std::string why_not;
  std::thread thread;
  explicit DebugOpener(const read::GoBinary& binary) {
    thread = std::thread([this, &binary] {
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
  read::DebugInfo* join() {
    if (thread.joinable()) thread.join();
    return info.get();
  }
  ~DebugOpener() { join(); }
};

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
  report.findings = tracker.findings();
  report.events = tracker.counts();
  report.lost = tracker.losses();
  report.cost.wall_s = wall_s;
  report.cost.parked_s = static_cast<double>(process.ring.control().parked_ticks) / static_cast<double>(process.ring.tsc_hz());
  report.cost.monitor_cpu_s = tracker.cpu_seconds();
  for (const std::string& note : process.plan.notes) report.notes.push_back(note);
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
  if (!program.ok()) return give_up(options, program.error());
  auto binary = read::GoBinary::open(program->path, {options.assume_go_minor});
  if (!binary.ok()) return give_up(options, binary.error());
  if (Status status = refuse_sanitized(*binary.value()); !status.ok()) return give_up(options, status.error());

  // Every output file is open before the program runs: it must not fail afterwards for a typo.
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());

  // Names and append sites. From here on both are only read.
  DebugOpener debug(*binary.value());
  program::SiteTable sites = program::find_append_sites(*binary.value(), std::thread::hardware_concurrency());
  auto symbols = heap::find_runtime_symbols(*binary.value());
  if (!symbols.ok()) return give_up(options, symbols.error());
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
  if (!process.ok()) return give_up(options, process.error(), &signals.value());
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
  report.target = describe_target(options, *binary.value());
  report.sites = count_sites(sites);
  fill_report(report, tracker, running, exit, tracker.now_s() - start_s);
  program::SourceCache sources({.go_release = report.target.go, .binary_path = program->path});
  judge::add_sources(report.findings, sources);
  if (!debug.why_not.empty()) report.notes.push_back("no variable names: " + debug.why_not);
  if (!options.no_watch && !tracker.watcher().available()) {
    report.notes.push_back("reads could not be watched (" + tracker.watcher().why_not() + "): no finding can be confirmed; see geist doctor");
  }
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  program->built = BuiltProgram();  // its folder: a signal leaves no time for that
  if (exit.signal && status.value() == exit.code) die_of(*exit.signal, signals.value());
  return status.value();
}

}  // namespace geist::cli
