// geist pprof: one or two profiles from files or servers, their difference, one report. The reports are
// those of profile/.
#include "cli/cmd_pprof.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "cli/exit_code.h"
#include "cli/print.h"
#include "profile/fetch.h"
#include "profile/merge.h"
#include "profile/sites.h"

namespace geist::cli {
namespace {

using profile::Profile;

struct Report {
  const char* name;
  const char* wants;  // what must follow it; null: nothing
};
constexpr std::array kReports = {
    Report{"top", nullptr},
    Report{"peek", "a regular expression"},
    Report{"list", "a regular expression"},
    Report{"tree", nullptr},
    Report{"diff", "the older profile"},
    Report{"sites", nullptr},
};

Status take_report(const std::vector<std::string>& operands, PprofOptions& options) {
  options.report = operands.size() > 1 ? operands[1] : "top";
  auto report = std::ranges::find_if(
      kReports, [&](const Report& known) { return options.report == known.name; });
  if (report == kReports.end()) {
    std::vector<std::string> names;
    for (const Report& known : kReports) names.emplace_back(known.name);
    return Error(
        fmt::format("unknown report \"{}\"; known: {}", options.report, fmt::join(names, ", ")));
  }
  const usize wanted = report->wants == nullptr ? 2 : 3;
  if (operands.size() < wanted && report->wants != nullptr)
    return Error(fmt::format("{} needs {}", report->name, report->wants));
  if (operands.size() > wanted)
    return Error(fmt::format("unexpected \"{}\": there is one report at a time", operands[wanted]));
  if (wanted == 3) options.what = operands[2];
  return Done{};
}

Result<Profile> load(const std::string& source, u64 timeout_s) {
  if (profile::is_url(source)) {
    const std::string url = profile::complete_url(source);
    // Somebody may have to wait for it.
    if (::isatty(STDERR_FILENO) == 1) say(fmt::format("geist: asking {}\n", url));
    GEIST_TRY(answer, profile::fetch_url(url, timeout_s));
    return Profile::read(answer.bytes(), url);
  }
  Result<Profile> profile = Profile::open(source);
  // A profile is no program: whatever keeps it from being read is bad input.
  return profile.ok() ? std::move(profile) : Error(profile.error().message());
}

Result<Profile> load_all(const PprofOptions& options) {
  GEIST_TRY(newer, load(options.source, options.timeout_s));
  if (options.base.empty()) return newer;
  GEIST_TRY(older, load(options.base, options.timeout_s));
  return profile::subtract(newer, older, options.options.is_diff);
}

Result<std::string> answer(const Profile& from, const PprofOptions& options,
                           std::vector<std::string>* notes) {
  const profile::ReportOptions& asked = options.options;
  if (options.report == "tree") return emit_tree(from, asked, notes);
  if (options.report == "peek") return emit_peek(from, asked, options.what, notes);
  if (options.report == "list") return emit_list(from, asked, options.what, notes);
  if (options.report == "sites") {
    GEIST_TRY(sites, find_sites(from, asked, notes));
    return emit_sites(sites, static_cast<u64>(std::max<i64>(asked.most_nodes, 0)));
  }
  return emit_top(from, asked, notes);
}

}  // namespace

Result<PprofOptions> make_pprof_options(const ParsedFlags& parsed) {
  PprofOptions options;
  options.source = parsed.operands.front();
  GEIST_TRY_STATUS(take_report(parsed.operands, options));
  profile::ReportOptions& asked = options.options;
  asked.sample_type = parsed.value("sample_index");
  asked.by_cum = parsed.has("cum");
  if (parsed.has("nodecount")) asked.most_nodes = parsed.number("nodecount");
  asked.filters.focus = parsed.value("focus");
  asked.filters.ignore = parsed.value("ignore");
  asked.filters.show = parsed.value("show");
  asked.filters.show_from = parsed.value("show_from");
  asked.filters.hide = parsed.value("hide");
  asked.filters.tag_focus = parsed.value("tagfocus");
  asked.filters.tag_ignore = parsed.value("tagignore");
  asked.threads = std::max(1u, std::thread::hardware_concurrency());
  options.timeout_s = static_cast<u64>(parsed.number("timeout"));
  const bool is_diff = options.report == "diff";
  if (parsed.has("base") + parsed.has("diff_base") + is_diff > 1)
    return Error("one base at a time: --base, --diff_base or diff");
  options.base = is_diff                   ? options.what
                 : parsed.has("diff_base") ? parsed.value("diff_base")
                                           : parsed.value("base");
  asked.is_diff = is_diff || parsed.has("diff_base");
  return options;
}

int cmd_pprof(const PprofOptions& options) {
  Result<Profile> from = load_all(options);
  if (!from.ok()) return fail(from.error());
  std::vector<std::string> notes;
  Result<std::string> text = answer(from.value(), options, &notes);
  for (const std::string& note : notes) say(fmt::format("geist: {}\n", note));
  if (from->file && !from->file->is_whole())
    return fail(Error(options.source + ": was made shorter while it was read"));
  if (!text.ok()) return fail(text.take_error().in(options.source));
  return print_out(printable_lines(text.value()))
             ? to_int(ExitCode::kOk)
             : fail(Error("stdout: cannot be written", ErrorKind::kSystem));
}

}  // namespace geist::cli
