// What makes a finding the same bug in another run, in another build, on another machine, and after
// lines moved. The second version, "g2:…", is made of the rule and of what the code and its tables
// say about the append (sites/identity.h), so it needs neither source nor DWARF. The victim
// is no part of it: what is known of one depends on both, and an append is cured where it is,
// whatever it overwrites. The first version, 16 hex digits, had the victim's type and the text of
// the append in it; a finding carries it among its aliases, for reports and baselines of that time.
#pragma once

#include <string>

#include "base/ints.h"
#include "findings/finding.h"

namespace geist::findings {

// "g2:" and 32 hex digits of a hash of the text.
std::string fingerprint_of(const std::string& text);
// The hash of the first version: FNV-1a, 16 hex digits.
std::string old_fingerprint_of(const std::string& text);

// The same fingerprint, or one's fingerprint is an alias of the other. Two findings that only share
// an alias are not the same: aliases are of a time that told fewer bugs apart. False without a
// fingerprint.
bool is_same_bug(const Finding& a, const Finding& b);

// The bug and the kind of its victim: what one report shows once, however many processes or stops
// saw it. Empty without a fingerprint.
std::string bug_and_victim(const Finding& finding);

}  // namespace geist::findings
