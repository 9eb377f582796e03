// Several reports as one: nothing counted twice, nothing lost.
#include "report/merge.h"

#include <gtest/gtest.h>

namespace geist::report {
namespace {

judge::Finding finding(const std::string& fingerprint, judge::Level level,
                       const std::string& test) {
  judge::Finding f;
  f.fingerprint = fingerprint;
  f.level = level;
  f.tests = {test};
  f.before = test;
  return f;
}

TEST(MergeReports, OneBugSeenInTwoTestsIsOneFinding) {
  judge::Report a, b;
  a.findings = {finding("1", judge::Level::kLikely, "a.Test"),
                finding("2", judge::Level::kLikely, "a.Test")};
  b.findings = {finding("1", judge::Level::kConfirmed, "b.Test"),
                finding("3", judge::Level::kSuspect, "b.Test")};
  judge::Report merged = merge_reports({a, b});
  ASSERT_EQ(merged.findings.size(), 3u);
  EXPECT_EQ(merged.findings[0].fingerprint, "1");
  EXPECT_EQ(merged.findings[0].level, judge::Level::kConfirmed);
  EXPECT_EQ(merged.findings[0].before, "b.Test");  // the stronger evidence
  EXPECT_EQ(merged.findings[0].count, 2u);
  EXPECT_EQ(merged.findings[0].tests, (std::vector<std::string>{"a.Test", "b.Test"}));
  EXPECT_EQ(merged.findings[2].id, 3);
}

TEST(MergeReports, WithoutFingerprintNothingIsTheSame) {
  judge::Report a;
  a.findings = {finding("", judge::Level::kLikely, "a"), finding("", judge::Level::kLikely, "a")};
  EXPECT_EQ(merge_reports({a}).findings.size(), 2u);
}

TEST(MergeReports, CountsAddUpAndNotesStandOnce) {
  judge::Report a, b;
  a.sites = {10, 1, 8, {{"element_type_unknown", 1}}};
  b.sites = {5, 0, 4, {{"element_type_unknown", 1}}};
  a.lost = {{"ring_full", 2}};
  b.lost = {{"ring_full", 1}, {"not_watched", 4}};
  a.notes = {"same", "only a"};
  b.notes = {"same"};
  a.cost.parked_s = 0.5;
  b.cost.parked_s = 0.25;
  judge::Report merged = merge_reports({a, b});
  EXPECT_EQ(merged.sites.growslice_calls, 15u);
  EXPECT_EQ(merged.sites.growslice_calls,
            merged.sites.always_grows + merged.sites.probed + merged.sites.total_skipped());
  EXPECT_EQ(merged.lost, (std::map<std::string, u64>{{"not_watched", 4}, {"ring_full", 3}}));
  EXPECT_EQ(merged.notes, (std::vector<std::string>{"same", "only a"}));
  EXPECT_DOUBLE_EQ(merged.cost.parked_s, 0.75);
}

TEST(MergeReports, OfNothingIsEmpty) {
  judge::Report merged = merge_reports({});
  EXPECT_TRUE(merged.findings.empty());
  EXPECT_TRUE(merged.target.go.empty());
}

}  // namespace
}  // namespace geist::report
