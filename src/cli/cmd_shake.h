// geist shake: what the command line asked for, checked.
#pragma once

#include "cli/report_output.h"
#include "probe/condition.h"

namespace geist::cli {

struct ShakeOptions {
  std::vector<std::string> command;  // program and arguments, at least one
  OutputOptions output;
  std::optional<int> assume_go_minor;
  std::vector<probe::Condition> conditions;
  std::vector<std::string> watched_files;
  u64 timeout_ms = 60000;
  u64 confirm_runs = 2;
  std::vector<std::string> run_flags;  // of the watched runs
  bool no_cache = false;
  bool keeps_run = true;
  u32 kept_runs = 200;
};

// The exit status of geist.
int cmd_shake(const ShakeOptions& options);

}  // namespace geist::cli
