// Numbers as pprof writes them: a value in its unit or the one that suits it, and its share.
// Source: github.com/google/pprof, internal/measurement/measurement.go.
#pragma once

#include <string>
#include <string_view>

#include "base/ints.h"

namespace geist::profile {

struct Scaled {
  double value = 0;
  std::string unit;  // empty: not worth a word
};

// `value` of the unit `from` in the unit `to`; "minimum" and "auto": in the one that fits.
Scaled scale(i64 value, std::string_view from, std::string_view to);
// "1.50MB", "3", "0".
std::string scaled_label(i64 value, std::string_view from, std::string_view to);
// "12.35%", "0.05%", "  100%": six characters as a rule.
std::string percentage(i64 value, i64 total);
// Whether values of both types can be compared, and which of the two units is the finer one.
bool are_compatible_units(std::string_view a, std::string_view b);

// |value|, and a product that saturates where Go's would be undefined.
i64 absolute(i64 value);
i64 times(i64 value, double factor);
// Sums wrap, as Go's do.
inline i64 plus(i64 a, i64 b) {
  return static_cast<i64>(static_cast<u64>(a) + static_cast<u64>(b));
}

}  // namespace geist::profile
