#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace geist {
namespace {
CheckHandler installed_handler = nullptr;
}  // namespace

void set_check_handler(CheckHandler handler) {
  installed_handler = handler;
}

void check_failed(const char* condition, const char* file, int line) {
  if (installed_handler != nullptr) installed_handler(condition, file, line);
  std::fprintf(stderr, "geist: internal error: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace geist
