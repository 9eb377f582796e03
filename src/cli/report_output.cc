// Files are opened before the program starts, so that a typing error in a path costs no long run;
// they are written when everything else is over, so that a full disk costs no more than that one
// file.
#include "cli/report_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/system_error.h"
#include "base/text_file.h"
#include "cli/print.h"
#include "findings/fingerprint.h"
#include "report/report.h"

namespace geist::cli {
namespace {

// Several geists at once, as under go test -exec, write to files of their own.
std::string expand_pid(std::string path) {
  usize at = path.find("%p");
  if (at != std::string::npos) path.replace(at, 2, std::to_string(::getpid()));
  return path;
}

}  // namespace

Result<std::vector<report::Suppression>> read_suppression_file(const std::string& path) {
  if (path.empty()) return std::vector<report::Suppression>{};
  GEIST_TRY(text, read_text_file(path));
  auto rules = report::read_suppressions(text);
  if (!rules.ok()) return rules.take_error().in(path);
  return rules;
}

Result<findings::Report> read_report_file(const std::string& path) {
  GEIST_TRY(text, read_text_file(path));
  auto report = report::read_json(text);
  if (!report.ok()) return report.take_error().in(path);
  return report;
}

Result<std::vector<ReportFile>> parse_report_files(const std::string& text) {
  std::vector<ReportFile> files;
  for (usize start = 0; start <= text.size();) {
    usize end = std::min(text.find(',', start), text.size());
    std::string item = text.substr(start, end - start);
    start = end + 1;
    usize colon = item.find(':');
    std::string format = item.substr(0, colon);
    bool has_path = colon != std::string::npos && colon + 1 < item.size();
    std::optional<report::Format> known = report::find_format(format);
    if (!known && has_path) {
      return Error(fmt::format("report: format \"{}\" is not written by this version", format))
          .with_hint("Known formats: text, json, sarif, html, pprof");
    }
    if (!has_path)
      return Error(fmt::format("report: expected FORMAT:PATH, found \"{}\"", item))
          .with_hint("For example --report=json:report.json");
    files.push_back({*known, item.substr(colon + 1)});
  }
  return files;
}

Result<ReportOutput> ReportOutput::open(const OutputOptions& options) {
  ReportOutput output;
  output.options_ = options;
  GEIST_TRY(suppressions, read_suppression_file(options.suppressions_path));
  output.suppressions_ = std::move(suppressions);
  if (!options.baseline_path.empty()) {
    GEIST_TRY(baseline, read_report_file(options.baseline_path));
    output.baseline_ = std::move(baseline);
  }
  std::vector<Sink> sinks;
  for (const ReportFile& where : options.files) sinks.push_back({where, nullptr, false});
  if (!options.log_path.empty())
    sinks.push_back({{report::Format::kText, options.log_path}, nullptr, true});
  for (Sink& sink : sinks) {
    sink.where.path = expand_pid(sink.where.path);
    sink.file.reset(std::fopen(sink.where.path.c_str(), "we"));
    if (!sink.file) return system_error(sink.where.path);
  }
  output.sinks_ = std::move(sinks);
  return output;
}

bool ReportOutput::shows(const findings::Finding& finding, const findings::Target& target) const {
  if (finding.level < options_.level) return false;
  auto hides = [&](const report::Suppression& rule) {
    return report::matches(rule, finding, target);
  };
  if (std::ranges::any_of(suppressions_, hides)) return false;
  auto is_same = [&](const findings::Finding& known) {
    return findings::is_same_bug(known, finding);
  };
  return !baseline_ || std::ranges::none_of(baseline_->findings, is_same);
}

void ReportOutput::filter(findings::Report& report) const {
  report::drop_below(options_.level, &report);
  report::apply_suppressions(suppressions_, &report);
  if (baseline_) report::apply_baseline(*baseline_, &report);
}

report::TextOptions ReportOutput::stderr_options() const {
  report::TextOptions text;
  text.strip_path_prefix = options_.strip_path_prefix;
  text.color = wants_color(options_.color, STDERR_FILENO);
  return text;
}

std::vector<findings::Finding> ReportOutput::print_early(findings::Report report) const {
  filter(report);
  report::TextOptions text = stderr_options();
  text.only_findings = true;
  if (options_.log_path.empty() && !report.findings.empty())
    print_err(printable_lines(report::emit_text(report, text), text.color));
  return std::move(report.findings);
}

// What a patch leaves out is said on stderr, wherever the patch goes.
void ReportOutput::print_for_people(const findings::Report& report,
                                    const IsPrinted& is_printed) const {
  if (options_.tell_people) return options_.tell_people(report);
  if (options_.quiet && report.findings.empty()) return;
  if (options_.as_patch) {
    std::vector<std::string> left_out;
    std::string patch = report::emit_fixes(report, &left_out);
    if (options_.log_path.empty()) print_err(printable_lines(patch));
    for (const std::string& sentence : left_out)
      print_err(printable_lines(fmt::format("geist: note: no patch: {}\n", printable(sentence))));
    print_err(printable_lines(report::emit_summary_line(report) + "\n"));
  } else if (options_.log_path.empty()) {
    report::TextOptions text = stderr_options();
    text.is_left_out = is_printed;
    print_err(printable_lines(report::emit_text(report, text), text.color));
  }
}

Result<int> ReportOutput::finish(findings::Report report, const IsPrinted& is_printed) {
  filter(report);
  report::TextOptions text;
  text.strip_path_prefix = options_.strip_path_prefix;
  std::optional<Error> problem;
  std::vector<std::string> left_out;  // print_for_people() says it
  for (Sink& sink : sinks_) {
    bool is_patch = sink.is_log && options_.as_patch;
    std::string bytes = is_patch ? report::emit_fixes(report, &left_out)
                                 : report::emit(report, sink.where.format, text);
    bool written = std::fwrite(bytes.data(), 1, bytes.size(), sink.file.get()) == bytes.size();
    if (!written || std::fflush(sink.file.get()) != 0) problem = system_error(sink.where.path);
  }
  sinks_.clear();
  print_for_people(report, is_printed);
  if (problem) return *std::move(problem);
  bool fails = options_.exit_code != 0 && report::has_finding(report, options_.fail_on);
  return fails ? options_.exit_code : report.exit_code;
}

}  // namespace geist::cli
