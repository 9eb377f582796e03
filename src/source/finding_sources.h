// Source text for findings: the lines of their stacks, the operand's name in the drawing, and the
// fix.
#pragma once

#include <vector>

#include "findings/finding.h"
#include "source/source.h"

namespace geist::source {

// Fills Frame::source, Finding::fix and the operand's label; what has no source here stays empty.
void add_sources(std::vector<findings::Finding>& findings, SourceCache& sources);

}  // namespace geist::source
