// geist heal: what the command line asked for, checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ints.h"

namespace geist::cli {

struct HealOptions {
  std::vector<std::string>
      command;                     // program and arguments, at least one, unless there is a process
  std::string process;             // PID or NAME of one that runs already; empty: none
  std::optional<double> for_s;     // heal it this long; nothing: until we are told to end
  std::vector<std::string> sites;  // names of appends, or of findings in the report
  std::string report_path;         // empty: none
  bool always = false;
  bool quiet = false;
  bool no_cache = false;  // neither take nor keep the table of append sites
  std::optional<int> assume_go_minor;
};

// Runs the program healed; the exit status of geist.
int cmd_heal(const HealOptions& options);

}  // namespace geist::cli
