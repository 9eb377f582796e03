#include "cli/cmd_report.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/print.h"
#include "report/report.h"

namespace geist::cli {
namespace {

Result<judge::Report> read_filtered(const ReportOptions& options) {
  GEIST_TRY(report, read_report_file(options.path));
  GEIST_TRY(suppressions, read_suppression_file(options.suppressions_path));
  report::drop_below(options.level, &report);
  report::apply_suppressions(suppressions, &report);
  if (!options.baseline_path.empty()) {
    GEIST_TRY(baseline, read_report_file(options.baseline_path));
    report::apply_baseline(baseline, &report);
  }
  return report;
}

}  // namespace

int cmd_report(const ReportOptions& options) {
  Result<judge::Report> report = read_filtered(options);
  if (!report.ok()) return fail(report.error());
  report::TextOptions text;
  text.color = wants_color(options.color, STDOUT_FILENO);
  text.strip_path_prefix = options.strip_path_prefix;
  bool as_json = options.format == ReportFile::Format::kJson;
  bool written = print_out(as_json ? report::emit_json(report.value())
                                   : report::emit_text(report.value(), text));
  if (!written) return fail(Error("stdout: cannot be written", ErrorKind::kSystem));
  return to_int(report->findings.empty() ? ExitCode::kOk : ExitCode::kFound);
}

}  // namespace geist::cli
