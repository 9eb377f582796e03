// Suppression files as people write them, globs against names full of brackets, and baselines.
#include "report/filter.h"

#include <gtest/gtest.h>

#include "example_report.h"

namespace geist::report {
namespace {

std::vector<Suppression> must_read(const std::string& text) {
  auto rules = read_suppressions(text);
  EXPECT_TRUE(rules.ok()) << (rules.ok() ? "" : rules.error().message());
  return rules.ok() ? std::move(rules).value() : std::vector<Suppression>();
}

TEST(Suppressions, AreReadWithTheirReasons) {
  auto rules = must_read(
      "# comment\n\n  site:echo.(*Group).add   # fixed in v2.1 "
      "\r\nvictim:*buf*#scratch\nmodule:example.com/*  # theirs");
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].kind, Suppression::Kind::kSite);
  EXPECT_EQ(rules[0].glob, "echo.(*Group).add");
  EXPECT_EQ(rules[0].reason, "fixed in v2.1");
  EXPECT_EQ(rules[1].glob, "*buf*");
  EXPECT_EQ(rules[2].kind, Suppression::Kind::kModule);
}

TEST(Suppressions, WrongLinesAreNamed) {
  auto expect_refused = [](const std::string& text, const std::string& message) {
    auto rules = read_suppressions(text);
    ASSERT_FALSE(rules.ok()) << text;
    EXPECT_NE(rules.error().message().find(message), std::string::npos) << rules.error().message();
  };
  expect_refused("site:a # ok\nsite:b", "line 2: the reason is missing");
  expect_refused("site:b #", "line 1: the reason is missing");
  expect_refused("place:b # x", "line 1: expected site:GLOB");
  expect_refused("site: # x", "the GLOB is missing");
  expect_refused("nonsense", "expected site:GLOB");
  expect_refused(std::string("\xff\x00", 2), "expected site:GLOB");
}

TEST(Glob, KnowsStarAndQuestionMarkOnly) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*c", "abbbc"));
  EXPECT_TRUE(matches_glob("a?c", "abc"));
  EXPECT_TRUE(matches_glob("*.(*Group).*", "echo.(*Group).add"));
  EXPECT_TRUE(matches_glob("x[...]", "x[...]"));
  EXPECT_TRUE(matches_glob("*ab*ab", "abababab"));
  EXPECT_FALSE(matches_glob("a", "ab"));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_FALSE(matches_glob("a?", "a"));
  EXPECT_FALSE(matches_glob("*b", "abc"));
}

bool hides(const std::string& rule) {
  findings::Report report = example_report();
  apply_suppressions(must_read(rule + "  # reason"), &report);
  EXPECT_EQ(report.suppressed, 1 - report.findings.size());
  EXPECT_EQ(report.unused_suppressions.size(), report.findings.size());
  return report.findings.empty();
}

TEST(Suppressions, MatchSiteVictimAndModule) {
  EXPECT_TRUE(hides("site:echo.(*Group).add"));
  EXPECT_TRUE(hides("site:github.com/labstack/echo.(*Group).add"));
  EXPECT_TRUE(hides("site:echo.(*Group).add:group.go:145"));
  EXPECT_TRUE(hides("site:echo.*"));
  EXPECT_FALSE(hides("site:echo.(*Group).GET"));
  EXPECT_FALSE(hides("site:add"));
  EXPECT_TRUE(hides("victim:middleware in *"));
  EXPECT_TRUE(hides("victim:[]echo.MiddlewareFunc"));
  EXPECT_FALSE(hides("victim:other"));
  EXPECT_TRUE(hides("module:github.com/labstack/echo"));
  EXPECT_TRUE(hides("module:github.com/labstack"));
  EXPECT_TRUE(hides("module:github.com/*/echo"));
  EXPECT_FALSE(hides("module:github.com/labstack/ech"));
}

TEST(Suppressions, OfTestsHideFindingsOfThoseTestsAloneAndWhatElseChangedThere) {
  findings::Report report;
  report.findings.resize(3);
  report.findings[0].tests = {"example.com/x.TestGrowth/deep"};
  report.findings[1].tests = {"example.com/x.TestGrowth/deep", "example.com/x.TestOrders"};
  report.other_changes.resize(2);
  report.other_changes[0].test = "example.com/x.TestGrowth";
  report.other_changes[1].test = "example.com/x.TestOrders";
  apply_suppressions(must_read("test:x.TestGrowth* # asserts capacities\ntest:x.TestNone # gone\n"),
                     &report);
  ASSERT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings[0].tests.size(), 2u);
  EXPECT_EQ(report.suppressed, 1u);
  ASSERT_EQ(report.other_changes.size(), 1u);
  EXPECT_EQ(report.other_changes[0].test, "example.com/x.TestOrders");
  EXPECT_EQ(report.unused_suppressions, std::vector<std::string>{"test:x.TestNone # gone"});
}

TEST(Suppressions, ModuleOfMainIsTheMainModule) {
  findings::Report report = example_report();
  report.findings[0].append_stack = {make_frame("main.f", "", 0)};
  auto rule = must_read("module:example.com/prog # x");
  EXPECT_TRUE(matches(rule[0], report.findings[0], report.target));
}

TEST(Suppressions, RestIsNumberedAgain) {
  findings::Report report = example_report();
  report.findings.push_back(report.findings[0]);
  report.findings[1].id = 2;
  report.findings[1].append_stack[0].function = "main.other";
  apply_suppressions(must_read("site:echo.* # x"), &report);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].id, 1);
}

TEST(Baseline, HidesTheSameFingerprints) {
  findings::Report report = example_report();
  report.findings.push_back(report.findings[0]);
  report.findings[1].fingerprint = "new";
  apply_baseline(example_report(), &report);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].fingerprint, "new");
  EXPECT_EQ(report.notes, std::vector<std::string>{"1 finding of the baseline not shown"});
}

TEST(Baseline, OfAnEarlierReleaseHidesWhatItHid) {
  findings::Report baseline = example_report();
  findings::Report report = example_report();
  report.findings.push_back(report.findings[0]);
  report.findings[0].aliases = {baseline.findings[0].fingerprint};
  report.findings[0].fingerprint = "g2:1";
  report.findings[1].aliases = {"another"};
  report.findings[1].fingerprint = "g2:2";
  apply_baseline(baseline, &report);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].fingerprint, "g2:2");
}

// The file of a machine without the package's import path, or the other way round.
TEST(Baseline, KnowsAFindingByAnyOfItsNames) {
  findings::Report baseline = example_report();
  baseline.findings[0].fingerprint = "g2:full";
  baseline.findings[0].aliases = {"old", "g2:short"};
  findings::Report report = example_report();
  report.findings[0].fingerprint = "g2:short";
  apply_baseline(baseline, &report);
  EXPECT_TRUE(report.findings.empty());
}

TEST(Baseline, FindingsWithoutFingerprintAreNeverTheSame) {
  findings::Report report = example_report();
  report.findings[0].fingerprint = "";
  findings::Report baseline = report;
  apply_baseline(baseline, &report);
  EXPECT_EQ(report.findings.size(), 1u);
}

TEST(Levels, DropAndAsk) {
  findings::Report report = example_report();
  EXPECT_TRUE(has_finding(report, findings::Level::kConfirmed));
  EXPECT_FALSE(has_finding(report, findings::Level::kProved));
  drop_below(findings::Level::kProved, &report);
  EXPECT_TRUE(report.findings.empty());
}

}  // namespace
}  // namespace geist::report
