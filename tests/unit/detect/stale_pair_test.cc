// The order of writes and reads on the two sides of a growth, and the event that it begins with.
#include <gtest/gtest.h>

#include <memory>

#include "detect/stale/pair.h"
#include "detect/stale/stale_case.h"

namespace geist::detect::stale {
namespace {

Pair pair() {
  Pair p(TargetAddr(0x1000), 8, 7);
  p.move_to(TargetAddr(0x2000));
  return p;
}

TEST(StalePair, AnUpdateOfTheOldSideIsLostToReadersOfTheNewOne) {
  Pair p = pair();
  EXPECT_FALSE(p.read(Side::kNew).has_value());
  EXPECT_TRUE(p.write(Side::kOld, 8, false));
  EXPECT_FALSE(p.read(Side::kOld).has_value());
  EXPECT_EQ(p.read(Side::kNew), Loss::kUpdate);
  EXPECT_FALSE(p.was_written_whole());
}

TEST(StalePair, WhatTheOldSideShowsIsStale) {
  Pair p = pair();
  EXPECT_TRUE(p.write(Side::kNew, 8, true));
  EXPECT_FALSE(p.read(Side::kNew).has_value());
  EXPECT_EQ(p.read(Side::kOld), Loss::kStale);
  EXPECT_TRUE(p.was_written_whole());
}

TEST(StalePair, AWriteThatChangesNothingIsNone) {
  Pair p = pair();
  EXPECT_FALSE(p.write(Side::kOld, 7, false));
  EXPECT_FALSE(p.read(Side::kNew).has_value());
}

TEST(StalePair, WrittenBackItIsAsItWas) {
  Pair p = pair();
  p.write(Side::kOld, 8, false);
  p.write(Side::kOld, 7, false);
  EXPECT_FALSE(p.read(Side::kNew).has_value());
}

TEST(StalePair, WhenBothWereWrittenEachShowsItsOwn) {
  Pair p = pair();
  p.write(Side::kOld, 8, false);
  p.write(Side::kNew, 9, false);
  EXPECT_FALSE(p.read(Side::kOld).has_value());
  EXPECT_FALSE(p.read(Side::kNew).has_value());
  EXPECT_TRUE(p.is_over());
}

TEST(StaleEvent, HasAllOldElementsAndTheStackOfTheCaller) {
  Place place;
  place.site.site.elem_size = 16;
  const auto e = std::make_unique<abi::Event>();
  e->append = {.old_ptr = 0x1000,
               .new_len = 2,
               .cap = 3,
               .num = 2,
               .elem_size = 16,
               .dest = 0x1000,
               .dest_size = 32};
  EXPECT_TRUE(StaleCase::fits(*e, place));
  e->regs[x86::kRsp] = 0x7000;
  e->stack_size = 16;
  for (u8 i = 0; i < 16; ++i) e->stack[i] = i;
  StaleCase::prepare(*e);
  EXPECT_EQ(e->regs[x86::kRsp], 0x7008u);
  EXPECT_EQ(e->stack_size, 8u);
  EXPECT_EQ(e->stack[0], 8);
}

TEST(StaleEvent, WhatDoesNotHoldTogetherDoesNotFit) {
  Place place;
  const auto e = std::make_unique<abi::Event>();
  e->append = {.old_ptr = 0x1000,
               .new_len = 2,
               .cap = 3,
               .num = 2,
               .elem_size = 16,
               .dest = 0x1000,
               .dest_size = 32};
  EXPECT_TRUE(StaleCase::fits(*e, place));
  place.site.site.elem_size = 8;
  EXPECT_FALSE(StaleCase::fits(*e, place));
  place.site.site.elem_size = 0;
  e->append.cap = 1;
  EXPECT_FALSE(StaleCase::fits(*e, place));
  e->append.cap = 3;
  e->append.dest = 0x1010;
  EXPECT_FALSE(StaleCase::fits(*e, place));
}

}  // namespace
}  // namespace geist::detect::stale
