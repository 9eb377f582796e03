// What a run shows at the place of a difference that another one has.
#include "prove/experiment.h"

#include <gtest/gtest.h>

namespace geist::prove {
namespace {

Outcome said(const std::string& out, int code = 0) {
  Outcome outcome;
  outcome.out = out;
  outcome.code = code;
  return outcome;
}

TEST(Experiment, ALineIsHeldAtItsPlace) {
  Difference d{"stdout", 2, "right", "wrong", {}};
  EXPECT_TRUE(shows_plain(said("a\nright\nb\n"), d));
  EXPECT_TRUE(shows_change(said("a\nwrong\nother\n"), d));
  EXPECT_FALSE(shows_change(said("wrong\nright\n"), d));
  EXPECT_FALSE(shows_plain(said("a\n"), d));
  d.line = 0;  // the order is not fixed
  EXPECT_TRUE(shows_change(said("wrong\nright\n"), d));
}

TEST(Experiment, VerdictsAndEndsAreHeld) {
  Difference test{"test TestA/b", 0, "PASS", "FAIL", {}};
  EXPECT_TRUE(shows_plain(said("--- PASS: TestA (0.00s)\n    --- PASS: TestA/b (0.00s)\n"), test));
  EXPECT_TRUE(shows_change(said("--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n"), test));
  EXPECT_FALSE(shows_change(said("nothing was run\n"), test));
  test.healed = "none";  // it ended before
  EXPECT_TRUE(shows_change(said("panic: out of range\n"), test));
  Difference exit{"exit", 0, "exit status 0", "exit status 3", {}};
  EXPECT_TRUE(shows_change(said("", 3), exit));
  EXPECT_TRUE(shows_plain(said("", 0), exit));
  EXPECT_FALSE(shows_plain(said("", 4), exit));
}

TEST(Experiment, WhatWasStoppedShowsNothing) {
  Outcome stopped = said("wrong\n");
  stopped.timed_out = true;
  EXPECT_FALSE(shows_change(stopped, {"stdout", 1, "right", "wrong", {}}));
}

TEST(Baseline, EachChangedTestIsNamed) {
  const Baseline baseline(
      {said("--- PASS: TestA (0.00s)\n    --- PASS: TestA/b (0.00s)\n"
            "    --- PASS: TestA/c (0.00s)\n--- PASS: TestB (0.00s)\n"
            "--- FAIL: TestC (0.00s)\n")});
  const std::vector<Difference> changed =
      baseline.changed_tests(said("--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n"
                                  "    --- PASS: TestA/c (0.00s)\n--- PASS: TestC (0.00s)\n"));
  ASSERT_EQ(changed.size(), 3u);
  EXPECT_EQ(changed[0].what, "test TestA/b");
  EXPECT_EQ(changed[1].what, "test TestB");
  EXPECT_EQ(changed[1].healed, "none");
  EXPECT_EQ(changed[2].what, "test TestC");
  EXPECT_EQ(changed[2].healed, "PASS");
}

}  // namespace
}  // namespace geist::prove
