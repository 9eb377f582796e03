// From the words of the command line, which the parser checked one by one, to what each verb takes:
// what only makes sense together is asked here.
#include "cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "findings/detectors.h"
#include "report/report.h"
#include "run/heal_names.h"

namespace geist::cli {
namespace {

constexpr std::string_view kAppends = "append";

// The parser let only names of the table through, and those are names of levels.
findings::Level level_of(const ParsedFlags& parsed, std::string_view flag) {
  std::optional<findings::Level> level = findings::find_level(parsed.value(flag));
  GEIST_CHECK(level.has_value());
  return *level;
}

std::vector<std::string> healed_sites(const ParsedFlags& parsed) {
  std::vector<std::string> sites;
  for (const std::string& text : parsed.list("heal")) {
    for (std::string& name : run::split_names(text)) sites.push_back(std::move(name));
  }
  return sites;
}

}  // namespace

ColorMode color_mode(const ParsedFlags& parsed) {
  std::string when = parsed.value("color");
  return when == "always"  ? ColorMode::kAlways
         : when == "never" ? ColorMode::kNever
                           : ColorMode::kAuto;
}

static Status take_output_files(const ParsedFlags& parsed, OutputOptions& output) {
  for (const std::string& text : parsed.list("report")) {
    GEIST_TRY(files, parse_report_files(text));
    output.files.insert(output.files.end(), files.begin(), files.end());
  }
  output.log_path = parsed.value("log");
  output.color = color_mode(parsed);
  output.quiet = parsed.has("quiet");
  return Done{};
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

// What run, test and attach have in common: levels, files, filters.
static Result<OutputOptions> make_output_options(const ParsedFlags& parsed) {
  OutputOptions output;
  output.level = level_of(parsed, "level");
  output.fail_on = level_of(parsed, "fail-on");
  // A level that fails the run is one the user wants to see.
  if (parsed.has("fail-on") && !parsed.has("level") && output.fail_on < output.level)
    output.level = output.fail_on;
  output.exit_code = static_cast<int>(parsed.number("exitcode"));
  GEIST_TRY_STATUS(take_output_files(parsed, output));
  output.suppressions_path = parsed.value("suppressions");
  output.baseline_path = parsed.value("baseline");
  output.strip_path_prefix = parsed.value("strip-path-prefix");
  output.as_patch = parsed.has("fix");
  return output;
}

// The detectors that run when their flag is given.
static std::vector<std::string> asked_detectors(const ParsedFlags& parsed) {
  std::vector<std::string> names;
  for (const findings::DetectorRow& detector : findings::all_detectors()) {
    if (detector.when != findings::When::kByFlag) continue;
    const bool is_of_maps = detector.name == "mix" && parsed.verb == "run" && parsed.has("maps");
    if (parsed.has(detector.name) || is_of_maps) names.emplace_back(detector.name);
  }
  return names;
}

// Those of --detect, a list of names; nothing when the flag was not given.
static Result<std::vector<std::string>> named_detectors(const ParsedFlags& parsed) {
  std::vector<std::string> names;
  auto is_choice = [](const findings::DetectorRow& row) {
    return row.when == findings::When::kByName || row.name == kAppends;
  };
  std::vector<std::string> texts = parsed.list("detect");
  if (parsed.has("maps") && texts.empty()) texts.emplace_back(kAppends);
  if (parsed.has("maps")) texts.emplace_back("maps");
  for (const std::string& text : texts) {
    for (std::string& name : run::split_names(text)) {
      const findings::DetectorRow* row = findings::find_detector(name);
      if (name != "all" && (row == nullptr || !is_choice(*row)))
        return Error(
            fmt::format("--detect: expected append, lists, maps, refill, stale or all, found \"{}\"", name));
      for (const findings::DetectorRow& any : findings::all_detectors()) {
        if (is_choice(any) && (name == "all" || any.name == name)) names.emplace_back(any.name);
      }
    }
  }
  return names;
}

Result<RunOptions> make_run_options(const ParsedFlags& parsed) {
  RunOptions options;
  options.command = parsed.operands;
  GEIST_TRY(output, make_output_options(parsed));
  options.output = std::move(output);
  options.healed_sites = healed_sites(parsed);
  GEIST_TRY(conditions, probe::read_conditions(parsed.list("condition")));
  options.conditions = std::move(conditions);
  options.is_test = parsed.has("test");
  options.output.quiet = options.output.quiet || options.is_test;
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  options.no_watch = parsed.has("no-watch");
  options.thorough = parsed.has("thorough");
  options.detectors = asked_detectors(parsed);
  GEIST_TRY(named, named_detectors(parsed));
  options.watches_appends = named.empty() || std::ranges::find(named, kAppends) != named.end();
  options.detectors.insert(options.detectors.end(), named.begin(), named.end());
  options.no_cache = parsed.has("no-cache");
  options.kept_folder = parsed.value("keep");
  options.keeps_always = parsed.has("keep-always");
  options.follow = parsed.has("follow");
  options.budget_percent = static_cast<u32>(parsed.number("budget"));
  options.keeps_run = !parsed.has("no-store");
  options.kept_runs = static_cast<u32>(parsed.number("keep-runs"));
  options.history = static_cast<u32>(parsed.number("history"));
  if (options.follow && options.output.wants_latent())
    return Error("--level=latent is for one program, and --follow for several: one of the two");
  if (options.follow && !options.conditions.empty())
    return Error("--condition is for one program, and --follow for several: one of the two");
  return options;
}

static Result<std::optional<double>> parse_time(const ParsedFlags& parsed, const char* flag) {
  if (!parsed.has(flag)) return std::optional<double>();
  std::optional<double> seconds = parse_duration(parsed.value(flag));
  if (!seconds)
    return Error(fmt::format("--{}: expected a duration like 30s or 1m30s, found \"{}\"", flag,
                             parsed.value(flag)));
  return seconds;
}

static Result<std::optional<double>> parse_for(const ParsedFlags& parsed) {
  return parse_time(parsed, "for");
}

Result<AttachOptions> make_attach_options(const ParsedFlags& parsed) {
  AttachOptions options;
  options.process = parsed.operands.front();
  GEIST_TRY(for_s, parse_for(parsed));
  options.for_s = for_s;
  options.now = parsed.has("now");
  options.detectors = asked_detectors(parsed);
  GEIST_TRY(named, named_detectors(parsed));
  options.named = std::move(named);
  GEIST_TRY(output, make_output_options(parsed));
  options.output = std::move(output);
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  options.no_watch = parsed.has("no-watch");
  options.budget_percent = static_cast<u32>(parsed.number("budget"));
  options.history = static_cast<u32>(parsed.number("history"));
  return options;
}

Result<TestOptions> make_test_options(const ParsedFlags& parsed) {
  TestOptions options;
  options.words = parsed.operands;
  GEIST_TRY(output, make_output_options(parsed));
  options.output = std::move(output);
  // What is weaker than this is not asked of the test binaries either; the rest is sorted out over
  // all of them.
  options.proves = parsed.has("prove");
  options.run_flags = {fmt::format("--level={}", findings::level_name(options.output.level)),
                       "--budget=" + parsed.value("budget"),
                       "--history=" + parsed.value("history")};
  if (parsed.has("no-watch")) options.run_flags.push_back("--no-watch");
  options.shakes = parsed.has("shake");
  GEIST_TRY(time, parse_time(parsed, "time"));
  if (time && !options.shakes) return Error("--time: only with --shake");
  constexpr double kUsualSeconds = 300;
  options.shake_s = time.value_or(kUsualSeconds);
  options.keeps_run = !parsed.has("no-store");
  options.kept_runs = static_cast<u32>(parsed.number("keep-runs"));
  return options;
}

namespace {

// What geist heal and geist run --no-judge have in common.
Status take_common(const ParsedFlags& parsed, HealOptions& options) {
  options.quiet = parsed.has("quiet");
  options.no_cache = parsed.has("no-cache");
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  return Done{};
}

}  // namespace

Result<HealOptions> make_heal_options(const ParsedFlags& parsed) {
  HealOptions options;
  options.command = parsed.operands;
  options.process = parsed.value("pid");
  if (options.process.empty() == options.command.empty()) {
    return Error(options.command.empty()
                     ? "what to heal is missing: a program, or --pid"
                     : "--pid heals a process that runs already; it takes no program");
  }
  GEIST_TRY(for_s, parse_for(parsed));
  options.for_s = for_s;
  if (options.for_s && options.process.empty())
    return Error("--for: only with --pid; a program runs to its end");
  options.sites = parsed.list("site");
  options.report_path = parsed.value("report");
  if (options.sites.empty() && options.report_path.empty()) {
    return Error("what to heal is missing: --site or --report")
        .with_hint("The heal line of a report shows a command; --site=all heals every append");
  }
  options.always = parsed.has("always");
  GEIST_TRY_STATUS(take_common(parsed, options));
  return options;
}

Result<HealOptions> make_heal_options_of_run(const ParsedFlags& parsed) {
  HealOptions options;
  options.command = parsed.operands;
  options.sites = healed_sites(parsed);
  if (options.sites.empty()) return Error("--no-judge: there is nothing to do without --heal");
  if (parsed.has("condition")) return Error("--no-judge and --condition exclude each other");
  GEIST_TRY_STATUS(take_common(parsed, options));
  return options;
}

Result<ProveOptions> make_prove_options(const ParsedFlags& parsed) {
  ProveOptions options;
  options.command = parsed.operands;
  if (parsed.has("once")) {
    return Error("--once: a proof needs several runs")
        .with_hint("geist run --level=likely watches a single one");
  }
  OutputOptions& output = options.output;
  output.level = level_of(parsed, "level");
  output.fail_on = output.level;
  output.exit_code = kFoundMark;
  GEIST_TRY_STATUS(take_output_files(parsed, output));
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  options.confirm_runs = static_cast<u64>(parsed.number("runs"));
  options.no_cache = parsed.has("no-cache");
  if (options.no_cache) options.run_flags.push_back("--no-cache");
  options.timeout_ms = static_cast<u64>(parsed.number("timeout")) * 1000;
  options.watched_files = parsed.list("watch-file");
  options.expected_path = parsed.value("expect");
  if (parsed.has("want-exit")) options.wanted_exit = static_cast<int>(parsed.number("want-exit"));
  options.keeps_run = !parsed.has("no-store");
  options.no_judge = parsed.has("no-judge");
  return options;
}

Result<ProveOptions> make_prove_options_of_run(const ParsedFlags& parsed) {
  GEIST_TRY(run, make_run_options(parsed));
  if (!run.conditions.empty())
    return Error("--prove and --condition exclude each other: see geist help shake");
  if (!run.healed_sites.empty())
    return Error("--prove and --heal exclude each other: --prove heals what it finds");
  ProveOptions options;
  options.command = run.command;
  options.output = run.output;
  options.assume_go_minor = run.assume_go_minor;
  options.is_run = true;
  options.run_flags = {fmt::format("--budget={}", run.budget_percent),
                       fmt::format("--history={}", run.history)};
  if (run.no_watch) options.run_flags.push_back("--no-watch");
  if (run.thorough) options.run_flags.push_back("--thorough");
  if (run.no_cache) options.run_flags.push_back("--no-cache");
  for (const std::string& name : run.detectors) {
    const bool has_flag = findings::find_detector(name)->when == findings::When::kByFlag;
    options.run_flags.push_back((has_flag ? "--" : "--detect=") + name);
  }
  options.no_cache = run.no_cache;
  options.keeps_run = run.keeps_run;
  options.kept_runs = run.kept_runs;
  return options;
}

Result<ShakeOptions> make_shake_options(const ParsedFlags& parsed) {
  ShakeOptions options;
  options.command = parsed.operands;
  GEIST_TRY(output, make_output_options(parsed));
  options.output = std::move(output);
  GEIST_TRY(assumed, parse_assumed_go(parsed));
  options.assume_go_minor = assumed;
  std::vector<std::string> names;
  for (const std::string& text : parsed.list("conditions")) {
    for (std::string& name : run::split_names(text)) names.push_back(std::move(name));
  }
  if (names.empty()) names = {"roomy", "tight64"};
  GEIST_TRY(conditions, probe::read_conditions(names));
  for (const probe::Condition& condition : conditions) {
    if (condition.kind == probe::ConditionKind::kCopy || !condition.sites.empty())
      return Error(fmt::format("--conditions: expected roomy, tight64, tight=N or pool, found \"{}\"",
                               condition.texts().front()))
          .with_hint("copy is what geist prove tries; of one append: geist run --condition");
  }
  options.conditions = std::move(conditions);
  options.watched_files = parsed.list("watch-file");
  options.timeout_ms = static_cast<u64>(parsed.number("timeout")) * 1000;
  options.confirm_runs = static_cast<u64>(parsed.number("runs"));
  options.run_flags = {fmt::format("--level={}", findings::level_name(options.output.level)),
                       "--budget=25"};  // nobody waits for an experiment as for a server
  options.no_cache = parsed.has("no-cache");
  if (options.no_cache) options.run_flags.push_back("--no-cache");
  if (options.assume_go_minor)
    options.run_flags.push_back(fmt::format("--assume-go=1.{}", *options.assume_go_minor));
  options.keeps_run = !parsed.has("no-store");
  options.kept_runs = static_cast<u32>(parsed.number("keep-runs"));
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
    return Error("which report is missing: a file, the number of a run, or last")
        .with_hint("geist report --list shows the runs.");
  }
  if (options.list && !parsed.operands.empty()) {
    return Error(fmt::format("unexpected \"{}\": --list shows all runs", parsed.operands.front()));
  }
  if (!parsed.operands.empty()) options.which = parsed.operands.front();
  options.debugger = report::find_debugger(parsed.value("as"));
  std::optional<report::Format> format = report::find_format(parsed.value("as"));
  GEIST_CHECK(format.has_value() || options.debugger.has_value());  // as with levels
  options.format = format.value_or(report::Format::kText);
  options.finding = parsed.value("finding");
  bool is_table = options.list || !options.compared_with.empty();
  const bool is_list =
      options.format == report::Format::kText || options.format == report::Format::kJson;
  if (is_table && (options.debugger || !is_list)) {
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
