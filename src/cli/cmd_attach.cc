// geist attach: as geist run (cmd_run.cc), but on a process that runs already, is not our child,
// and goes on afterwards.
#include "cli/cmd_attach.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "findings/detectors.h"
#include "findings/fingerprint.h"
#include "heap/runtime_symbols.h"
#include "report/report.h"
#include "run/attaching.h"
#include "run/debug_opener.h"
#include "run/find_sites.h"
#include "run/run_report.h"
#include "run/running_heap.h"
#include "source/finding_sources.h"

namespace geist::cli {
namespace {

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  usize rank = static_cast<usize>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::min(values.size() - 1, rank == 0 ? 0 : rank - 1)];
}

// The findings that were printed already, at which level: --now prints each once, and again when it
// has become stronger.
class EarlyPrinter {
 public:
  EarlyPrinter(const ReportOutput& output, source::SourceCache& sources, findings::Target target)
      : output_(output), sources_(sources), target_(std::move(target)) {}
  void print_new(const judge::Desk& desk) {
    if (desk.revision() == revision_) return;
    revision_ = desk.revision();
    findings::Report report;
    report.target = target_;
    report.findings = desk.findings();
    std::erase_if(report.findings, [&](const findings::Finding& f) { return is_printed(f); });
    if (report.findings.empty()) return;
    source::add_sources(report.findings, sources_);
    for (const findings::Finding& f : output_.print_early(std::move(report)))
      printed_[findings::bug_and_victim(f)] = f.level;
  }
  bool is_printed(const findings::Finding& f) const {
    auto known = printed_.find(findings::bug_and_victim(f));
    return known != printed_.end() && known->second >= f.level;
  }

 private:
  const ReportOutput& output_;
  source::SourceCache& sources_;
  findings::Target target_;
  std::map<std::string, findings::Level> printed_;
  u64 revision_ = 0;
};

enum class End { kTime, kAsked, kProcessOver };

End watch(judge::Desk& desk, const process::Attachment& attachment, const run::EndSignals& signals,
          const AttachOptions& options, EarlyPrinter& early, run::RunningHeap& heap,
          detect::Session& session) {
  for (;;) {
    desk.turn();
    heap.turn(desk.now_s());
    session.turn(desk.now_s());
    if (options.now) early.print_new(desk);
    if (attachment.is_over()) return End::kProcessOver;
    const bool is_late = options.for_s && desk.now_s() >= *options.for_s;
    if (!is_late && !signals.came()) continue;
    heap.look_for_latent_at_end();
    session.look();
    return is_late ? End::kTime : End::kAsked;
  }
}

void note_end(findings::Report& report, const run::FoundProcess& process, End end,
              u64 mapped_bytes) {
  report.exit_known = false;
  if (end == End::kProcessOver) {
    report.notes.push_back(
        fmt::format("process {} ended, or became another program, while it was watched; its exit "
                    "status is known "
                    "to its parent only",
                    process.pid));
    return;
  }
  report.notes.push_back(fmt::format(
      "process {} runs on with the code it had; {} of geist's memory stay mapped in it, for "
      "threads that may still be inside and for the next attach",
      process.pid, human_size(mapped_bytes)));
}

void say_what_is_watched(const AttachOptions& options, const run::FoundProcess& process,
                         const findings::SiteCounts& sites) {
  if (options.output.quiet) return;
  print_err(printable_lines(fmt::format("geist: watching process {} ({}), {} append sites{}\n",
                                        process.pid, printable(process.name), sites.probed,
                                        options.for_s ? "" : "; Ctrl-C ends it")));
}

void fill_pauses(findings::Cost& cost, const process::PauseLog& pauses) {
  cost.stops = pauses.ms.size();
  cost.pause_p50_ms = percentile(pauses.ms, 0.5);
  cost.pause_p99_ms = percentile(pauses.ms, 0.99);
}

judge::DeskOptions make_desk_options(const AttachOptions& options) {
  return run::desk_options(!options.no_watch, options.history, options.budget_percent);
}

// A copy of the process costs it a pause, which is paid only by who asks for latent findings, or for
// maps by their names.
run::RunningHeap::Uses heap_uses(const AttachOptions& options) {
  const bool is_paid = options.output.wants_latent();
  const bool has_maps = std::ranges::find(options.detectors, "mix") != options.detectors.end();
  return {.names = is_paid, .latent = is_paid, .objects = has_maps};
}

