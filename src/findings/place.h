// Names of victims and operands, and where they are.
#pragma once

#include <string_view>

namespace geist::findings {

// "g.handlers in main.serve" is g.handlers of main.serve; `place` is empty where there is none. The
// key of a map stands in quotes and may have " in " itself: m["day in week"].
struct PlacedName {
  std::string_view name, place;
};
PlacedName split_place(std::string_view text);

}  // namespace geist::findings
