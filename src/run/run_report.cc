// What a run says of itself; see run_report.h. Counters of the process are read from the memory
// shared with it, which outlives it.
#include "run/run_report.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "findings/join.h"
#include "findings/losses.h"
#include "run/try_fixes.h"
#include "sites/names.h"
#include "sites/plain_appends.h"
#include "source/finding_sources.h"

namespace geist::run {
namespace {

// An append that overwrites something and is not looked at: JMP, content check, a counter in
// memory. As tests/go/hot has it, 1200 million times alone and watched.
constexpr double kSecondsACheck = 2.1e-9;

// A sentence for each append that the budget left out, the hottest first.
void note_thinned_sites(findings::Report& report, const read::GoBinary& binary,
                        const process::ProbedProcess& process) {
  constexpr usize kMostNamed = 5;
  std::map<sites::SiteName, u64> counts;  // an inlined append has several sites
  for (const probe::ProbedSite& site : process.plan.sites) {
    if (u64 count = process.ring.thinned_out(site.record); count != 0)
      counts[sites::name_of(binary, site.site)] += count;
  }
  std::vector<std::pair<u64, const sites::SiteName*>> hottest;
  for (const auto& [name, count] : counts) hottest.emplace_back(count, &name);
  std::stable_sort(hottest.begin(), hottest.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (usize i = 0; i < std::min(hottest.size(), kMostNamed); ++i) {
    report.notes.push_back(
        fmt::format("{} is so hot that {} of its appends were not looked at; see --budget",
                    hottest[i].second->text(), hottest[i].first));
  }
}

}  // namespace

findings::Target describe_target(const std::vector<std::string>& command,
                                 const read::GoBinary& binary) {
  return describe_target(command, binary, binary.image().path());
}

findings::Target describe_target(const std::vector<std::string>& command,
                                 const read::GoBinary& binary, const std::string& path) {
  findings::Target target;
  const read::BuildInfo& info = binary.build_info();
  target.command = command;
  target.binary = std::filesystem::path(path).filename();
  target.go = info.release.text;
  target.module = info.main_module.path.empty() ? info.main_package : info.main_module.path;
  target.build_id = binary.image().build_id();
  target.position_independent = binary.image().is_pie();
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

findings::SiteCounts count_sites(const sites::SiteTable& table, const sites::Refused& refused) {
  findings::SiteCounts counts;
  counts.growslice_calls = table.sites.size();
  for (const sites::AppendSite& site : table.sites) {
    const sites::SiteBucket bucket = sites::bucket_of(site, refused);
    if (bucket == sites::SiteBucket::kProbed)
      ++counts.probed;
    else if (bucket == sites::SiteBucket::kAlwaysGrows)
      ++counts.always_grows;
    else
      ++counts.skipped[std::string(sites::bucket_name(bucket))];
  }
  return counts;
}

void add_from_source(findings::Report& report, const read::GoBinary& binary,
                     const sites::SiteTable& table, source::SourceCache& sources) {
  source::add_sources(report.findings, sources);
  try_fixes(report.findings, sources);
  // In ten milliseconds or so: a run should not end late.
  constexpr usize kMostFunctions = 4000;
  for (sites::PlainAppend& append :
       sites::find_plain_appends(binary, table, sources, kMostFunctions))
    report.sites.without_grow_path.insert({std::move(append.file), append.line});
  if (table.untold != 0)
    report.notes.push_back(
        fmt::format("{} {} not watched: only the source could tell, and it is not here",
                    table.untold,
                    table.untold == 1 ? "store that may be an append is" : "stores that may be appends are"));
}

void fill_report(findings::Report& report, const judge::Desk& desk, detect::Session& detectors,
                 const read::GoBinary& binary, const process::ProbedProcess& process,
                 double cpu_s) {
  report.findings = findings::join_sites(desk.findings());
  report.events = desk.counts();
  report.lost = desk.losses();
  for (const auto& [name, count] : report.lost) {
    if (count != 0 && findings::severity_of_loss(name) == findings::Severity::kError)
      report.notes.push_back(fmt::format("{} {}: {}", count, name, findings::help_of_loss(name)));
  }
  const abi::Control& control = process.ring.control();
  report.cost.parked_s = process.ring.seconds(control.parked_ticks);
  report.cost.slow_path_s = process.ring.seconds(control.slow_path_ticks);
  report.cost.gates_s = process.ring.seconds(control.gate_ticks);
  report.cost.checks_s = static_cast<double>(control.overwriting) * kSecondsACheck;
  report.cost.watch_s = desk.watch_seconds();
  report.cost.monitor_cpu_s = desk.cpu_seconds();
  report.cost.program_cpu_s = cpu_s;
  report.cost.wall_s = desk.now_s();
  for (const std::string& note : process.plan.notes) report.notes.push_back(note);
  note_thinned_sites(report, binary, process);
  detectors.tell(report);
  std::ranges::stable_sort(report.findings, std::ranges::greater(), &findings::Finding::level);
  int id = 0;
  for (findings::Finding& finding : report.findings) finding.id = ++id;
}

void note_what_was_missing(findings::Report& report, const judge::Desk& desk,
                           const DebugOpener& debug, bool wants_watches) {
  if (!debug.why_not().empty()) report.notes.push_back("no variable names: " + debug.why_not());
  if (wants_watches && !desk.watcher().available()) {
    report.notes.push_back(
        "reads could not be watched (" + desk.watcher().why_not() +
        "): no finding can be confirmed, --level=suspect shows what there is; see geist doctor");
  }
}

judge::DeskOptions desk_options(bool wants_watches, u32 history, u32 budget_percent) {
  judge::DeskOptions options;
  options.watch = wants_watches;
  options.max_open_cases = history;
  options.share = budget_percent / 100.0;
  return options;
}

std::string signal_name(int signal) {
  return std::string("SIG") + ::sigabbrev_np(signal);
}

}  // namespace geist::run