// What the detectors that have a name need is put where the program is when it has not begun: calls
// and functions that a running thread may be inside of.
Result<run::FoundProcess> find_process(const AttachOptions& options) {
  for (const std::string& name : options.named) {
    const findings::DetectorRow* row = findings::find_detector(name);
    if (row == nullptr || row->when != findings::When::kByName) continue;
    return Error(fmt::format("--detect={}: a process that runs already cannot be watched for that",
                             name))
        .with_hint(fmt::format(
            "Start the program with it: geist run --detect=append,{} -- PROGRAM", name));
  }
  return run::find_process(options.process);
}

// Leaves the process as it was, and judges what it has sent.
Status detach(process::Attachment& attachment, judge::Desk& desk) {
  Status left = attachment.detach();
  desk.finish();
  if (left.ok()) return left;
  return std::move(left).take_error().in("the code of the process could not be restored");
}

process::AttachRequest make_request(const AttachOptions& options, int pid,
                                    const read::GoBinary& binary,
                                    const heap::RuntimeSymbols& symbols) {
  process::AttachRequest request;
  request.pid = pid;
  request.budget.share_percent = options.budget_percent;
  request.budget.unready_timeout_us = run::kUnreadyTimeoutUs;
  detect::Detectors(options.detectors).ask(request.plan);
  request.find_standing = run::find_standing_in(pid, binary, symbols);
  return request;
}

}  // namespace

std::optional<double> parse_duration(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 1e-3}, {"us", 1e-6}, {"h", 3600}, {"m", 60}, {"s", 1}};
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    auto [stop, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<usize>(stop - text.data()));
    auto unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                             [&](const auto& u) { return text.starts_with(u.first); });
    if (unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit->first.size());
    total += number * unit->second;
  }
  return total > 0 ? std::optional<double>(total) : std::nullopt;
}

int cmd_attach(const AttachOptions& options) {
  // The process, and its program as the kernel keeps it, whatever became of the file.
  Result<run::FoundProcess> process = find_process(options);
  if (!process.ok()) return fail(process.error());
  auto binary = run::open_program(process.value(), options.assume_go_minor);
  if (!binary.ok()) return fail(binary.error());
  Result<ReportOutput> output = ReportOutput::open(options.output);
  if (!output.ok()) return fail(output.error());

  // Names and append sites. From here on both are only read.
  run::EndSignals signals;
  run::DebugOpener debug(*binary.value());
  sites::SiteCache cache(sites::SiteCache::default_folder());
  const sites::SiteTable sites = run::find_sites(cache, *binary.value());
  auto symbols = heap::find_runtime_symbols(*binary.value());
  if (!symbols.ok()) return fail(symbols.error());

  // Patch it. When this returns the process runs and nobody traces it.
  auto attached = process::Attachment::attach(
      *binary.value(), sites,
      make_request(options, process->thread, *binary.value(), symbols.value()));
  if (!attached.ok()) return fail(attached.error());
  process::Attachment& attachment = *attached.value();
  const sites::Refused& refused = attachment.process().plan.refused;
  say_what_is_watched(options, process.value(), run::count_sites(sites, refused));
  cache.save();

  // Judge while it runs.
  judge::Context context =
      judge::make_context(*binary.value(), debug.wait(attachment.process().ring), sites,
                          attachment.process(), symbols.value());
  run::RunningHeap heap(context, attachment.process(), heap_uses(options));
  auto find_paths = std::bind_front(&run::RunningHeap::paths_to_objects, &heap);
  detect::Session session(options.detectors, {*binary.value(), attachment.process(), find_paths});
  judge::Desk desk(context, attachment.process(), make_desk_options(options));
  session.attend(desk);
  source::SourceCache sources({.go_release = binary.value()->build_info().release.text,
                               .binary_path = process->executable});
  const findings::Target target =
      run::describe_target(process->command, *binary.value(), process->executable);
  EarlyPrinter early(output.value(), sources, target);
  End end = watch(desk, attachment, signals, options, early, heap, session);
  Status left = detach(attachment, desk);
  if (!left.ok()) return fail(left.error());

  // Tell.
  findings::Report report;
  report.geist_version = GEIST_VERSION;
  report.target = target;
  report.sites = run::count_sites(sites, refused);
  run::fill_report(report, desk, session, *binary.value(), attachment.process(), 0);
  fill_pauses(report.cost, attachment.pauses());
  heap.add_latent(report);
  run::add_from_source(report, *binary.value(), sites, sources);
  run::note_what_was_missing(report, desk, debug, !options.no_watch);
  note_end(report, process.value(), end, attachment.mapped_bytes());
  Result<int> status = output->finish(
      std::move(report), [&](const findings::Finding& f) { return early.is_printed(f); });
  return status.ok() ? status.value() : fail(status.error());
}

}  // namespace geist::cli
