#include "run/refuse_sanitized.h"

#include <fmt/format.h>

namespace geist::run {

Status refuse_sanitized(const read::GoBinary& binary) {
  for (const char* flag : {"-race", "-asan", "-msan"}) {
    if (binary.build_info().has_setting(flag, "true")) {
      return Error(fmt::format("{}: built with {}, which geist does not support",
                               binary.image().path(), flag))
          .with_hint(fmt::format("build it without {}; geist needs no special build", flag));
    }
  }
  return Done{};
}

}  // namespace geist::run
