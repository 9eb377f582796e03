// Appends that have not happened: a slice whose spare room covers elements of another one.
#pragma once

#include <vector>

#include "findings/finding.h"
#include "snap/answers.h"

namespace geist::detect::latent {

// In a picture of the heap, each pair of fields or variables once a place. At most 50 arrays are
// looked at; how many more there are is in `left_out`.
std::vector<findings::Finding> find_latent(const snap::Snapshot& snapshot, u64* left_out);

}  // namespace geist::detect::latent
