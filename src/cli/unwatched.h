// What becomes of a program that cannot be watched.
#pragma once

#include "base/result.h"
#include "cli/cmd_run.h"
#include "run/child_signals.h"

namespace geist::cli {

// Ends `geist run` with the error. Under go test the tests matter more: the report says that they
// were not watched, and the program takes this process over, so that it is then what go test waits
// for.
int give_up(const RunOptions& options, const Error& error,
            const run::ChildSignals* blocked = nullptr);

}  // namespace geist::cli
