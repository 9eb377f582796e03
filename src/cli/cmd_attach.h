// geist attach: what the command line asked for, checked.
#pragma once

#include "cli/report_output.h"

namespace geist::cli {

struct AttachOptions {
  std::string process;          // an id or a name
  std::optional<double> for_s;  // how long; without: until told to end
  bool now = false;             // print findings as they are made
  OutputOptions output;
  std::optional<int> assume_go_minor;
  bool no_watch = false;
  u32 budget_percent = 2;
  std::vector<std::string> detectors;  // those asked for by their flag
  std::vector<std::string> named;      // those of --detect
  u32 history = 512;
};

// Watches, leaves the process as it was and reports; the exit status of geist.
int cmd_attach(const AttachOptions& options);

// Seconds of a duration as Go writes it: "30s", "1m30s", "250ms". Nothing when it is none, or not
// positive.
std::optional<double> parse_duration(std::string_view text);

}  // namespace geist::cli
