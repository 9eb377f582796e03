// What varies between plain runs is never a difference, what does not vary always is.
#include "prove/baseline.h"

#include <gtest/gtest.h>

namespace geist::prove {
namespace {

Outcome run_with(std::string out, int code = 0, std::string err = "") {
  Outcome outcome;
  outcome.out = std::move(out);
  outcome.err = std::move(err);
  outcome.code = code;
  return outcome;
}

std::optional<Difference> compare(std::vector<std::string> plain, const std::string& healed) {
  std::vector<Outcome> runs;
  for (std::string& out : plain) runs.push_back(run_with(std::move(out)));
  return Baseline(std::move(runs)).find_difference(run_with(healed));
}

TEST(Baseline, EqualRunsAreComparedToTheByte) {
  EXPECT_FALSE(compare({"a\nb\n", "a\nb\n"}, "a\nb\n"));
  std::optional<Difference> d = compare({"a\nWRONG\n", "a\nWRONG\n"}, "a\nOK\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->what, "stdout");
  EXPECT_EQ(d->line, 2);
  EXPECT_EQ(d->plain, "WRONG");
  EXPECT_EQ(d->healed, "OK");
  EXPECT_EQ(d->diff, (std::vector<std::string>{"  a", "- WRONG", "+ OK"}));
  EXPECT_TRUE(compare({"a\n", "a\n"}, "a"));
  EXPECT_TRUE(compare({"a\n", "a\n"}, "a\nb\n"));
  EXPECT_TRUE(compare({"a\nb\n", "a\nb\n"}, "a\n"));
}

TEST(Baseline, TimesAddressesAndPortsAreLeftOut) {
  std::vector<std::string> plain{"took 1.5ms at 0xc0001 on 127.0.0.1:4001\n",
                                 "took 12ms at 0xc00ff on 127.0.0.1:39\n"};
  EXPECT_FALSE(compare(plain, "took 7s at 0xdead on 127.0.0.1:8\n"));
  EXPECT_TRUE(compare(plain, "needed 7s at 0xdead on 127.0.0.1:8\n"));
  EXPECT_TRUE(compare(plain, "took 7s at 0xdead on 127.0.0.1:8 twice\n"));
}

TEST(Baseline, LinesInAnyOrderAreASet) {
  std::vector<std::string> plain{"b 2\na 1\n", "a 1\nb 2\n"};
  EXPECT_FALSE(compare(plain, "a 1\nb 2\n"));
  std::optional<Difference> d = compare(plain, "b 3\na 1\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->line, 0);
  EXPECT_EQ(d->plain, "b 2");
  EXPECT_EQ(d->healed, "b 3");
}

TEST(Baseline, WhatIsNeverTheSameIsNotCompared) {
  std::vector<Outcome> runs{run_with("a\n"), run_with("b\nc\n")};
  Baseline baseline(std::move(runs));
  EXPECT_FALSE(baseline.find_difference(run_with("something else\n")));
  EXPECT_EQ(baseline.unstable(), std::vector<std::string>{"stdout"});
  EXPECT_TRUE(baseline.find_difference(run_with("a\n", 1)));
}

TEST(Baseline, ALaterPlainRunTakesADifferenceAway) {
  Baseline baseline({run_with("heads\n"), run_with("heads\n")});
  EXPECT_TRUE(baseline.find_difference(run_with("tails\n")));
  baseline.add(run_with("tails\n"));
  EXPECT_FALSE(baseline.find_difference(run_with("tails\n")));
}

TEST(Baseline, ExitStatusAndSignal) {
  Outcome killed = run_with("", 134);
  killed.signal = 6;
  Baseline baseline({killed, killed});
  std::optional<Difference> d = baseline.find_difference(run_with("", 0));
  ASSERT_TRUE(d);
  EXPECT_EQ(d->what, "exit");
  EXPECT_EQ(d->plain, "killed by SIGABRT");
  EXPECT_EQ(d->healed, "exit status 0");
  EXPECT_FALSE(Baseline({run_with("", 1), run_with("", 2)}).find_difference(run_with("", 0)));
}

TEST(Baseline, ARunThatWasStoppedSaysNothing) {
  Outcome stopped = run_with("half");
  stopped.timed_out = true;
  EXPECT_FALSE(Baseline({run_with("whole\n"), run_with("whole\n")}).find_difference(stopped));
}

TEST(Baseline, WatchedFiles) {
  Outcome plain = run_with("");
  plain.files["out.txt"] = "1\n";
  Outcome healed = plain;
  healed.files["out.txt"] = std::nullopt;
  Baseline baseline({plain, plain});
  EXPECT_FALSE(baseline.find_difference(plain));
  std::optional<Difference> d = baseline.find_difference(healed);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->what, "file out.txt");
}

TEST(Verdicts, OfTestBinariesAndJsonStreams) {
  EXPECT_EQ(
      read_verdicts(
          "=== RUN   TestA\n--- FAIL: TestA (0.00s)\n    --- PASS: TestA/one (0.00s)\nFAIL\n"),
      (std::map<std::string, std::string>{{"TestA", "FAIL"}, {"TestA/one", "PASS"}}));
  EXPECT_EQ(read_verdicts("{\"Action\":\"run\",\"Test\":\"TestB\"}\n{\"Action\":\"pass\",\"Test\":"
                          "\"TestB\"}\n{\"broken\n"),
            (std::map<std::string, std::string>{{"TestB", "PASS"}}));
  EXPECT_TRUE(read_verdicts("no tests here\n").empty());
}

TEST(Verdicts, OfASubtestSayMoreThanOfItsTest) {
  std::optional<Difference> d =
      compare({"--- FAIL: TestA (0.01s)\n    --- FAIL: TestA/b (0.01s)\n--- FAIL: TestB (0.00s)\n"},
              "--- PASS: TestA (0.01s)\n    --- PASS: TestA/b (0.01s)\n--- PASS: TestB (0.00s)\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->what, "test TestA/b");
}

// A healed run may be slower each time, and that proves nothing.
TEST(Verdicts, TheirTimesAreNotCompared) {
  EXPECT_EQ(without_test_times("x (0.00s)\n    --- PASS: TestA/b (0.01s)\n--- SKIP: TestC (1.00s)"),
            "x (0.00s)\n    --- PASS: TestA/b\n--- SKIP: TestC");
  EXPECT_FALSE(compare({"--- PASS: TestA (0.00s)\n", "--- PASS: TestA (0.00s)\n"},
                       "--- PASS: TestA (0.02s)\n"));
}

TEST(Verdicts, ComeBeforeTheTextAroundThem) {
  std::optional<Difference> d =
      compare({"x 1\n--- FAIL: TestA (0.01s)\n", "x 2\n--- FAIL: TestA (0.02s)\n"},
              "x 3\n--- PASS: TestA (0.00s)\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->what, "test TestA");
  EXPECT_EQ(d->plain, "FAIL");
  EXPECT_EQ(d->healed, "PASS");
}

}  // namespace
}  // namespace geist::prove
