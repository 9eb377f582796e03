// geist advise: read what is asked about, measure it with the Go that is here, tell. A signal ends what
// runs, and nothing is left of the temporary folder.
#include "cli/cmd_advise.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "advise/escape.h"
#include "advise/maps.h"
#include "advise/slices.h"
#include "base/go_symbol.h"
#include "base/text.h"
#include "cli/cmd_attach.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/saved_reports.h"
#include "profile/profile.h"
#include "run/child_signals.h"

namespace geist::cli {
namespace {

using Answer = Result<std::string>;
using findings::Section;
using Row = Section::Row;

constexpr u64 kMostKeys = 1000000;  // as --keys takes
constexpr usize kMostOthers = 10, kMostOtherName = 60;

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

// The row that is meant by name, else the first: of a map that goroutines share, if there is one.
const Row* choose_map_row(const findings::Section& section, const std::string& name) {
  const auto is_meant = [&](const Row& row) {
    return name.empty() || row.name == name || row.type == name;
  };
  const auto found = std::ranges::find_if(section.rows, is_meant);
  return found == section.rows.end() ? nullptr : &*found;
}

std::string name_of(const Row& row) {
  if (!row.name.empty()) return row.name;
  return fmt::format("{} of {}", row.type, short_function(row.function));
}

// The mix of one map, its keys and who uses it.
void take_counted(const findings::Section& section, const Row& row, advise::MapUse& use) {
  advise::Mix mix;
  u64 goroutines = 0, maps = 0, entries = 0;
  const std::pair<std::string_view, u64*> known[] = {
      {"reads", &mix.reads},       {"updates", &mix.updates}, {"inserts", &mix.inserts},
      {"deletes", &mix.deletes},   {"ranges", &mix.ranges},   {"maps", &maps},
      {"goroutines", &goroutines}, {"entries", &entries}};
  for (usize i = 0; i < std::min(row.values.size(), section.columns.size()); ++i) {
    for (const auto& [name, part] : known) {
      if (section.columns[i] == name) *part = row.values[i];
    }
  }
  use.mix = advise::scale_mix(mix);
  use.goroutines = std::clamp<u64>(goroutines, 1, advise::kMostGoroutines);
  use.keys = std::clamp<u64>(entries / std::max<u64>(maps, 1), 1, kMostKeys);
  use.has_string_keys = !row.type.starts_with("map[int") && !row.type.starts_with("map[uint");
  use.source = "counted of " + name_of(row);
  for (const Row& other : section.rows) {
    const bool is_short = !other.name.empty() && other.name.size() <= kMostOtherName;
    if (&other != &row && is_short && use.others.size() < kMostOthers)
      use.others.push_back(other.name);
  }
}

Status use_counts(const AdviseOptions& options, const findings::Report& report,
                  advise::MapUse& use) {
  const auto section = report.sections.find("mix");
  if (section == report.sections.end()) {
    if (options.mix) return Done{};
    return Error("nothing has counted what is done with maps in this report")
        .with_hint(
            "geist run --mix --report=json:FILE counts it; --mix=READS/UPDATES/INSERTS says it.");
  }
  const Row* row = choose_map_row(section->second, options.map);
  if (row != nullptr) {
    take_counted(section->second, *row, use);
    return Done{};
  }
  if (options.map.empty()) return Error("no map was used meanwhile");
  std::vector<std::string> names;
  for (const Row& one : section->second.rows) {
    if (!one.name.empty() && names.size() < kMostOthers) names.push_back(one.name);
  }
  return Error(fmt::format("--map: no map {} was used", options.map))
      .with_hint(names.empty() ? "None has a name: --map takes a type, too."
                               : fmt::format("There are {}.", fmt::join(names, ", ")));
}

Answer advise_maps(const AdviseOptions& options, const run::ChildSignals& signals,
                   const std::optional<findings::Report>& counted) {
  advise::MapUse use;
  if (counted) {
    GEIST_TRY_STATUS(use_counts(options, *counted, use));
  }
  if (options.mix) {
    GEIST_TRY(mix, advise::read_mix(*options.mix));
    use.mix = mix;
    use.source = "--mix";
  } else if (!counted) {
    use.mix = {.reads = 95, .updates = 5};
    use.source = "assumed; --mix gives another";
  }
  use.goroutines = options.goroutines.value_or(use.goroutines);
  use.keys = options.keys.value_or(use.keys);
  use.has_string_keys = options.has_string_keys.value_or(use.has_string_keys);
  GEIST_TRY(bench, advise::Bench::open(counted ? counted->target.module_dir_hint : "", signals));
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

Answer answer(const AdviseOptions& options, const run::ChildSignals& signals,
              const std::optional<findings::Report>& counted) {
  if (options.what == "maps") return advise_maps(options, signals, counted);
  if (options.what == "escape") return advise_escape(options, signals);
  return advise_slices(options, signals);
}

// Flags that another word takes.
Status check_flags(const ParsedFlags& parsed, std::string_view what) {
  constexpr std::pair<std::string_view, std::string_view> kOf[] = {
      {"finding", "slices"}, {"mix", "maps"}, {"goroutines", "maps"}, {"keys", "maps"},
      {"key", "maps"},       {"map", "maps"}, {"for", "maps"},        {"profile", "escape"}};
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
  if (options.what == "maps")
    options.maps.words.assign(words.begin() + 1, words.end());
  else if (words.size() > 2)
    return Error(fmt::format("unexpected \"{}\"", words[2]));
  else
    options.target = words[1];
  GEIST_TRY_STATUS(check_flags(parsed, options.what));
  options.json = parsed.has("json");
  options.rounds = static_cast<u64>(parsed.number("rounds"));
  options.profile = parsed.value("profile");
  if (parsed.has("keys")) options.keys = static_cast<u64>(parsed.number("keys"));
  if (parsed.has("key")) options.has_string_keys = parsed.value("key") == "string";
  options.map = parsed.value("map");
  const std::optional<double> for_s = parse_duration(parsed.value("for"));
  if (!for_s)
    return Error(fmt::format("--for: expected a duration like 30s or 1m30s, found \"{}\"",
                             parsed.value("for")));
  options.maps.for_s = *for_s;
  if (options.maps.words.empty() && (parsed.has("map") || parsed.has("for")))
    return Error(
        "--map and --for are for maps that are counted: name a report, a process or a program");
  if (parsed.has("mix")) options.mix = parsed.value("mix");
  if (parsed.has("goroutines")) options.goroutines = static_cast<u64>(parsed.number("goroutines"));
  if (parsed.has("finding")) options.finding = static_cast<int>(parsed.number("finding"));
  return options;
}

int cmd_advise(const AdviseOptions& options) {
  // What is wrong with it is said before anything is watched.
  Result<advise::Mix> mix = advise::read_mix(options.mix.value_or("1/0/0"));
  if (!mix.ok()) return fail(mix.error());
  std::optional<findings::Report> counted;
  if (!options.maps.words.empty()) {
    Result<CountedMaps> maps = count_maps(options.maps);
    if (!maps.ok()) return fail(maps.error());
    if (!maps->report) return maps->exit_code;
    counted = std::move(maps->report);
  }
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  signals->child_started();
  Answer text = answer(options, signals.value(), counted);
  if (!text.ok()) return fail(text.error());
  bool written = options.json ? print_data(text.value()) : print_out(printable_lines(text.value()));
  return written ? to_int(ExitCode::kOk)
                 : fail(Error("stdout: cannot be written", ErrorKind::kSystem));
}

}  // namespace geist::cli
