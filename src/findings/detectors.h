// The rows of detectors.inc.
#pragma once

#include <span>
#include <string_view>

#include "base/ints.h"

namespace geist::findings {

enum class When : u8 { kAlways, kByLevel, kByFlag, kByVerb, kByName };

struct DetectorRow {
  std::string_view name;
  std::string_view rule, finding_class, title;  // empty: it makes no findings
  When when = When::kAlways;
  std::string_view help;
  // A detector that was asked for by name adds a section of its own to the report.
  bool has_section() const { return when == When::kByFlag; }
};

std::span<const DetectorRow> all_detectors();
// Null for a name that is none.
const DetectorRow* find_detector(std::string_view name);

}  // namespace geist::findings
