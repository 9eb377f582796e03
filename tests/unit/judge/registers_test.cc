// The four debug registers among cases of two made-up detectors, on this process.
#include "judge/registers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "fake_case.h"

namespace geist::judge {
namespace {

constexpr u16 kLists = 101, kRings = 102;

alignas(8) volatile u64 words[8];

TargetAddr word(usize i) {
  return TargetAddr(reinterpret_cast<u64>(&words[i]));
}

class RegistersTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!watcher.start()) GTEST_SKIP() << "no hardware watches here: " << watcher.why_not();
  }
  // As the desk does it.
  bool take(FakeCase& c) {
    registers.give_way_to(c);
    registers.make_room(*c.rank(), [] {});
    registers.give_up_words(c);
    if (registers.free_words() == 0) return false;
    registers.begin(c, *c.rank());
    if (c.watch(registers)) return true;
    registers.drop(c);
    return false;
  }
  static FakeCase::Wish wish(int rank, std::vector<TargetAddr> wanted, u64 writes = 0) {
    return {rank, std::move(wanted), {TargetAddr(writes), TargetAddr(writes + 8)}};
  }

  process::Watcher watcher{::getpid()};
  Registers registers{watcher};
};

TEST_F(RegistersTest, WhoPromisesMoreTakesThemFromAnotherDetector) {
  FakeCase poor(1, kLists, wish(4, {word(0), word(1), word(2), word(3)}, 0x1000));
  FakeCase rich(2, kRings, wish(20, {word(4), word(5)}, 0x2000));
  ASSERT_TRUE(take(poor));
  ASSERT_TRUE(take(rich));
  EXPECT_EQ(poor.ended_early, true);
  EXPECT_FALSE(registers.has(poor));
  EXPECT_EQ(rich.words.size(), 2u);
  EXPECT_FALSE(registers.watches(word(0)));
  EXPECT_TRUE(registers.watches(rich, word(4)));
}

TEST_F(RegistersTest, AWatchGoesOnWithWhatIsWrittenAgainWhereItIs) {
  FakeCase first(1, kLists, wish(20, {word(0)}, 0x1000));
  FakeCase again(2, kLists, wish(20, {word(0)}, 0x1000));
  FakeCase elsewhere(3, kLists, wish(20, {word(1)}, 0x2000));
  ASSERT_TRUE(take(first));
  EXPECT_FALSE(registers.go_on_with(again));
  first.goes_on = true;
  EXPECT_TRUE(registers.go_on_with(again));
  EXPECT_FALSE(registers.go_on_with(elsewhere));
  EXPECT_TRUE(registers.has(first));
}

TEST_F(RegistersTest, WhoPromisesLessGetsWhatTheOtherCanSpare) {
  FakeCase rich(1, kLists, wish(20, {word(0), word(1), word(2), word(3)}, 0x1000));
  FakeCase poor(2, kRings, wish(4, {word(4), word(5), word(6)}, 0x2000));
  ASSERT_TRUE(take(rich));
  ASSERT_TRUE(take(poor));
  EXPECT_FALSE(rich.ended_early.has_value());
  EXPECT_EQ(rich.words.size(), 2u);
  EXPECT_EQ(poor.words.size(), 2u);
  EXPECT_EQ(registers.free_words(), 0u);
}

TEST_F(RegistersTest, NothingIsTakenFromACaseThatCanSpareNothing) {
  FakeCase first(1, kLists, wish(20, {word(0)}, 0x1000));
  FakeCase second(2, kLists, wish(20, {word(1)}, 0x2000));
  FakeCase third(3, kRings, wish(20, {word(2)}, 0x3000));
  FakeCase fourth(4, kRings, wish(20, {word(3)}, 0x4000));
  for (FakeCase* c : {&first, &second, &third, &fourth}) ASSERT_TRUE(take(*c));
  FakeCase late(5, kRings, wish(20, {word(4)}, 0x5000));
  EXPECT_FALSE(take(late));
  for (FakeCase* c : {&first, &second, &third, &fourth}) EXPECT_TRUE(registers.has(*c));
  FakeCase idle_is_sent_away(6, kRings, wish(20, {word(4)}, 0x6000));
  first.idle = true;
  EXPECT_TRUE(take(idle_is_sent_away));
  EXPECT_EQ(first.ended_early, true);
}

