// Which words of a value a program changes, so that a watch of them promises most.
#pragma once

#include <utility>
#include <vector>

#include "judge/view.h"

namespace geist::detect::stale {

// Offset and size of each: numbers, the last field first, and the rest.
struct ElementWords {
  std::vector<std::pair<u64, u32>> numbers, others;
};
// Of an element of `size` bytes of the abi.Type at `type`, which may be unknown.
ElementWords find_words(const judge::Context& context, ImageAddr type, u64 size);

}  // namespace geist::detect::stale
