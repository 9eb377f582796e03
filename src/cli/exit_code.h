// Every way geist can end, as one type. The numbers are a promise; exit_codes.inc is what the
// manual prints.
#pragma once

#include <string_view>

#include "base/ints.h"
#include "base/result.h"

namespace geist::cli {

enum class ExitCode : int {
#define GEIST_EXIT(name, code, when) k##name = code,
#include "cli/exit_codes.inc"
#undef GEIST_EXIT
};

// For `return` from a verb or main.
constexpr int to_int(ExitCode code) {
  return static_cast<int>(code);
}

// What the user gets for bad input of this kind.
ExitCode exit_code_of(ErrorKind kind);

// Prints "geist: MESSAGE" and, indented on its own lines, the hint; to stderr. Returns the code for
// it.
int fail(const Error& error);
// The same for a wrong command line: exit 2, and where help is.
int fail_usage(const Error& error, std::string_view verb);

}  // namespace geist::cli
