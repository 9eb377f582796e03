// See watching.h.
#include "cli/watching.h"

#include <filesystem>

#include <fmt/format.h>

namespace geist::cli {

Status refuse_sanitized(const read::GoBinary& binary) {
  for (const char* flag : {"-race", "-asan", "-msan"}) {
    if (binary.build_info().has_setting(flag, "true")) {
      return Error(fmt::format("{}: built with {}, which geist does not support",
                               binary.image().path(), flag))
          .with_hint(fmt::format("build it without {}; geist needs no special build", flag));
    }
  }
  return Done{};
}

judge::Target describe_target(const read::GoBinary& binary, const std::vector<std::string>& command,
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

DebugOpener::DebugOpener(const read::GoBinary& binary) {
  thread_ = std::thread([this, &binary] {
    Result<std::unique_ptr<read::DebugInfo>> opened = read::DebugInfo::open(binary.image());
    if (!opened.ok()) {
      why_not_ = opened.error().message();
      return;
    }
    info_ = std::move(opened).value();
    std::optional<read::Function> main = binary.pclntab().find_function_named("main.main");
    if (info_ && main) (void)info_->variables_at(main->entry, main->entry);
  });
}

DebugOpener::~DebugOpener() {
  join();
}

read::DebugInfo* DebugOpener::join() {
  if (thread_.joinable()) thread_.join();
  return info_.get();
}

void fill_from_tracker(judge::Report& report, const judge::Tracker& tracker,
                       const target::ProbedProcess& process, double wall_s) {
  report.findings = tracker.findings();
  report.events = tracker.counts();
  report.lost = tracker.losses();
  report.cost.wall_s = wall_s;
  report.cost.parked_s = static_cast<double>(process.ring.control().parked_ticks) /
                         static_cast<double>(process.ring.tsc_hz());
  report.cost.monitor_cpu_s = tracker.cpu_seconds();
  for (const std::string& note : process.plan.notes) report.notes.push_back(note);
}

void note_what_is_missing(judge::Report& report, const DebugOpener& debug,
                          const judge::Tracker& tracker, bool wants_watches) {
  if (!debug.why_not().empty()) report.notes.push_back("no variable names: " + debug.why_not());
  if (!wants_watches || tracker.watcher().available()) return;
  report.notes.push_back("reads could not be watched (" + tracker.watcher().why_not() +
                         "): no finding can be confirmed; see geist doctor");
}

}  // namespace geist::cli
