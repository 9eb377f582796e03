// Reports by name: a file, or a run of the store. Documents of the store are geist-report/1 like
// the files, and are read with the same distrust: the file is one that anybody with the rights of
// the user may have written.

#include "cli/saved_reports.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/report_output.h"
#include "report/filter.h"
#include "store/store.h"

namespace geist::cli {
namespace {

constexpr u32 kMostListed = 1000;

bool is_run(const std::string& which) {
  bool is_number =
      !which.empty() && std::ranges::all_of(which, [](char c) { return c >= '0' && c <= '9'; });
  return is_number || which == "last";
}

Result<store::Store> open_store() {
  GEIST_TRY(folder, store::state_folder());
  return store::Store::open(folder);
}

Result<i64> read_number(const store::Store& store, const std::string& which) {
  if (which == "last") return store.last_run();
  i64 id = 0;
  auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), id);
  if (error != std::errc()) return Error(fmt::format("{} is no number of a run", which));
  return id;
}

Result<findings::Report> read_run(const std::string& which) {
  GEIST_TRY(store, open_store());
  GEIST_TRY(id, read_number(store, which));
  GEIST_TRY(run, store.read_run(id));
  Result<findings::Report> report = report::read_json(run.document);
  if (!report.ok()) return report.take_error().in(fmt::format("{}: run {}", store.path(), id));
  if (run.summary.ended_unix) return report;
  for (const std::string& document : run.findings) {
    Result<findings::Report> one = report::read_json(document);
    if (!one.ok()) return one.take_error().in(fmt::format("{}: run {}", store.path(), id));
    for (findings::Finding& finding : one->findings) report->findings.push_back(std::move(finding));
  }
  std::ranges::stable_sort(
      report->findings,
      [](const findings::Finding& a, const findings::Finding& b) { return a.level > b.level; });
  report->notes.push_back(fmt::format(
      "run {} still goes on, or geist was killed before its end: this is what had been found", id));
  return report;
}

std::string local_time(i64 unix_s) {
  std::time_t time = unix_s;
  std::tm local{};
  if (::localtime_r(&time, &local) == nullptr) return "?";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

std::string found_text(const store::RunSummary& run) {
  if (!run.ended_unix) return fmt::format("{}, no end", run.findings);
  return run.findings == 0 ? "none" : fmt::format("{} {}", run.findings, printable(run.strongest));
}

std::string list_json(const std::vector<store::RunSummary>& runs) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const store::RunSummary& run : runs) {
    list.push_back({{"id", run.id},
                    {"began", run.began_unix},
                    {"ended", run.ended_unix ? Json(*run.ended_unix) : Json(nullptr)},
                    {"findings", run.findings},
                    {"strongest", run.strongest.empty() ? Json(nullptr) : Json(run.strongest)},
                    {"command", run.command}});
  }
  Json json = {{"schema", "geist-runs/1"}, {"runs", list}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<findings::Report> read_saved_report(const std::string& which) {
  return is_run(which) ? read_run(which) : read_report_file(which);
}

Result<std::string> emit_run_list(bool as_json) {
  GEIST_TRY(store, open_store());
  GEIST_TRY(runs, store.list_runs(kMostListed));
  if (as_json) return list_json(runs);
  if (runs.empty()) return std::string("no run is kept yet\n");
  std::string out = fmt::format("{:>6}  {:<19}  {:<15}  {}\n", "RUN", "BEGAN", "FOUND", "COMMAND");
  for (const store::RunSummary& run : runs) {
    out += fmt::format("{:>6}  {:<19}  {:<15}  {}\n", run.id, local_time(run.began_unix),
                       found_text(run), clip(printable(run.command), 80));
  }
  return out;
}

}  // namespace geist::cli
