// geist advise: read what is asked about, measure it with the Go that is here, tell. A signal ends what
// runs, and nothing is left of the temporary folder.
#include "cli/cmd_advise.h"

#include <fmt/format.h>
#include <unistd.h>

#include "advise/slices.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/saved_reports.h"
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

}  // namespace

Result<AdviseOptions> make_advise_options(const ParsedFlags& parsed) {
  AdviseOptions options;
  const std::vector<std::string>& words = parsed.operands;
  if (words.empty() || words[0] != "slices")
    return Error(fmt::format("expected slices, found \"{}\"", words.empty() ? "" : words[0]));
  if (words.size() != 2) return Error("slices needs one report: a JSON file, or last");
  options.what = words[0];
  options.target = words[1];
  options.json = parsed.has("json");
  options.rounds = static_cast<u64>(parsed.number("rounds"));
  if (parsed.has("finding")) options.finding = static_cast<int>(parsed.number("finding"));
  return options;
}

int cmd_advise(const AdviseOptions& options) {
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  signals->child_started();
  Answer text = advise_slices(options, signals.value());
  if (!text.ok()) return fail(text.error());
  bool written = options.json ? print_data(text.value()) : print_out(printable_lines(text.value()));
  return written ? to_int(ExitCode::kOk)
                 : fail(Error("stdout: cannot be written", ErrorKind::kSystem));
}

}  // namespace geist::cli
