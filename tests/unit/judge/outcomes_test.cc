// The findings of all detectors: the strongest of each, once.
#include "judge/outcomes.h"

#include <gtest/gtest.h>

namespace geist::judge {
namespace {

using findings::Level;

findings::Finding finding(std::string rule, Level level, u64 count = 1) {
  findings::Finding f;
  f.rule = std::move(rule);
  f.level = level;
  f.count = count;
  f.pc = "0x1";
  return f;
}

TEST(Outcomes, OnlyWhatIsStrongerIsDescribedAgain) {
  Outcomes outcomes;
  int described = 0;
  auto record = [&](Level level) {
    outcomes.record({1, 0, 5}, level, [&] {
      ++described;
      return finding("GB001", level);
    });
  };
  record(Level::kSuspect);
  record(Level::kSuspect);
  record(Level::kConfirmed);
  record(Level::kLikely);
  EXPECT_EQ(described, 2);
  EXPECT_EQ(outcomes.revision(), 2u);
  ASSERT_EQ(outcomes.merged().size(), 1u);
  EXPECT_EQ(outcomes.merged()[0].level, Level::kConfirmed);
  EXPECT_TRUE(outcomes.is_confirmed(5));
  EXPECT_FALSE(outcomes.is_confirmed(6));
}

TEST(Outcomes, TwoRulesAtOnePlaceAreTwoFindings) {
  Outcomes outcomes;
  outcomes.record({1, 0, 5}, Level::kLikely, [] { return finding("GB001", Level::kLikely); });
  outcomes.record({2, 0, 6}, Level::kConfirmed, [] { return finding("GB003", Level::kConfirmed); });
  ASSERT_EQ(outcomes.merged().size(), 2u);
  EXPECT_EQ(outcomes.merged()[0].rule, "GB003");  // the strongest first
}

TEST(Outcomes, OnePlaceAndVictimIsOneFindingWithAllCounts) {
  Outcomes outcomes;
  outcomes.record({1, 0, 5}, Level::kSuspect, [] { return finding("GB001", Level::kSuspect, 3); });
  outcomes.record({2, 0, 6}, Level::kLikely, [] { return finding("GB001", Level::kLikely, 4); });
  outcomes.count_up(6, 10);
  ASSERT_EQ(outcomes.merged().size(), 1u);
  EXPECT_EQ(outcomes.merged()[0].level, Level::kLikely);
  EXPECT_EQ(outcomes.merged()[0].count, 13u);
}

TEST(Outcomes, WhatThereIsNoRoomForIsCounted) {
  Outcomes outcomes;
  for (u64 i = 0; i < 2005; ++i)
    outcomes.record({i, 0, i}, Level::kLikely, [] { return finding("GB001", Level::kLikely); });
  EXPECT_EQ(outcomes.left_out(), 5u);
}

}  // namespace
}  // namespace geist::judge
