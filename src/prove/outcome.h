// Outcome: everything of one run of a program that another run is compared with.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/ints.h"

namespace geist::prove {

struct Outcome {
  std::string out, err;
  int code = 0;  // 128 + signal when it was killed
  std::optional<int> signal;
  bool timed_out = false;  // and was killed by us
  std::map<std::string, std::optional<std::string>>
      files;  // watched ones, after the run; nothing: not there
};

}  // namespace geist::prove
