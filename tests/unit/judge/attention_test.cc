// What one detector has used of the judge's time is no other's loss.
#include "judge/attention.h"

#include <gtest/gtest.h>

namespace geist::judge {
namespace {

constexpr u32 kLists = 101, kRings = 102;
constexpr double kGrace = 1, kShare = 0.1;

TEST(Attention, OneDetectorMayUseAll) {
  Attention attention(kGrace, kShare);
  attention.admit(kLists, 7);
  attention.charge(kLists, 0.5);
  for (double used : {0.5, 1.9, 2.1}) {
    const Attention::Now now{.passed_s = 10, .used_s = used};  // of 2 s
    EXPECT_EQ(attention.may_spend(kLists, now, 0.05), attention.may_spend(now, 0.05)) << used;
  }
}

TEST(Attention, WhoUsesAllDoesNotStarveTheOther) {
  Attention attention(kGrace, kShare);
  attention.admit(kLists, 3);
  attention.admit(kRings, 1);
  attention.charge(kLists, 1.6);
  const Attention::Now now{.passed_s = 10, .used_s = 1.6};  // of 2 s: 1.5 for lists, 0.5 for rings
  EXPECT_FALSE(attention.may_spend(kLists, now, 0));
  EXPECT_TRUE(attention.may_spend(kRings, now, 0.4));
  EXPECT_FALSE(attention.may_spend(kRings, now, 0.6));
  // Neither when lists has gone beyond all there is.
  attention.charge(kLists, 1);
  EXPECT_TRUE(attention.may_spend(kRings, {.passed_s = 10, .used_s = 2.6}, 0.4));
}

TEST(Attention, WhatIsNobodysIsBorneByAll) {
  Attention attention(kGrace, kShare);
  attention.admit(kLists, 1);
  attention.admit(kRings, 1);
  const Attention::Now now{.passed_s = 10, .used_s = 1.8};  // heartbeats, all of it
  EXPECT_TRUE(attention.may_spend(kLists, now, 0.05));
  EXPECT_FALSE(attention.may_spend(kRings, now, 0.15));
}

TEST(Attention, AStrangerHasNone) {
  Attention attention(kGrace, kShare);
  attention.admit(kLists, 1);
  EXPECT_FALSE(attention.may_spend(kRings, {}, 0));
}

}  // namespace
}  // namespace geist::judge
