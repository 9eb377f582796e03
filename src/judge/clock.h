// Clocks of this process and of the samples.
#pragma once

#include <time.h>

#include "base/ints.h"

namespace geist::judge {

// Between a write and its sample: the exception, and whoever has the processor before it. What is
// seen in memory may have been written by one whose sample is not there yet.
inline constexpr u64 kSampleDelayNs = 1'000'000;

inline u64 nanoseconds(clockid_t clock) {
  timespec ts{};
  ::clock_gettime(clock, &ts);
  return static_cast<u64>(ts.tv_sec) * 1'000'000'000 + static_cast<u64>(ts.tv_nsec);
}

inline double seconds(clockid_t clock) {
  return static_cast<double>(nanoseconds(clock)) * 1e-9;
}

}  // namespace geist::judge
