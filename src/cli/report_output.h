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
#include "judge/finding.h"
#include "report/filter.h"
#include "report/report.h"

namespace geist::cli {

struct ReportFile {
  report::Format format = report::Format::kText;
  std::string path;
};

struct OutputOptions {
  judge::Level level = judge::Level::kLikely;    // weaker findings are not shown
  judge::Level fail_on = judge::Level::kLikely;  // findings from here on change the exit status
  int exit_code = 66;                            // to this; 0: leave it alone
  std::vector<ReportFile> files;
  std::string log_path;  // text goes there instead of stderr
  std::string suppressions_path;
  std::string baseline_path;
  std::string strip_path_prefix;
  ColorMode color = ColorMode::kAuto;
  bool quiet = false;
  bool as_patch = false;  // the fixes as a patch are what people get, in the place of the report
  bool wants_latent() const { return level == judge::Level::kLatent; }
};

class ReportOutput {
 public:
  // Opens (creates, truncates) every output file and reads suppressions and baseline. Fails with
  // the path in front.
  static Result<ReportOutput> open(const OutputOptions& options);

  // Would finish() show this finding?
  bool shows(const judge::Finding& finding, const judge::Target& target) const;

  // Drops what is below the level, suppressed or in the baseline, numbers the rest, writes every
  // file and the text. Returns the exit status: options.exit_code when a finding fails the run,
  // else report.exit_code. A file that cannot be written is an error after everything else was
  // written.
  // What is_printed says of a finding is left out of the text on stderr, where it stands already.
  using IsPrinted = std::function<bool(const judge::Finding&)>;
  Result<int> finish(judge::Report report, const IsPrinted& is_printed = {});
  // Filters as finish() will, prints only the findings that are left, to stderr unless there is a
  // log. Returns them.
  std::vector<judge::Finding> print_early(judge::Report report) const;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Sink {
    ReportFile where;
    std::unique_ptr<std::FILE, CloseFile> file;
    bool is_log = false;
  };
  void print_for_people(const judge::Report& report, const IsPrinted& is_printed) const;
  void filter(judge::Report& report) const;
  report::TextOptions stderr_options() const;
  OutputOptions options_;
  std::vector<Sink> sinks_;
  std::vector<report::Suppression> suppressions_;
  std::optional<judge::Report> baseline_;
};

// "json:a.json,text:b.txt" → both. Fails on a format that is not written by this version and on an
// empty path.
Result<std::vector<ReportFile>> parse_report_files(const std::string& text);

// Whole file; fails with the path and what the system said.
Result<std::string> read_text_file(const std::string& path);
// Suppressions and baseline of a filter, empty paths mean none.
Result<std::vector<report::Suppression>> read_suppression_file(const std::string& path);
Result<judge::Report> read_report_file(const std::string& path);

}  // namespace geist::cli
