// What makes a finding the same in another run, in another build, and after lines moved.
#pragma once

#include <string>

#include "base/ints.h"

namespace geist::findings {

// FNV-1a of the text, in hex: the same in every run and version.
std::string fingerprint_of(const std::string& text);

}  // namespace geist::findings
