#include "cli/cmd_report.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/print.h"
#include "cli/saved_reports.h"
#include "report/diff.h"
#include "report/report.h"

namespace geist::cli {
namespace {

Result<findings::Report> read_filtered(const ReportOptions& options, const std::string& which) {
  GEIST_TRY(report, read_saved_report(which));
  if (!options.finding.empty() && !report::keep_only(options.finding, &report)) {
    return Error(fmt::format("the report has no finding {}", printable(options.finding)))
        .with_hint("geist report prints the number of each finding and its fingerprint.");
  }
  GEIST_TRY(suppressions, read_suppression_file(options.suppressions_path));
  report::drop_below(options.level, &report);
  report::apply_suppressions(suppressions, &report);
  if (!options.baseline_path.empty()) {
    GEIST_TRY(baseline, read_report_file(options.baseline_path));
    report::apply_baseline(baseline, &report);
  }
  return report;
}

struct Printed {
  std::string text;
  bool found = false;
  bool is_data = false;  // for other programs
};

bool print(const Printed& printed, const ReportOptions& options) {
  if (printed.is_data) return print_data(printed.text);
  return print_out(printable_lines(printed.text, wants_color(options.color, STDOUT_FILENO)));
}

Result<Printed> print_list(const ReportOptions& options) {
  GEIST_TRY(list, emit_run_list(options.format == report::Format::kJson));
  return Printed{std::move(list), false, options.format != report::Format::kText};
}

Result<Printed> print_diff(const ReportOptions& options) {
  GEIST_TRY(older, read_filtered(options, options.compared_with));
  GEIST_TRY(newer, read_filtered(options, options.which));
  report::ReportDiff diff = report::compare_reports(older, newer);
  bool as_json = options.format == report::Format::kJson;
  std::string text = as_json
                         ? report::emit_diff_json(diff)
                         : report::emit_diff_text(diff, wants_color(options.color, STDOUT_FILENO));
  return Printed{std::move(text), !diff.appeared.empty(), as_json};
}

Result<Printed> print_fixes(const ReportOptions& options) {
  GEIST_TRY(report, read_filtered(options, options.which));
  std::vector<std::string> left_out;
  std::string patch = report::emit_fixes(report, &left_out);
  for (const std::string& sentence : left_out)
    print_err(printable_lines(fmt::format("geist: note: no patch: {}\n", printable(sentence))));
  return Printed{std::move(patch), !report.findings.empty(), true};
}

Result<Printed> print_report(const ReportOptions& options) {
  if (options.format == report::Format::kPprof && isatty(STDOUT_FILENO) == 1) {
    return Error("a profile is no text for a terminal")
        .with_hint("Send it to a file: geist report --as=pprof … >ghosts.pb.gz");
  }
  GEIST_TRY(report, read_filtered(options, options.which));
  if (options.debugger) {
    GEIST_TRY(script, report::emit_script(report, *options.debugger));
    return Printed{std::move(script), true, true};
  }
  report::TextOptions text;
  text.color = wants_color(options.color, STDOUT_FILENO);
  text.strip_path_prefix = options.strip_path_prefix;
  return Printed{report::emit(report, options.format, text), !report.findings.empty(),
                 options.format != report::Format::kText};
}

}  // namespace

int cmd_report(const ReportOptions& options) {
  Result<Printed> printed = options.list                    ? print_list(options)
                            : options.as_patch              ? print_fixes(options)
                            : options.compared_with.empty() ? print_report(options)
                                                            : print_diff(options);
  if (!printed.ok()) return fail(printed.error());
  if (!print(printed.value(), options))
    return fail(Error("stdout: cannot be written", ErrorKind::kSystem));
  return to_int(printed->found ? ExitCode::kFound : ExitCode::kOk);
}

}  // namespace geist::cli
