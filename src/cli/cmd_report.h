// geist report: a saved report in any format, the list of kept runs, or what changed between two.
#pragma once

#include "cli/report_output.h"

namespace geist::cli {

struct ReportOptions {
  std::string which;          // a file, the number of a run, or "last"
  std::string compared_with;  // an older one; empty: no comparison
  bool list = false;
  bool as_patch = false;  // the fixes and nothing else
  report::Format format = report::Format::kText;
  std::optional<report::Debugger> debugger;  // a script for it, in no format
  std::string finding;                       // only this one: its number or fingerprint
  findings::Level level = findings::Level::kLatent;
  std::string suppressions_path;
  std::string baseline_path;
  std::string strip_path_prefix;
  ColorMode color = ColorMode::kAuto;
};

// To stdout; 1 when it has findings, of a comparison: when one is new.
int cmd_report(const ReportOptions& options);

}  // namespace geist::cli
