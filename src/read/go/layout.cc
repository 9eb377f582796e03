#include "read/go/layout.h"

#include <fmt/format.h>

#include <array>

namespace geist::read {
namespace {

constexpr std::array<Layout, kNewestMinor - kOldestMinor + 1> kLayouts = {{
#include "read/go/layouts/go1_21.inc"
#include "read/go/layouts/go1_22.inc"
#include "read/go/layouts/go1_23.inc"
#include "read/go/layouts/go1_24.inc"
#include "read/go/layouts/go1_25.inc"
#include "read/go/layouts/go1_26.inc"
#include "read/go/layouts/go1_27.inc"
}};

constexpr bool rows_are_in_order() {
  for (usize i = 0; i < kLayouts.size(); ++i) {
    if (kLayouts[i].minor != kOldestMinor + static_cast<int>(i)) return false;
  }
  return true;
}
static_assert(rows_are_in_order(), "one row a release, oldest first");

}  // namespace

std::optional<Layout> find_layout(int minor) {
  if (minor < kOldestMinor || minor > kNewestMinor) return std::nullopt;
  return kLayouts[static_cast<usize>(minor - kOldestMinor)];
}

std::optional<Layout> find_layout(int minor, int patch) {
  std::optional<Layout> layout = find_layout(minor);
  if (!layout) return std::nullopt;
#define GEIST_LAYOUT_BEFORE(of_minor, first_patch, field, value) \
  if (minor == (of_minor) && patch < (first_patch)) layout->field = (value);
#include "read/go/layouts/patches.inc"
#undef GEIST_LAYOUT_BEFORE
  return layout;
}

std::string supported_releases() {
  return fmt::format("Go 1.{} to 1.{}", kOldestMinor, kNewestMinor);
}

}  // namespace geist::read
