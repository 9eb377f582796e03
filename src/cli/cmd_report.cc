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
  if (options.format == report::Format::kPprof && isatty(STDOUT_FILENO) == 1) {
    return fail(Error("a profile is no text for a terminal")
                    .with_hint("Send it to a file: geist report --as=pprof … >ghosts.pb.gz"));
  }
  Result<judge::Report> report = read_filtered(options);
  if (!report.ok()) return fail(report.error());
  report::TextOptions text;
  text.color = wants_color(options.color, STDOUT_FILENO);
  text.strip_path_prefix = options.strip_path_prefix;
  bool written = print_out(report::emit(report.value(), options.format, text));
  if (!written) return fail(Error("stdout: cannot be written", ErrorKind::kSystem));
  return to_int(report->findings.empty() ? ExitCode::kOk : ExitCode::kFound);
}

}  // namespace geist::cli
