// What detectors add to a report that is no finding (findings::Section), as text.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace geist::report {

// A table of the first rows, without its newline at the end of the last line.
std::vector<std::string> describe_section(const std::string& name, const findings::Section& section,
                                          const findings::Target& target,
                                          const TextOptions& options);

// The sum of each column.
std::vector<u64> totals_of(const findings::Section& section);

}  // namespace geist::report
