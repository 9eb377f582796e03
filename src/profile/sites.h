// The lines that allocate slices: each append and make of a slice by the bytes it allocated. Profiles know
// lines, so a line with both is one site.
//
// growslice and makeslice are the runtime's, and profiles leave the runtime out, so the line of the leaf
// is the site. Whether it is an append, a make or something else is read from its source; what is not here
// stays unknown, and is counted.
#pragma once

#include <string>
#include <vector>

#include "profile/text.h"

namespace geist::profile {

struct Site {
  enum class Kind { kAppend, kMake, kBoth, kOther, kUnknown } kind = Kind::kUnknown;
  std::string function = {};
  std::string file = {};
  i64 line = 0;
  i64 value = 0;          // bytes, or what the sample type counts
  std::string text = {};  // the append call, or the line
};

struct Sites {
  ValueType type = {};
  i64 total = 0;
  std::vector<Site> rows = {};  // appends and makes, the largest first
  // What the rest is: allocations that are neither, and lines whose source is not here.
  i64 other_value = 0, unknown_value = 0;
  usize other_lines = 0, unknown_lines = 0;
};

// The sample type is alloc_space where there is none asked for. Fails as the reports of text.h, and when the
// profile is not one of allocations.
Result<Sites> find_sites(const Profile& profile, ReportOptions options,
                         std::vector<std::string>* notes);
// `most`: rows that are shown, 0 for all.
std::string emit_sites(const Sites& sites, u64 most);

}  // namespace geist::profile
