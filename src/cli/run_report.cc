#include "cli/run_report.h"

#include <cstring>
#include <filesystem>

namespace geist::cli {

judge::Target describe_target(const std::vector<std::string>& command,
                              const read::GoBinary& binary) {
  return describe_target(command, binary, binary.image().path());
}

judge::Target describe_target(const std::vector<std::string>& command, const read::GoBinary& binary,
                              const std::string& path) {
  judge::Target target;
  const read::BuildInfo& info = binary.build_info();
  target.command = command;
  target.binary = std::filesystem::path(path).filename();
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
    if (site.bucket == program::SiteBucket::kProbed)
      ++counts.probed;
    else if (site.bucket == program::SiteBucket::kAlwaysGrows)
      ++counts.always_grows;
    else
      ++counts.skipped[std::string(program::bucket_name(site.bucket))];
  }
  return counts;
}

void fill_report(judge::Report& report, const judge::Tracker& tracker,
                 const target::ProbedProcess& process, double cpu_s) {
  report.findings = tracker.findings();
  report.events = tracker.counts();
  report.lost = tracker.losses();
  report.cost.parked_s = static_cast<double>(process.ring.control().parked_ticks) /
                         static_cast<double>(process.ring.tsc_hz());
  report.cost.monitor_cpu_s = tracker.cpu_seconds();
  report.cost.program_cpu_s = cpu_s;
  for (const std::string& note : process.plan.notes) report.notes.push_back(note);
}

void note_what_was_missing(judge::Report& report, const judge::Tracker& tracker,
                           const DebugOpener& debug, bool wants_watches) {
  if (!debug.why_not().empty()) report.notes.push_back("no variable names: " + debug.why_not());
  if (wants_watches && !tracker.watcher().available()) {
    report.notes.push_back("reads could not be watched (" + tracker.watcher().why_not() +
                           "): no finding can be confirmed, --level=suspect shows what there is; see geist doctor");
  }
}

judge::TrackerOptions tracker_options(bool wants_watches, u32 history) {
  judge::TrackerOptions tracking;
  tracking.watch = wants_watches;
  tracking.max_open_cases = history;
  return tracking;
}

std::string signal_name(int signal) {
  return std::string("SIG") + ::sigabbrev_np(signal);
}

}  // namespace geist::cli
