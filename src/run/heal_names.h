// From --site and --report to the names of appends, and from counters back to words.
#pragma once

#include <string>
#include <vector>

#include "findings/finding.h"
#include "process/launch.h"
#include "sites/append_sites.h"

namespace geist::run {

// The appends of the findings in `report` that `chosen` names (a finding's number, "#2", or a rule;
// empty: all of them). A name of another form is taken as the name of an append. Fails on a number
// or rule without a finding.
Result<std::vector<std::string>> name_findings(const findings::Report& report,
                                               const std::vector<std::string>& chosen);

// The name of the append of a finding, with its whole path; empty when the finding has no stack.
std::string append_name(const findings::Finding& finding);

// "a,b" → a, b; commas inside brackets belong to a name.
std::vector<std::string> split_names(const std::string& text);

// A line for each append that was healed, most often first, and one for all. `process` may have
// ended.
std::vector<std::string> describe_healing(const read::GoBinary& binary,
                                          const process::ProbedProcess& process);

}  // namespace geist::run
