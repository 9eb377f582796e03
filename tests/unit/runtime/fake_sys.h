// A clock and a futex that a test controls, in the place of runtime/sys.h's.
#pragma once

#include <cstdint>
#include <functional>

namespace geist::runtime {

struct FakeSys {
  uint64_t tsc = 1000;
  uint64_t waits = 0, wakes = 0;
  std::function<void(volatile uint32_t*, uint64_t)> on_wait;  // word, timeout
};
extern FakeSys fake;

}  // namespace geist::runtime
