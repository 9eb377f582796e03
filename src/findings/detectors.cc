#include "findings/detectors.h"

#include <algorithm>
#include <array>

namespace geist::findings {
namespace {

constexpr std::array kDetectors = {
#define GEIST_DETECTOR(name, rule, finding_class, title, when, help) \
  DetectorRow{#name, rule, finding_class, title, When::when, help},
#include "findings/detectors.inc"
#undef GEIST_DETECTOR
};

}  // namespace

std::span<const DetectorRow> all_detectors() {
  return kDetectors;
}

const DetectorRow* find_detector(std::string_view name) {
  auto found = std::ranges::find(kDetectors, name, &DetectorRow::name);
  return found == kDetectors.end() ? nullptr : &*found;
}

}  // namespace geist::findings
