// One report of many: what several test binaries of one `go test` found.
#pragma once

#include <vector>

#include "judge/finding.h"

namespace geist::report {

// Counts are added up, findings of the same fingerprint become one that carries the strongest level
// and every test it happened in, and notes that all say the same stand once. Findings are ordered
// strongest first and numbered from 1. The target is left to the caller, but for the Go release and
// the folders that paths are printed relative to: those of the first report, empty for none.
judge::Report merge_reports(const std::vector<judge::Report>& parts);

}  // namespace geist::report
