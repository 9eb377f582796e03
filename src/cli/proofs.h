// From the answer of an experiment to what a report says of it.
#pragma once

#include <string>
#include <vector>

#include "judge/finding.h"
#include "prove/prove.h"

namespace geist::cli {

// The finding becomes proved, or `notes` says why it did not.
void add_verdict(const prove::Verdict& verdict, judge::Finding& finding,
                 std::vector<std::string>& notes);

// Strongest first, for after that.
void sort_by_level(std::vector<judge::Finding>& findings);

}  // namespace geist::cli
