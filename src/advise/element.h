// What a benchmark's slices are made of: the finding's own element type where its name is enough, else
// a type of the same size with pointers at the same words.
//
// The name comes from a report, which anybody may have written, and goes into Go source: so it is
// parsed, and what is written is made of what was understood. A name that is not understood is
// never written.
#pragma once

#include <string>

#include "base/result.h"
#include "findings/finding.h"

namespace geist::advise {

struct Element {
  std::string type;   // Go
  std::string value;  // Go, an expression in `i` of that type: for other i other bytes
  u64 size = 0;
  bool has_pointers = false;
  std::string note;  // one sentence when it is not the finding's own type; else empty
};

// Fails when the finding has no element size, or one that is beyond kMostElement.
constexpr u64 kMostElement = u64{1} << 20;
Result<Element> make_element(const findings::Finding& finding);

}  // namespace geist::advise
