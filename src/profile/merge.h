// A profile less another one, its base: what grew between two heap profiles. As in pprof, samples of one
// stack and with the same labels become one; those that are zero afterwards are gone.
// Source: github.com/google/pprof, profile/merge.go, internal/driver/fetch.go.
#pragma once

#include "profile/profile.h"

namespace geist::profile {

// `marks_base` is --diff_base: samples of the base stay apart, under a label, and shares are of the base.
// Only sample types that both have are kept. Fails: none are common, units that do not go together, a
// damaged sample.
Result<Profile> subtract(const Profile& profile, const Profile& base, bool marks_base);

}  // namespace geist::profile
