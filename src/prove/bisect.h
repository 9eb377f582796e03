// Bisection: which of many things must be healed for the output to be right? Each question is a run
// of the program.
#pragma once

#include <functional>
#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace geist::prove {

// The smallest set of 0 … count-1 for which `is_right` holds, given that it holds for all of them,
// under the assumption that healing more never makes a right output wrong; every answer is held by
// a run of exactly the set returned. One culprit takes about log2(count) + 1 questions, each
// further one as many again. Fails when a question fails.
Result<std::vector<usize>> find_smallest_set(
    usize count, const std::function<Result<bool>(const std::vector<usize>&)>& is_right);

}  // namespace geist::prove
