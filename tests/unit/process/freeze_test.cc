// A frozen process stands still in a bounded time, also when one of its threads sleeps in the
// kernel and cannot be woken; and goes on afterwards, that thread too.
#include "process/freeze.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "base/fd.h"
#include "process/process_info.h"

namespace geist::process {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A process with a thread in state D: it waits for a vfork child, which sleeps until it is killed.
// Then that thread writes a byte.
class Sleeper {
 public:
  Sleeper() {
    int ends[2], begun[2];
    GEIST_CHECK(::pipe(ends) == 0 && ::pipe(begun) == 0);
    reader = Fd(ends[0]);
    Fd has_begun(begun[0]);
    pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      writer_ = ends[1];
      pthread_t thread;
      ::pthread_create(&thread, nullptr, sleep_in_vfork, &begun[1]);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    ::close(begun[1]);
    GEIST_CHECK(::read(has_begun.get(), &child, sizeof child) == sizeof child);
    while (find_asleep() == 0) ::usleep(1000);
  }
  ~Sleeper() {
    ::kill(child, SIGKILL);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  void wake() { ::kill(child, SIGKILL); }
  bool has_woken(int patience_ms) const {
    pollfd byte{reader.get(), POLLIN, 0};
    return ::poll(&byte, 1, patience_ms) == 1;
  }
  int find_asleep() const {
    for (int tid : threads_of(pid)) {
      if (find_thread_state(pid, tid) == 'D') return tid;
    }
    return 0;
  }

  int pid = 0;
  int child = 0;
  Fd reader;

 private:
  static int sleep_until_killed(void* begun) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int self = ::getpid();
    (void)!::write(*static_cast<int*>(begun), &self, sizeof self);
    for (;;) ::pause();
  }
  static void* sleep_in_vfork(void* begun) {
    // The sanitizers make a fork of vfork().
    alignas(16) static char stack[1 << 16];
    GEIST_CHECK(::clone(sleep_until_killed, stack + sizeof stack, CLONE_VFORK | SIGCHLD, begun) >
                0);
    (void)!::write(writer_, "x", 1);
    return nullptr;
  }
  static inline int writer_ = -1;
};

TEST(Freeze, AThreadThatCannotBeWokenHoldsNobodyUp) {
  Sleeper sleeper;
  auto tracer = Tracer::start();
  ASSERT_TRUE(tracer.ok());
  const Clock::time_point begin = Clock::now();
  {
    auto frozen = FrozenProcess::freeze(*tracer.value(), sleeper.pid);
    ASSERT_TRUE(frozen.ok()) << frozen.error().message();
    EXPECT_LT(seconds_since(begin), 2.5);  // 3 s is the patience with one that runs
    // Two, and what a sanitizer has started.
    ASSERT_EQ(frozen->threads().size(), threads_of(sleeper.pid).size());
    const int asleep = sleeper.find_asleep();
    for (const FrozenThread& thread : frozen->threads()) {
      EXPECT_EQ(thread.is_asleep, thread.tid == asleep);
      EXPECT_NE(thread.registers.rsp, 0u);
      EXPECT_NE(thread.registers.rip, 0u);
    }
    EXPECT_EQ(frozen->find_awake(), sleeper.pid);
    sleeper.wake();
    EXPECT_FALSE(sleeper.has_woken(100)) << "it ran while the process was frozen";
  }
  EXPECT_TRUE(sleeper.has_woken(5000));
}

TEST(Freeze, AThreadThatSleepsOnIsLetGoWhenItWakes) {
  Sleeper sleeper;
  auto tracer = Tracer::start();
  ASSERT_TRUE(tracer.ok());
  for (int round = 0; round < 3; ++round) {
    auto frozen = FrozenProcess::freeze(*tracer.value(), sleeper.pid);
    ASSERT_TRUE(frozen.ok()) << frozen.error().message();
    EXPECT_EQ(frozen->threads().size(), threads_of(sleeper.pid).size());
  }
  sleeper.wake();
  EXPECT_TRUE(sleeper.has_woken(5000));
}

TEST(Freeze, NothingIsLeftBehindByATracerThatEnds) {
  Sleeper sleeper;
  {
    auto tracer = Tracer::start();
    ASSERT_TRUE(tracer.ok());
    auto frozen = FrozenProcess::freeze(*tracer.value(), sleeper.pid);
    ASSERT_TRUE(frozen.ok());
  }
  sleeper.wake();
  EXPECT_TRUE(sleeper.has_woken(5000));
}

}  // namespace
}  // namespace geist::process
