// Writing for people without throwing: a closed stderr must not end the program that geist runs.
// What they read is Printable (base/printable.h); what other programs read goes through print_data.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "base/printable.h"

namespace geist::cli {

// True when all of it could be written: not to a closed pipe, for example.
inline bool write_all(std::string_view bytes, std::FILE* to) {
  return std::fwrite(bytes.data(), 1, bytes.size(), to) == bytes.size();
}

inline void print_err(const Printable& text) {
  (void)write_all(text.text(), stderr);
}
inline void print_err(Literal text) {
  (void)write_all(text.text, stderr);
}

// For who says something in lines and does not know whether they are printable.
inline void say(std::string_view lines) {
  print_err(printable_lines(lines));
}

// False when it could not be written.
inline bool print_out(const Printable& text) {
  bool written = write_all(text.text(), stdout);
  return std::fflush(stdout) == 0 && written;
}

// What other programs read, on stdout: JSON, a patch, a page, byte by byte; on a terminal as text
// that it may be given. False likewise.
inline bool print_data(std::string_view bytes) {
  if (::isatty(STDOUT_FILENO) == 1) return print_out(printable_lines(bytes));
  bool written = write_all(bytes, stdout);
  return std::fflush(stdout) == 0 && written;
}

}  // namespace geist::cli
