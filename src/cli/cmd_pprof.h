// geist pprof FILE|URL [REPORT [WHAT]]: what go tool pprof prints of a profile.
#pragma once

#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "cli/flags.h"
#include "profile/text.h"

namespace geist::cli {

struct PprofOptions {
  std::string source;  // a file or a URL
  std::string report;  // top, tree, peek, list, sites
  std::string what;    // peek, list: an expression
  std::string base;    // another source; empty: none
  profile::ReportOptions options;
  u64 timeout_s = 60;
};

// Fails when the report is unknown or misses its WHAT.
Result<PprofOptions> make_pprof_options(const ParsedFlags& parsed);

int cmd_pprof(const PprofOptions& options);

}  // namespace geist::cli
