// Where a report goes: opened before long work begins, filtered and written once at its end.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "cli/color.h"
#include "findings/finding.h"
#include "report/filter.h"
#include "report/report.h"

namespace geist::cli {

struct ReportFile {
  report::Format format = report::Format::kText;
  std::string path;
};

struct OutputOptions {
  findings::Level level = findings::Level::kLikely;  // weaker findings are not shown
  findings::Level fail_on =
      findings::Level::kLikely;  // findings from here on change the exit status
  int exit_code = 66;            // to this; 0: leave it alone
  std::vector<ReportFile> files;
  std::string log_path;  // text goes there instead of stderr
  std::string suppressions_path;
  std::string baseline_path;
  std::string strip_path_prefix;
  ColorMode color = ColorMode::kAuto;
  bool quiet = false;
  bool as_patch = false;  // the fixes as a patch are what people get, in the place of the report
  // Gets the report in the place of people, filtered and numbered, when all files are written.
  std::function<void(const findings::Report&)> tell_people = nullptr;
  bool wants_latent() const { return level == findings::Level::kLatent; }
};

class ReportOutput {
 public:
  // Opens (creates, truncates) every output file and reads suppressions and baseline. Fails with
  // the path in front.
  static Result<ReportOutput> open(const OutputOptions& options);

  // Would finish() show this finding?
  bool shows(const findings::Finding& finding, const findings::Target& target) const;

  // Drops what is below the level, suppressed or in the baseline, numbers the rest, writes every
  // file and the text. Returns the exit status: options.exit_code when a finding fails the run,
  // else report.exit_code. A file that cannot be written is an error after everything else was
  // written.
  // What is_printed says of a finding is left out of the text on stderr, where it stands already.
  using IsPrinted = std::function<bool(const findings::Finding&)>;
  Result<int> finish(findings::Report report, const IsPrinted& is_printed = {});
  // Filters as finish() will, prints only the findings that are left, to stderr unless there is a
  // log. Returns them.
  std::vector<findings::Finding> print_early(findings::Report report) const;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Sink {
    ReportFile where;
    std::unique_ptr<std::FILE, CloseFile> file;
    bool is_log = false;
  };
  void print_for_people(const findings::Report& report, const IsPrinted& is_printed) const;
  void filter(findings::Report& report) const;
  report::TextOptions stderr_options() const;
  OutputOptions options_;
  std::vector<Sink> sinks_;
  std::vector<report::Suppression> suppressions_;
  std::optional<findings::Report> baseline_;
};

// "json:a.json,text:b.txt" → both. Fails on a format that is not written by this version and on an
// empty path.
Result<std::vector<ReportFile>> parse_report_files(const std::string& text);

// Suppressions and baseline of a filter, empty paths mean none.
Result<std::vector<report::Suppression>> read_suppression_file(const std::string& path);
Result<findings::Report> read_report_file(const std::string& path);

}  // namespace geist::cli
