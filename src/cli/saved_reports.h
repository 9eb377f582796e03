// Reports that were kept: a file, or a run of the store by its number. "12" is run 12, "last" the
// newest one, and anything else a file ("./12" too).
#pragma once

#include <string>

#include "base/result.h"
#include "findings/finding.h"

namespace geist::cli {

// A run that geist did not see the end of gives what had been found, and a note that says so.
Result<findings::Report> read_saved_report(const std::string& which);

// The kept runs, newest first, as a table or as {"schema": "geist-runs/1", "runs": […]}.
Result<std::string> emit_run_list(bool as_json);

}  // namespace geist::cli
