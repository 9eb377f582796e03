// geist run --follow: the command may be anything; every Go program that it or its children exec is
// probed.
#pragma once

#include "cli/cmd_run.h"

namespace geist::cli {

// Runs and reports; the exit status of geist.
int run_following(const RunOptions& options);

}  // namespace geist::cli
