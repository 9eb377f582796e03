// The fix of a finding as a patch: what a unified diff replaces, for formats that want replacements
// instead of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace geist::report {

// `removed` whole lines from line `line` on (from 1) give way to `text`; none removed: `text` goes
// in front of that line.
struct Replacement {
  u32 line = 1;
  u32 removed = 0;
  std::string text;  // whole lines, each with its line end
};

// The replacements of a diff of one file, in the order of the file. What is no diff, or is cut off
// inside a hunk, gives none: a patch is used whole or not at all.
std::vector<Replacement> read_patch(std::string_view diff);

}  // namespace geist::report
