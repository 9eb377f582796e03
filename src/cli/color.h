// Colour only on a terminal, and never against NO_COLOR (no-color.org).
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace geist::cli {

enum class ColorMode { kAuto, kAlways, kNever };

inline bool wants_color(ColorMode mode, int fd) {
  if (mode != ColorMode::kAuto) return mode == ColorMode::kAlways;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  bool is_dumb = term == nullptr || std::strcmp(term, "dumb") == 0;
  return isatty(fd) == 1 && (no_color == nullptr || *no_color == '\0') && !is_dumb;
}

}  // namespace geist::cli
