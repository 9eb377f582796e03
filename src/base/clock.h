// Times of the system as seconds.
#pragma once

#include <sys/time.h>
#include <time.h>

namespace geist {

inline double seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}
inline double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Of a clock that nobody sets.
inline double monotonic_s() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return seconds(time);
}

}  // namespace geist
