// The tracing thread (process/follow.h) starts and probes processes; here they are judged, all in
// one thread, each by a desk of its own, and their reports become one. It ends when every
// process has ended; when the command itself has, a signal to end makes geist let go of the rest.
//
//   exec ─▶ recognise: a Go program? ─▶ probed ─▶ Started ─▶ Session {desk} ─▶ Ended
//                                                                 its report ─▶ merge
#include "cli/run_following.h"

#include <sys/wait.h>

#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/file_identity.h"
#include "cli/exit_code.h"
#include "process/follow.h"
#include "report/merge.h"
#include "run/child_signals.h"
#include "run/debug_opener.h"
#include "run/find_sites.h"
#include "run/program_path.h"
#include "run/refuse_sanitized.h"
#include "run/run_report.h"

namespace geist::cli {
namespace {

constexpr u64 kTurnUs = 2000;     // all processes are looked at this often, or more
constexpr u64 kNobodyUs = 50000;  // while no Go program runs

// A file that was exec'd: a Go program with all that a run needs of it, or nothing to be probed.
struct KnownFile {
  std::string path;
  std::unique_ptr<read::GoBinary> binary;  // null: not to be probed
  sites::SiteTable sites;
  std::vector<probe::PointProbe> points;  // that detectors asked for
  std::optional<heap::RuntimeSymbols> symbols;
  std::unique_ptr<run::DebugOpener> debug;
};

// The files seen so far, by what they are rather than by name: `go test` puts many programs at one
// path. Used by the tracing thread; its entries are never removed or changed, so the judging thread
// may read those it was told of.
class KnownFiles {
 public:
  // `detectors` outlives it.
  KnownFiles(std::optional<int> assume_go_minor, const detect::Detectors& detectors)
      : assume_go_minor_(assume_go_minor), detectors_(detectors) {}

  const KnownFile& get(const std::string& path, const std::string& open_path);
  // Go programs that were left alone, a sentence each.
  std::vector<std::string> take_notes();

 private:
  void open(KnownFile& file, const std::string& open_path);
  Status look(KnownFile& file);

  std::optional<int> assume_go_minor_;
  const detect::Detectors& detectors_;
  std::map<FileIdentity, KnownFile> files_;
  std::deque<KnownFile> without_identity_;  // each is taken for another one
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

const KnownFile& KnownFiles::get(const std::string& path, const std::string& open_path) {
  const std::optional<FileIdentity> identity = find_file_identity(open_path);
  if (!identity) {
    KnownFile& file = without_identity_.emplace_back();
    file.path = path;
    open(file, open_path);
    return file;
  }
  auto [at, is_new] = files_.try_emplace(*identity);
  if (is_new) {
    at->second.path = path;
    open(at->second, open_path);
  }
  return at->second;
}

void KnownFiles::open(KnownFile& file, const std::string& open_path) {
  auto image = read::Image::open(open_path);
  if (!image.ok()) return;  // nothing that geist reads
  auto binary = read::GoBinary::from_image(std::move(image).value(), {assume_go_minor_});
  if (!binary.ok() && binary.error().kind() == ErrorKind::kNotGo)
    return;  // a shell, a compiler: most of what is exec'd
  Status status = Done{};
  if (binary.ok()) {
    file.binary = std::move(binary).value();
    status = look(file);
  } else {
    status = binary.take_error();
  }
  if (status.ok()) return;
  file.binary.reset();
  std::unique_lock lock(mutex_);
  notes_.push_back(fmt::format("{} ran unwatched: {}", file.path, status.error().message()));
}

Status KnownFiles::look(KnownFile& file) {
  GEIST_TRY_STATUS(run::refuse_sanitized(*file.binary));
  GEIST_TRY(symbols, heap::find_runtime_symbols(*file.binary));
  file.symbols = std::move(symbols);
  file.debug = std::make_unique<run::DebugOpener>(*file.binary);
  file.sites = run::find_sites(*file.binary);
  probe::PlanOptions plan;
  detectors_.find({*file.binary, file.sites}, plan);
  file.points = std::move(plan.points);
  return Done{};
}

std::vector<std::string> KnownFiles::take_notes() {
  std::unique_lock lock(mutex_);
  return std::move(notes_);
}

// One probed process while it runs.
struct Session {
  const KnownFile* file;
  std::unique_ptr<process::ProbedProcess> process;
  judge::Context context;
  detect::Session detectors;
  judge::Desk desk;

  Session(const KnownFile& f, std::unique_ptr<process::ProbedProcess> p,
          const std::vector<std::string>& asked, judge::DeskOptions desk_options)
      : file(&f),
        process(std::move(p)),
        context(judge::make_context(*f.binary, f.debug->wait(process->ring), f.sites, *process,
                                    *f.symbols)),
        detectors(asked, {*f.binary, *process}),
        desk(context, *process, hearing(std::move(desk_options))) {
    detectors.attend(desk);
  }

 private:
  judge::DeskOptions hearing(judge::DeskOptions desk_options) {
    desk_options.on_other = [this](const abi::Event& event) { detectors.hear(event); };
    return desk_options;
  }
};

class FollowingRun {
 public:
  FollowingRun(const RunOptions& options, process::Follower& follower,
               const run::ChildSignals& signals)
      : options_(options),
        follower_(follower),
        signals_(signals),
        desk_options_(
            run::desk_options(!options.no_watch, options.history, options.budget_percent)) {}
  // Until everything has ended, or the rest was let go.
  findings::Report run();
  std::optional<int> signal() const { return signal_; }

 private:
  void take(process::Notice notice);
  void on_end(const process::Ended& ended);
  bool asked_to_end() const;
  void close(int pid, double cpu_s);

