// geist prove and geist run --prove: what the command line asked for, checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/report_output.h"

namespace geist::cli {

struct ProveOptions {
  std::vector<std::string> command;  // program and arguments, at least one
  OutputOptions output;
  std::optional<int> assume_go_minor;
  std::vector<std::string> watched_files;
  u64 timeout_ms = 60000;
  u64 confirm_runs = 4;
  std::string expected_path;  // file with the right output; empty: not known
  std::optional<int> wanted_exit;
  bool no_judge = false;  // no detecting run: bisect at once
  // geist prove: output.exit_code is kFoundMark. geist run --prove: the detecting run is the
  // user's, with our input and output and its exit status; these are its flags.
  bool is_run = false;
  std::vector<std::string> run_flags;
  bool no_cache = false;  // neither take nor keep the table of append sites
  bool keeps_run = true;  // the report, in the store; the detecting run's own is not kept
  u32 kept_runs = 200;
};

inline constexpr int kFoundMark =
    256;  // output.exit_code of geist prove: told from every exit status of a program

// The exit status of geist.
int cmd_prove(const ProveOptions& options);

}  // namespace geist::cli
