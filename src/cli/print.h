// Writing for people without throwing: a closed stderr must not end the program that geist runs.
#pragma once

#include <cstdio>
#include <string_view>

namespace geist::cli {

inline void print_err(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

// Data for stdout. False when it could not be written, for example to a closed pipe.
inline bool print_out(std::string_view text) {
  bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return std::fflush(stdout) == 0 && written;
}

}  // namespace geist::cli
