// Clocks of this process and of the samples.
#pragma once

#include <time.h>

#include "base/ints.h"

namespace geist::judge {

inline u64 nanoseconds(clockid_t clock) {
  timespec ts{};
  ::clock_gettime(clock, &ts);
  return static_cast<u64>(ts.tv_sec) * 1'000'000'000 + static_cast<u64>(ts.tv_nsec);
}

inline double seconds(clockid_t clock) {
  return static_cast<double>(nanoseconds(clock)) * 1e-9;
}

}  // namespace geist::judge
