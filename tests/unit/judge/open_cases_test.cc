// What the judge keeps in a run of days: no more cases than there is room for.
#include "judge/open_cases.h"

#include <gtest/gtest.h>

#include "fake_case.h"

namespace geist::judge {
namespace {

std::unique_ptr<Case> make_case(u64 number) {
  return std::make_unique<FakeCase>(number, u16{1}, FakeCase::Wish{});
}

TEST(OpenCases, TheOldestMakesRoomAndIsGone) {
  OpenCases cases(3);
  for (u64 i = 1; i <= 3; ++i) EXPECT_EQ(cases.add(make_case(i)), nullptr);
  for (u64 i = 4; i <= 1000; ++i) {
    const std::unique_ptr<Case> oldest = cases.add(make_case(i));
    ASSERT_NE(oldest, nullptr);
    EXPECT_EQ(oldest->number(), i - 3);
    EXPECT_EQ(cases.size(), 3u);
  }
}

TEST(OpenCases, WhatIsOverIsForgotten) {
  OpenCases cases(100);
  for (u64 i = 1; i <= 10; ++i) (void)cases.add(make_case(i));
  cases.forget_if([](const Case& c) { return c.number() % 2 == 0; });
  EXPECT_EQ(cases.size(), 5u);
  for (const std::unique_ptr<Case>& c : cases) EXPECT_EQ(c->number() % 2, 1u);
}

}  // namespace
}  // namespace geist::judge
