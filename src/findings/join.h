// One append, one finding: an append may have many victims, and generic or inlined code many places
// in the binary, but it is repaired once.
#pragma once

#include <vector>

#include "findings/finding.h"

namespace geist::findings {

// Joins the findings of one rule and class that are of the same lines: from the append out to the
// first frame outside the standard library. The strongest stays, of equals the one whose victim has
// the better name; the names of the others' victims are kept, counts are added. In the order of the
// first of each.
std::vector<Finding> join_sites(std::vector<Finding> findings);

}  // namespace geist::findings
