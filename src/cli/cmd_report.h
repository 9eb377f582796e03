// geist report FILE: a saved report, printed again.
#pragma once

#include "cli/report_output.h"

namespace geist::cli {

struct ReportOptions {
  std::string path;
  report::Format format = report::Format::kText;
  judge::Level level = judge::Level::kLatent;
  std::string suppressions_path;
  std::string baseline_path;
  std::string strip_path_prefix;
  ColorMode color = ColorMode::kAuto;
};

// To stdout; 1 when it has findings.
int cmd_report(const ReportOptions& options);

}  // namespace geist::cli
