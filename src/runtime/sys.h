// The only system call of the runtime and its clock. Behind this header so that unit tests can run
// the same code with a fake (tests/unit/runtime defines GEIST_RUNTIME_FAKE_SYS and supplies these
// functions).
#pragma once

#include <stdint.h>

namespace geist::runtime {

#ifdef GEIST_RUNTIME_FAKE_SYS
void futex_wait(volatile uint32_t* word, uint32_t expected, uint64_t timeout_us);
void futex_wake(volatile uint32_t* word);
uint64_t read_tsc();
#else

struct Timespec {
  int64_t seconds;
  int64_t nanoseconds;
};

inline long syscall4(long number, long a, long b, long c, long d) {
  long result;
  register long r10 asm("r10") = d;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
               : "rcx", "r11", "memory");
  return result;
}

inline constexpr long kSysFutex = 202;  // asm/unistd_64.h
inline constexpr long kFutexWait =
    0;  // linux/futex.h; not FUTEX_PRIVATE: the tool is another process
inline constexpr long kFutexWake = 1;

// Returns when the word changed, somebody woke it, a signal came, or the time is over; callers look
// again.
inline void futex_wait(volatile uint32_t* word, uint32_t expected, uint64_t timeout_us) {
  Timespec timeout{static_cast<int64_t>(timeout_us / 1000000),
                   static_cast<int64_t>(timeout_us % 1000000) * 1000};
  syscall4(kSysFutex, reinterpret_cast<long>(word), kFutexWait, expected,
           reinterpret_cast<long>(&timeout));
}

inline void futex_wake(volatile uint32_t* word) {
  syscall4(kSysFutex, reinterpret_cast<long>(word), kFutexWake, 64, 0);
}

inline uint64_t read_tsc() {
  uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return (static_cast<uint64_t>(high) << 32) | low;
}
#endif

}  // namespace geist::runtime
