// The watcher on this process: what it sees of a word of the test's own thread, and what a word
// that is accessed all the time may cost.
#include "process/watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace geist::process {
namespace {

alignas(8) volatile u64 watched_word = 0;

TargetAddr address_of(const volatile u64& word) {
  return TargetAddr(reinterpret_cast<u64>(&word));
}

class Watching : public testing::Test {
 protected:
  void SetUp() override {
    if (!watcher.start()) GTEST_SKIP() << "no hardware watches here: " << watcher.why_not();
    ASSERT_TRUE(watcher.add(address_of(watched_word), 8, false));
  }
  void access(u64 times) {
    for (u64 i = 0; i < times; ++i) watched_word = i;
  }
  Watcher watcher{::getpid()};
};

TEST_F(Watching, FewAccessesAreAllSeen) {
  for (int round = 1; round <= 20; ++round) {
    access(10);
    EXPECT_EQ(watcher.drain().size(), 10u) << round;
    EXPECT_EQ(watcher.all_samples(), 10u * static_cast<u64>(round));
  }
  EXPECT_EQ(watcher.lost_samples(), 0u);
}

// A loop over the word is not stopped more often than its samples have room: 100000 stops take a
// second.
TEST_F(Watching, AWordInALoopIsDisarmedAndItsLossTold) {
  constexpr u64 kTimes = 100000, kMost = 40;
  access(kTimes);
  const usize seen = watcher.drain().size();
  EXPECT_GT(seen, 0u);
  EXPECT_LE(seen, kMost);
  EXPECT_EQ(watcher.lost_samples(), 0u);  // up to here all were seen
  EXPECT_TRUE(watcher.note_unseen());
  EXPECT_EQ(watcher.lost_samples(), 1u);
  EXPECT_FALSE(watcher.note_unseen());
}

// What another word was used for after the first was disarmed may have come after something that
// was not seen.
TEST_F(Watching, SamplesEndWhereAWordWasDisarmed) {
  static volatile u64 other_word = 0;
  ASSERT_TRUE(watcher.add(address_of(other_word), 8, false));
  other_word = 1;
  access(1000);
  other_word = 2;
  const std::vector<WatchSample> samples = watcher.drain();
  ASSERT_GT(samples.size(), 1u);
  EXPECT_EQ(samples.front().word, address_of(other_word));
  EXPECT_EQ(samples.back().word, address_of(watched_word));
  EXPECT_TRUE(watcher.note_unseen());
  other_word = 3;
  EXPECT_EQ(watcher.drain().size(), 1u);
  EXPECT_FALSE(watcher.note_unseen());
}

TEST_F(Watching, WhatWasDisarmedIsWatchedAgainAfterALook) {
  access(1000);
  (void)watcher.drain();
  (void)watcher.note_unseen();
  const u64 lost = watcher.lost_samples();
  access(3);
  EXPECT_EQ(watcher.drain().size(), 3u);
  EXPECT_FALSE(watcher.note_unseen());
  EXPECT_EQ(watcher.lost_samples(), lost);
}

// One ring serves all words: what fills it may hide that another word was disarmed.
TEST_F(Watching, AWordWhoseSamplesFoundNoRoomIsWatchedAgain) {
  static volatile u64 other_word = 0;
  ASSERT_TRUE(watcher.add(address_of(other_word), 8, false));
  access(25);
  for (u64 i = 0; i < 100; ++i) other_word = i;
  (void)watcher.drain();
  EXPECT_TRUE(watcher.note_unseen());
  other_word = 1;
  access(1);
  EXPECT_EQ(watcher.drain().size(), 2u);
}

// Each sample copies the stack, and every watched byte in the copy traps: that is charged, too.
TEST_F(Watching, WatchedBytesOnTheStackAreCharged) {
  Watcher charged(::getpid(), SampleCost{.sample_s = 1, .stack_byte_s = 0.25});
  ASSERT_TRUE(charged.start());
  static volatile u64 elsewhere = 0;
  ASSERT_TRUE(charged.add(address_of(elsewhere), 8, false));
  for (u64 i = 0; i < 10; ++i) elsewhere = i;
  EXPECT_EQ(charged.drain().size(), 10u);
  EXPECT_EQ(charged.seconds(), 10.0);
  alignas(8) volatile u64 on_stack = 0;
  ASSERT_TRUE(charged.add(address_of(on_stack), 8, true));
  for (u64 i = 0; i < 10; ++i) elsewhere = i;
  EXPECT_EQ(charged.drain().size(), 10u);
  EXPECT_EQ(charged.seconds(), 10.0 + 10 * (1 + 8 * 0.25));
  charged.remove(address_of(on_stack));
}

// The same by what is measured here.
TEST_F(Watching, WhatASampleCostsIsMeasured) {
  access(10);
  (void)watcher.drain();
  const double elsewhere = watcher.seconds();
  EXPECT_GT(elsewhere, 0);
  alignas(8) volatile u64 on_stack = 0;
  ASSERT_TRUE(watcher.add(address_of(on_stack), 8, true));
  access(10);
  EXPECT_EQ(watcher.drain().size(), 10u);
  EXPECT_GT(watcher.seconds(), 2 * elsewhere);
  watcher.remove(address_of(on_stack));
}

// One byte of a word is enough to see all of it used.
TEST_F(Watching, AWatchedByteSeesItsWordUsed) {
  alignas(8) volatile u64 on_stack = 0;
  ASSERT_TRUE(watcher.add(address_of(on_stack), 1, true));
  on_stack = 1;
  (void)on_stack;
  EXPECT_EQ(watcher.drain().size(), 2u);
  watcher.remove(address_of(on_stack));
}

TEST_F(Watching, AWordThatIsGivenUpStopsNobody) {
  access(5);
  watcher.remove(address_of(watched_word));
  access(5);
  EXPECT_EQ(watcher.drain().size(), 5u);
  EXPECT_FALSE(watcher.note_unseen());
}

usize count_descriptors() {
  usize count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

TEST_F(Watching, ThreadsThatHaveEndedAreForgotten) {
  const usize before = count_descriptors();
  constexpr u64 kThreads = 40;
  u64 seen = 0;
  for (u64 i = 0; i < kThreads; ++i) {
    std::atomic<bool> is_watched = false, is_done = false;
    std::thread other([&] {
      while (!is_watched) std::this_thread::yield();
      access(2);
      is_done = true;
    });
    watcher.refresh();
    is_watched = true;
    other.join();
    watcher.refresh();
    seen += watcher.drain().size();
  }
  EXPECT_EQ(seen, 2 * kThreads);  // what they did in their last moments, too
  // One that is about to end is still listed for a moment after it was joined, and may be met again.
  EXPECT_GE(watcher.late_threads(), kThreads);
  EXPECT_LE(watcher.late_threads(), 2 * kThreads);
  EXPECT_LE(count_descriptors(), before + 4);
}

// The next thread that starts gets this number; false where that may not be asked for.
bool reuse_number(int tid) {
  std::ofstream last("/proc/sys/kernel/ns_last_pid");
  last << tid - 1;
  return static_cast<bool>(last.flush());
}

TEST_F(Watching, AThreadWithTheNumberOfAnEndedOneIsWatched) {
  std::atomic<int> tid = 0;
  std::atomic<bool> is_over = false;
  std::thread first([&] {
    tid = ::gettid();
    while (!is_over) std::this_thread::yield();
  });
  while (tid == 0) std::this_thread::yield();
  watcher.refresh();
  is_over = true;
  first.join();
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (!reuse_number(tid)) GTEST_SKIP() << "thread numbers cannot be chosen here";
    std::atomic<bool> may_access = false, is_other = false;
    std::thread second([&] {
      is_other = ::gettid() != tid;
      while (!may_access) std::this_thread::yield();
      if (!is_other) access(3);
    });
    watcher.refresh();
    may_access = true;
    second.join();
    if (is_other) continue;
    EXPECT_EQ(watcher.drain().size(), 3u);
    return;
  }
  GTEST_SKIP() << "the number was taken by others each time";
}

}  // namespace
}  // namespace geist::process
