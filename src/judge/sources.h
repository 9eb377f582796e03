// Source text for findings: the lines of their stacks, the operand's name in the drawing, and the
// fix.
#pragma once

#include <vector>

#include "judge/finding.h"
#include "program/source.h"

namespace geist::judge {

// Fills Frame::source, Finding::fix and the operand's label; what has no source here stays empty.
void add_sources(std::vector<Finding>& findings, program::SourceCache& sources);

}  // namespace geist::judge
