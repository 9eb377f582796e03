#include "cli/exit_code.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/print.h"
#include "report/report.h"

namespace geist::cli {
namespace {

// Hints may have several lines; each keeps its indent.
void print_hint(const std::string& hint) {
  usize start = 0;
  while (start < hint.size()) {
    usize end = hint.find('\n', start);
    print_err(printable_lines(fmt::format(
        "  {}\n", printable(hint.substr(start, end == std::string::npos ? end : end - start)))));
    if (end == std::string::npos) return;
    start = end + 1;
  }
}

}  // namespace

ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return ExitCode::kNotFound;
    case ErrorKind::kNotRunnable:
      return ExitCode::kNotRunnable;
    case ErrorKind::kBadInput:
    case ErrorKind::kNoPermission:
    case ErrorKind::kSystem:
    case ErrorKind::kNotGo:
      return ExitCode::kBadInput;
  }
  return ExitCode::kBadInput;
}

int fail(const Error& error) {
  print_err(printable_lines(fmt::format("geist: {}\n", printable(error.message()))));
  print_hint(error.hint());
  return to_int(exit_code_of(error.kind()));
}

int fail_usage(const Error& error, std::string_view verb) {
  print_err(printable_lines(fmt::format("geist: {}\n", printable(error.message()))));
  print_hint(error.hint());
  print_err(printable_lines(fmt::format("  See: geist help{}{}\n", verb.empty() ? "" : " ", verb)));
  return to_int(ExitCode::kUsage);
}

}  // namespace geist::cli
