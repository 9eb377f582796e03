// The thread of the recorder: opens the store, then keeps what is offered until the run is over.
// Everything it touches but the three members behind mutex_ is its own; lines are said only after
// the commit of what they say.
//
// keep() writes a finding when its key is new or its level rose; finish() replaces them all by the
// whole report.
#include "run/run_recorder.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "base/start_thread.h"
#include "report/filter.h"
#include "report/report.h"
#include "source/finding_sources.h"

namespace geist::run {
namespace {

// A shorter run has its report on the screen before anybody could wonder.
constexpr double kAnnounceAfterSeconds = 1.0;

double monotonic_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What makes two findings of one run the same; as Outcomes::merged() merges them.
std::string key_of(const findings::Finding& f) {
  return fmt::format("{}|{}|{}|{}", f.pc, findings::holder_name(f.victim.holder), f.victim.name,
                     f.victim.type);
}

std::string join(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

RunRecorder::RunRecorder(findings::Report start, Options options)
    : start_(std::move(start)), options_(std::move(options)), began_s_(monotonic_s()) {
  // Without one, all is kept at the end.
  if (auto thread = start_thread([this] { run(); })) thread_ = std::move(*thread);
}

RunRecorder::~RunRecorder() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void RunRecorder::offer(std::vector<findings::Finding> findings) {
  {
    std::lock_guard lock(mutex_);
    offered_ = std::move(findings);
  }
  changed_.notify_one();
}

void RunRecorder::finish(findings::Report& report) {
  {
    std::lock_guard lock(mutex_);
    whole_ = &report;
    is_over_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable())
    thread_.join();
  else
    run();
  report.notes.insert(report.notes.end(), notes_.begin(), notes_.end());
}

double RunRecorder::age_s() const {
  return monotonic_s() - began_s_;
}

void RunRecorder::run() {
  open();
  std::unique_lock lock(mutex_);
  while (true) {
    auto has_work = [&] { return offered_.has_value() || is_over_; };
    if (unsaid_.empty())
      changed_.wait(lock, has_work);
    else
      changed_.wait_for(lock, std::chrono::milliseconds(50), has_work);
    std::optional<std::vector<findings::Finding>> findings = std::exchange(offered_, std::nullopt);
    bool is_over = is_over_;
    const findings::Report* whole = whole_;
    lock.unlock();
    if (whole != nullptr)
      keep_whole(*whole);  // has them all
    else if (findings)
      keep(std::move(*findings));
    if (is_over) return;
    announce_due();
    lock.lock();
  }
}

void RunRecorder::open() {
  Result<std::string> folder = store::state_folder();
  if (!folder.ok()) return give_up(folder.error().message());
  Result<store::Store> opened = store::Store::open(folder.value());
  if (!opened.ok()) return give_up(opened.error().message());
  store_ = std::move(opened).value();
  if (!store_->note().empty()) notes_.push_back(store_->note());
  store::RunStart start{static_cast<i64>(std::time(nullptr)), join(start_.target.command),
                        report::emit_compact_json(start_)};
  Result<i64> run = store_->begin_run(start);
  if (!run.ok()) return give_up(store_->path() + ": " + run.error().message());
  run_id_ = run.value();
  Status pruned = store_->prune(options_.limits);
  if (!pruned.ok())
    notes_.push_back(
        fmt::format("{}: old runs stay: {}", store_->path(), pruned.error().message()));
}

// Once is enough: what cannot be written now is in the report that is printed at the end.
void RunRecorder::give_up(const std::string& what) {
  notes_.push_back(fmt::format("not all of this run is kept for geist report: {}", what));
  store_.reset();
}

void RunRecorder::keep(std::vector<findings::Finding> findings) {
  if (!sources_ && options_.sources) sources_.emplace(*options_.sources);
  for (findings::Finding& finding : findings) {
    if (!store_) return;
    if (finding.level < options_.level) continue;
    std::string key = key_of(finding);
    auto it = known_.find(key);
    if (it != known_.end() && it->second >= finding.level) continue;
    findings::Report one;
    one.findings.push_back(std::move(finding));
    if (sources_) source::add_sources(one.findings, *sources_);
    const findings::Finding& kept = one.findings.front();
    Status status = store_->put_finding(run_id_, {key, report::emit_compact_json(one)});
    if (!status.ok()) return give_up(store_->path() + ": " + status.error().message());
    known_[key] = kept.level;
    bool is_announced = options_.announce && options_.is_announced(kept);
    if (!is_announced) continue;
    unsaid_[key] = fmt::format("geist: {}: {}, kept as run {}\n", findings::level_name(kept.level),
                               report::emit_sentence(kept), run_id_);
  }
}

void RunRecorder::announce_due() {
  if (unsaid_.empty() || age_s() < kAnnounceAfterSeconds) return;
  for (const auto& [key, line] : unsaid_) options_.announce(line);
  unsaid_.clear();
}

void RunRecorder::keep_whole(const findings::Report& report) {
  if (!store_) return;
  findings::Report kept = report;
  report::drop_below(options_.level, &kept);
  std::string strongest =
      kept.findings.empty() ? "" : std::string(findings::level_name(kept.findings.front().level));
  Status status =
      store_->finish_run(run_id_, static_cast<i64>(std::time(nullptr)),
                         report::emit_compact_json(kept), kept.findings.size(), strongest);
  if (!status.ok()) give_up(store_->path() + ": " + status.error().message());
}

std::unique_ptr<RunRecorder> keep_early(const findings::Report& found, findings::Level level,
                                        u32 kept_runs) {
  findings::Report start = found;
  start.findings.clear();
  RunRecorder::Options options;
  options.level = level;
  options.limits.runs = kept_runs;
  options.sources = std::nullopt;  // who found it has added them
  auto recorder = std::make_unique<RunRecorder>(std::move(start), std::move(options));
  recorder->offer(found.findings);
  return recorder;
}

}  // namespace geist::run
