// A fix is shown as a diff only when the package compiles with it. The changed file lies in a
// temporary folder and go takes it in the place of the one it is made from (-overlay), so nothing of
// the user's is written; nothing is fetched either.
#pragma once

#include <vector>

#include "findings/finding.h"
#include "source/source.h"

namespace geist::run {

// Tries the diffs of what is `likely` at least, of files of the user's own module. One that does not
// compile, where the package does without it, loses its diff and stays as words; one that could not
// be tried (no go, a package that does not compile here anyway) stays as it is.
void try_fixes(std::vector<findings::Finding>& findings, const source::SourceCache& sources);

}  // namespace geist::run
