// A change of one file as a unified diff, there and back: derived from source text, kept in reports
// as text, merged when several findings change the same file, and taken apart again for formats
// that want replacements.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ints.h"

namespace geist::source {

// `removed` whole lines from the key's line on (from 1) give way to `text`; none removed: `text`
// goes in front of it.
struct Replacement {
  u32 removed = 0;
  std::string text;  // whole lines, each with its line end
  bool operator==(const Replacement&) const = default;
};

struct Patch {
  std::string path;                      // below the root of its module
  std::map<u32, std::string> old_lines;  // all that are replaced, and what is known around them
  std::map<u32, Replacement> replacements;
};

// The diff, with at most three lines of context and "a/" and "b/" in front of the path: `git apply`
// and `patch -p1` take it. Empty when nothing is replaced.
std::string emit_patch(const Patch& patch);
// The way back. What is no diff of one file, or is cut off inside a hunk, gives nothing: a patch is
// used whole or not at all.
std::optional<Patch> read_patch(std::string_view diff);
// Adds what `other` changes in the same file. False, and nothing added, when both change a line
// differently.
bool merge_patch(const Patch& other, Patch* into);

}  // namespace geist::source