// A case is about its own number's site here.
TEST_F(RegistersTest, AHeaderThatIsCopiedTakesFromTheYoungestOfItsSite) {
  FakeCase first(1, kLists, wish(20, {word(0)}, 0x1000));
  FakeCase second(1, kLists, wish(20, {word(1)}, 0x2000));
  FakeCase youngest(1, kLists, wish(20, {word(2)}, 0x3000));
  FakeCase stranger(2, kLists, wish(20, {word(3)}, 0x4000));
  for (FakeCase* c : {&first, &second, &youngest, &stranger}) ASSERT_TRUE(take(*c));
  EXPECT_TRUE(registers.take_from_sibling(first));
  EXPECT_EQ(youngest.ended_early, true);
  EXPECT_EQ(registers.free_words(), 1u);
  EXPECT_TRUE(registers.has(second));
  EXPECT_FALSE(registers.take_from_sibling(stranger));
}

// Whatever it promises: the memory shows the earlier change no longer.
TEST_F(RegistersTest, WhatWillBeOverwrittenAgainGivesWay) {
  FakeCase earlier(1, kLists, wish(30, {word(0)}, 0x1000));
  FakeCase later(2, kRings, wish(1, {word(1)}, 0x1004));
  ASSERT_TRUE(take(earlier));
  ASSERT_TRUE(take(later));
  EXPECT_EQ(earlier.ended_early, true);
  EXPECT_TRUE(registers.has(later));
}

// Of a part of it the rest stays, as long as the later one has room.
TEST_F(RegistersTest, WhatIsOverwrittenInPartGivesWayInPart) {
  FakeCase earlier(1, kLists, wish(20, {word(0), word(1), word(2)}, 0x1000));
  earlier.stays = true;
  FakeCase later(2, kLists, wish(20, {word(3), word(4)}, 0x1004));
  ASSERT_TRUE(take(earlier));
  ASSERT_TRUE(take(later));
  EXPECT_FALSE(earlier.ended_early.has_value());
  EXPECT_EQ(earlier.words.size(), 2u);
  EXPECT_EQ(later.words.size(), 2u);
  FakeCase last(3, kLists, wish(20, {word(5), word(6)}, 0x1004));
  ASSERT_TRUE(take(last));
  EXPECT_EQ(later.ended_early, true);
  EXPECT_EQ(last.words.size(), 2u);
}

TEST_F(RegistersTest, AWordOfTwoCasesTakesOneRegister) {
  FakeCase one(1, kLists, wish(20, {word(0)}, 0x1000));
  FakeCase other(2, kRings, wish(20, {word(0)}, 0x2000));
  ASSERT_TRUE(take(one));
  ASSERT_TRUE(take(other));
  EXPECT_EQ(registers.free_words(), 3u);
  registers.end(one);
  EXPECT_TRUE(registers.watches(word(0)));
  registers.end(other);
  EXPECT_FALSE(registers.watches(word(0)));
}

TEST_F(RegistersTest, AWatchMovesWithItsHeader) {
  FakeCase c(1, kLists, wish(20, {word(0)}, 0x1000));
  ASSERT_TRUE(take(c));
  EXPECT_TRUE(registers.move(c, word(0), word(5), 8, false));
  EXPECT_TRUE(registers.watches(c, word(5)));
  EXPECT_FALSE(registers.watches(word(0)));
  words[5] = 1;
  words[0] = 1;
  const auto samples = watcher.drain();
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].word, word(5));
}

}  // namespace
}  // namespace geist::judge
