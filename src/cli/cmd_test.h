// geist test: go test with every test binary watched, and one report over all of them.
#pragma once

#include "cli/report_output.h"

namespace geist::cli {

struct TestOptions {
  std::vector<std::string> words;      // for go test, as typed
  std::vector<std::string> run_flags;  // for the `geist run` around each test binary
  OutputOptions output;
  bool proves = false;    // each finding, by running its tests again
  bool shakes = false;    // each test binary
  double shake_s = 300;   // for so long at most
  bool keeps_run = true;  // the report, in the store
  u32 kept_runs = 200;
};

// The exit status of go test, or output.exit_code when a finding fails the run.
int cmd_test(const TestOptions& options);

}  // namespace geist::cli
