// From the words of the command line, which the parser checked one by one, to what each verb takes: what only makes sense
// together is asked here.
#include "cli/options.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"
#include "report/report.h"

namespace geist::cli {
namespace {

// The parser let only names of the table through, and those are names of levels.
judge::Level level_of(const ParsedFlags& parsed, std::string_view flag) {
  std::optional<judge::Level> level = judge::find_level(parsed.value(flag));
  GEIST_CHECK(level.has_value());
  return *level;
}

}  // namespace

ColorMode color_mode(const ParsedFlags& parsed) {
  std::string when = parsed.value("color");
  return when == "always"  ? ColorMode::kAlways
         : when == "never" ? ColorMode::kNever
                           : ColorMode::kAuto;
}

Result<std::optional<int>> parse_assumed_go(const ParsedFlags& parsed) {
  if (!parsed.has("assume-go")) return std::optional<int>();
  std::string text = parsed.value("assume-go");
  std::string_view rest = text;
  if (rest.starts_with("go")) rest.remove_prefix(2);
  int minor = 0;
  const char* end = rest.data() + rest.size();
  bool is_go1 = rest.starts_with("1.");
  if (is_go1) rest.remove_prefix(2);
  auto [stop, error] = std::from_chars(rest.data(), end, minor);
  bool is_release = is_go1 && error == std::errc() && (stop == end || *stop == '.');
  if (!is_release)
    return Error(fmt::format("--assume-go: expected a Go release like 1.26, found \"{}\"", text));
  return std::optional<int>(minor);
}

Result<RunOptions> make_run_options(const ParsedFlags& parsed) {
  RunOptions options;
  options.command = parsed.operands;
  OutputOptions& output = options.output;
  output.level = level_of(parsed, "level");
  output.fail_on = level_of(parsed, "fail-on");
  // A level that fails the run is one the user wants to see.
  if (parsed.has("fail-on") && !parsed.has("level") && output.fail_on < output.level)
    output.level = output.fail_on;
  output.exit_code = static_cast<int>(parsed.number("exitcode"));
  for (const std::string& text : parsed.list("report")) {
    GEIST_TRY(files, parse_report_files(text));
    output.files.insert(output.files.end(), files.begin(), files.end());
  }
  output.log_path = parsed.value("log");
  output.suppressions_path = parsed.value("suppressions");
  output.baseline_path = parsed.value("baseline");
  output.strip_path_prefix = parsed.value("strip-path-prefix");
  output.color = color_mode(parsed);
  output.quiet = parsed.has("quiet");
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  options.no_watch = parsed.has("no-watch");
  options.budget_percent = static_cast<u32>(parsed.number("budget"));
  options.keeps_run = !parsed.has("no-store");
  options.kept_runs = static_cast<u32>(parsed.number("keep-runs"));
  options.history = static_cast<u32>(parsed.number("history"));
  return options;
}

Result<SitesOptions> make_sites_options(const ParsedFlags& parsed) {
  SitesOptions options;
  options.binary = parsed.operands.front();
  options.only_skipped = parsed.has("skipped");
  options.json = parsed.has("json");
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  return options;
}

Result<ReportOptions> make_report_options(const ParsedFlags& parsed) {
  ReportOptions options;
  options.list = parsed.has("list");
  options.as_patch = parsed.has("fix");
  options.compared_with = parsed.value("diff");
  if (!options.list && parsed.operands.empty()) {
    return Error("which report is missing: a file, the number of a run, or last").with_hint("geist report --list shows the runs.");
  }
  if (options.list && !parsed.operands.empty()) {
    return Error(fmt::format("unexpected \"{}\": --list shows all runs", parsed.operands.front()));
  }
  if (!parsed.operands.empty()) options.which = parsed.operands.front();
  std::optional<report::Format> format = report::find_format(parsed.value("as"));
  GEIST_CHECK(format.has_value());  // as with levels
  options.format = *format;
  bool is_table = options.list || !options.compared_with.empty();
  if (is_table && *format != report::Format::kText && *format != report::Format::kJson) {
    return Error(fmt::format("{} is printed as text or json", options.list ? "--list" : "--diff"));
  }
  options.level = level_of(parsed, "level");
  options.suppressions_path = parsed.value("suppressions");
  options.baseline_path = parsed.value("baseline");
  options.strip_path_prefix = parsed.value("strip-path-prefix");
  options.color = color_mode(parsed);
  return options;
}

}  // namespace geist::cli
