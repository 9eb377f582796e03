// geist advise: read what is asked about, measure it with the Go that is here, tell. A signal ends what
// runs, and nothing is left of the temporary folder.
#include "cli/cmd_advise.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "advise/escape.h"
#include "advise/maps.h"
#include "advise/slices.h"
#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/saved_reports.h"
#include "profile/profile.h"
#include "run/child_signals.h"

namespace geist::cli {
namespace {

using Answer = Result<std::string>;

// For what takes a while; only where somebody looks.
void say_progress(const std::string& what) {
  if (::isatty(STDERR_FILENO) == 1) say("geist: " + what + "\n");
}

Answer advise_slices(const AdviseOptions& options, const run::ChildSignals& signals) {
  GEIST_TRY(report, read_saved_report(options.target));
  Result<advise::SlicePlan> plan = advise::plan_slices(report, options.finding);
  if (!plan.ok()) return plan.take_error().in(options.target);
  GEIST_TRY(bench, advise::Bench::open(report.target.module_dir_hint, signals));
  say_progress(fmt::format("measuring with {}", bench.go()));
  GEIST_TRY(advice, advise::measure_slices(std::move(plan).value(), bench, options.rounds));
  advice.report_go = report.target.go;
  return options.json ? emit_slice_json(advice, report) : emit_slice_text(advice, report);
}

// What a detector of maps counted, where the report has it: the row with the most operations.
bool take_counted(const findings::Report& report, advise::MapUse& use) {
  auto section = report.sections.find("maps");
  if (section == report.sections.end()) return false;
  u64 most = 0;
  for (const findings::Section::Row& row : section->second.rows) {
    advise::Mix mix;
    u64 goroutines = 0;
    const std::pair<std::string_view, u64*> known[] = {
        {"reads", &mix.reads},      {"updates", &mix.updates}, {"writes", &mix.updates},
        {"inserts", &mix.inserts},  {"deletes", &mix.deletes}, {"ranges", &mix.ranges},
        {"goroutines", &goroutines}};
    for (usize i = 0; i < std::min(row.values.size(), section->second.columns.size()); ++i) {
      for (const auto& [name, part] : known) {
        if (section->second.columns[i] == name) *part = row.values[i];
      }
    }
    const u64 operations = mix.total();
    if (operations <= most) continue;
    most = operations;
    use.mix = advise::scale_mix(mix);
    use.goroutines =
        goroutines == 0 ? use.goroutines : std::min<u64>(goroutines, advise::kMostGoroutines);
    use.source = fmt::format("counted in {}", base_name(row.file));
  }
  return most != 0;
}

Answer advise_maps(const AdviseOptions& options, const run::ChildSignals& signals) {
  advise::MapUse use;
  use.keys = options.keys;
  use.has_string_keys = options.has_string_keys;
  bool is_known = options.mix.has_value();
  std::string folder;
  if (!options.target.empty()) {
    Result<findings::Report> report = read_saved_report(options.target);
    if (!report.ok())
      return std::move(report.take_error())
          .with_hint("maps takes a JSON report, or only --mix=READS/UPDATES/INSERTS.");
    folder = report->target.module_dir_hint;
    is_known = take_counted(report.value(), use) || is_known;
  }
  if (options.mix) {
    GEIST_TRY(mix, advise::read_mix(*options.mix));
    use.mix = mix;
    use.source = "--mix";
  }
  if (!is_known) {
    use.mix = {.reads = 95, .updates = 5};
    use.source = "assumed; --mix gives another";
  }
  if (options.goroutines) use.goroutines = *options.goroutines;
  GEIST_TRY(bench, advise::Bench::open(folder, signals));
  say_progress(fmt::format("measuring with {}", bench.go()));
  GEIST_TRY(advice, advise::measure_maps(use, bench, options.rounds));
  return options.json ? emit_map_json(advice) : emit_map_text(advice);
}

Answer advise_escape(const AdviseOptions& options, const run::ChildSignals& signals) {
  std::optional<profile::Profile> profile;
  if (!options.profile.empty()) {
    Result<profile::Profile> read = profile::Profile::open(options.profile);
    if (!read.ok()) return Error(read.error().message());
    profile = std::move(read).value();
  }
  say_progress("asking the compiler");
  GEIST_TRY(advice, advise::list_escapes(options.target, signals));
  if (profile) {
    advice.profile = options.profile;
    Status joined = advise::join_profile(*profile, advice);
    if (!joined.ok()) return joined.take_error().in(options.profile);
  }
  return options.json ? emit_escape_json(advice) : emit_escape_text(advice);
}

Answer answer(const AdviseOptions& options, const run::ChildSignals& signals) {
  if (options.what == "maps") return advise_maps(options, signals);
  if (options.what == "escape") return advise_escape(options, signals);
  return advise_slices(options, signals);
}

// Flags that another word takes.
Status check_flags(const ParsedFlags& parsed, std::string_view what) {
  constexpr std::pair<std::string_view, std::string_view> kOf[] = {
      {"finding", "slices"}, {"mix", "maps"}, {"goroutines", "maps"},
      {"keys", "maps"},      {"key", "maps"}, {"profile", "escape"}};
  for (const auto& [flag, of] : kOf) {
    if (parsed.has(flag) && what != of)
      return Error(fmt::format("--{} belongs to geist advise {}", flag, of));
  }
  if (parsed.has("rounds") && what == "escape") return Error("--rounds: escape measures nothing");
  return Done{};
}

}  // namespace

Result<AdviseOptions> make_advise_options(const ParsedFlags& parsed) {
  AdviseOptions options;
  const std::vector<std::string>& words = parsed.operands;
  options.what = words.empty() ? "" : words[0];
  if (options.what != "slices" && options.what != "maps" && options.what != "escape")
    return Error(fmt::format("expected slices, maps or escape, found \"{}\"", options.what));
  if (words.size() < 2 && options.what != "maps")
    return Error(options.what == "slices" ? "slices needs a report: a JSON file, or last"
                                          : "escape needs a package, such as ./cmd/server");
  if (words.size() > 2) return Error(fmt::format("unexpected \"{}\"", words[2]));
  if (words.size() == 2) options.target = words[1];
  GEIST_TRY_STATUS(check_flags(parsed, options.what));
  options.json = parsed.has("json");
  options.rounds = static_cast<u64>(parsed.number("rounds"));
  options.profile = parsed.value("profile");
  options.keys = static_cast<u64>(parsed.number("keys"));
  options.has_string_keys = parsed.value("key") == "string";
  if (parsed.has("mix")) options.mix = parsed.value("mix");
  if (parsed.has("goroutines")) options.goroutines = static_cast<u64>(parsed.number("goroutines"));
  if (parsed.has("finding")) options.finding = static_cast<int>(parsed.number("finding"));
  return options;
}

int cmd_advise(const AdviseOptions& options) {
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  signals->child_started();
  Answer text = answer(options, signals.value());
  if (!text.ok()) return fail(text.error());
  bool written = options.json ? print_data(text.value()) : print_out(printable_lines(text.value()));
  return written ? to_int(ExitCode::kOk)
                 : fail(Error("stdout: cannot be written", ErrorKind::kSystem));
}

}  // namespace geist::cli
