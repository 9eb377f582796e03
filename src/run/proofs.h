// From the answer of an experiment to what a report says of it.
#pragma once

#include <string>
#include <vector>

#include "findings/finding.h"
#include "prove/prove.h"

namespace geist::run {

// The finding becomes proved, or `notes` says why it did not.
void add_verdict(const prove::Verdict& verdict, findings::Finding& finding,
                 std::vector<std::string>& notes);

// Strongest first, for after that.
void sort_by_level(std::vector<findings::Finding>& findings);

}  // namespace geist::run