  const RunOptions& options_;
  process::Follower& follower_;
  const run::ChildSignals& signals_;
  judge::DeskOptions desk_options_;
  std::map<int, std::unique_ptr<Session>> sessions_;
  findings::Report report_;
  bool command_ended_ = false;
  std::optional<int> signal_;
};

findings::Report FollowingRun::run() {
  const auto start = std::chrono::steady_clock::now();
  while (!follower_.over() && !asked_to_end()) {
    while (std::optional<process::Notice> notice =
               follower_.next(sessions_.empty() ? kNobodyUs : 0))
      take(std::move(*notice));
    for (auto& [pid, session] : sessions_) session->desk.turn(kTurnUs / sessions_.size());
  }
  while (!sessions_.empty()) {
    report_.notes.push_back(
        fmt::format("process {} still runs and is not watched any more", sessions_.begin()->first));
    close(sessions_.begin()->first, 0);
  }
  report_.cost.wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::move(report_);
}

bool FollowingRun::asked_to_end() const {
  if (command_ended_) return signals_.asked_to_end();
  signals_.forward_to(follower_.pid());
  return false;
}

void FollowingRun::take(process::Notice notice) {
  if (auto* started = std::get_if<process::Started>(&notice)) {
    int pid = started->process->pid;
    const auto& file = *static_cast<const KnownFile*>(started->tag);
    sessions_[pid] = std::make_unique<Session>(file, std::move(started->process),
                                               options_.detectors, desk_options_);
  } else if (auto* ended = std::get_if<process::Ended>(&notice)) {
    on_end(*ended);
  } else {
    const auto& left = std::get<process::NotPrepared>(notice);
    report_.notes.push_back(fmt::format("{} ran unwatched: {}", left.path, left.why));
  }
}

void FollowingRun::on_end(const process::Ended& ended) {
  if (sessions_.count(ended.pid) != 0) close(ended.pid, ended.cpu_s);
  if (ended.pid != follower_.pid() || !ended.status) return;
  command_ended_ = true;
  if (WIFSIGNALED(*ended.status)) {
    signal_ = WTERMSIG(*ended.status);
    report_.exit_code = 128 + *signal_;
    report_.exit_signal = run::signal_name(*signal_);
  } else {
    report_.exit_code = WEXITSTATUS(*ended.status);
  }
}

// What the process has to say goes into the report.
void FollowingRun::close(int pid, double cpu_s) {
  Session& session = *sessions_.at(pid);
  session.desk.finish();
  findings::Report part;
  findings::Target target = run::describe_target({session.file->path}, *session.file->binary);
  target.binary = std::filesystem::path(session.file->path).filename();
  run::note_what_was_missing(part, session.desk, *session.file->debug, !options_.no_watch);
  part.sites = run::count_sites(session.file->sites, session.process->plan.refused);
  part.programs.push_back({target.binary, target.go, target.build_id, 1});
  run::fill_report(part, session.desk, session.detectors, *session.file->binary, *session.process,
                   cpu_s);
  for (findings::Finding& finding : part.findings) {
    finding.binary = target.binary;
    finding.pid = pid;
  }
  source::SourceCache sources({.go_release = target.go, .binary_path = session.file->path});
  run::add_from_source(part, *session.file->binary, session.file->sites, sources);
  if (report_.target.go.empty())
    report_.target = target;  // paths are printed relative to the first program's module
  report::merge_into(&report_, std::move(part));
  sessions_.erase(pid);
}

}  // namespace

int run_following(const RunOptions& options) {
  // Anything that can be exec'd; what it is, and what it execs, is looked at when it happens.
  Result<run::Program> program = run::resolve_command(options.command[0]);
  if (!program.ok()) return fail(program.error());
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());

  // Start it traced. From here on the tracing thread asks for every file that is exec'd.
  const detect::Detectors detectors(options.detectors);
  KnownFiles files(options.assume_go_minor, detectors);
  process::LaunchRequest request;
  request.path = program->path;
  request.command = options.command;
  request.budget.share_percent = options.budget_percent;
  request.budget.unready_timeout_us = run::kUnreadyTimeoutUs;
  request.plan.only_healed = !options.watches_appends;
  detectors.ask(request.plan);
  request.signal_mask = signals->child_mask();
  auto recognise = [&](const std::string& path,
                       const std::string& open_path) -> std::optional<process::Recognised> {
    const KnownFile& file = files.get(path, open_path);
    if (!file.binary) return std::nullopt;
    return process::Recognised{file.binary.get(), &file.sites, &file, &file.points};
  };
  auto follower = process::Follower::start(request, recognise);
  if (!follower.ok()) return fail(follower.error());
  signals->child_started();

  // Judge whatever runs, until nothing does.
  FollowingRun run(options, *follower.value(), signals.value());
  findings::Report report = run.run();
  follower.value().reset();

  // Tell.
  report.geist_version = GEIST_VERSION;
  report.target.command = options.command;
  report.detectors = options.looked_for();
  if (!report.looked_at_appends())
    report.sites.skipped["not_looked_for"] = std::exchange(report.sites.probed, 0);
  for (std::string& note : files.take_notes()) report.notes.push_back(std::move(note));
  if (report.programs.empty())
    report.notes.push_back("no Go program was started that could be watched");
  Result<int> status = output->finish(std::move(report));
  if (!status.ok()) return fail(status.error());
  program->built = run::BuiltProgram();
  if (run.signal() && status.value() == 128 + *run.signal()) die_of(*run.signal(), signals.value());
  return status.value();
}

}  // namespace geist::cli
