// Findings are told apart by fingerprint, and by the fingerprints that they had.
#include "report/diff.h"

#include <gtest/gtest.h>

#include "example_report.h"

namespace geist::report {
namespace {

findings::Report report_of(const std::vector<std::string>& fingerprints) {
  findings::Report report;
  for (const std::string& fingerprint : fingerprints) {
    report.findings.push_back(example_finding());
    report.findings.back().fingerprint = fingerprint;
  }
  return report;
}

TEST(Diff, TellsNewGoneAndSame) {
  findings::Report older = report_of({"a", "b"});
  findings::Report newer = report_of({"b", "c"});
  newer.findings[0].append_stack[0].line = 999;  // moved
  ReportDiff diff = compare_reports(older, newer);
  ASSERT_EQ(diff.appeared.size(), 1u);
  EXPECT_EQ(diff.appeared[0], &newer.findings[1]);
  ASSERT_EQ(diff.gone.size(), 1u);
  EXPECT_EQ(diff.gone[0], &older.findings[0]);
  ASSERT_EQ(diff.same.size(), 1u);
}

// One bug may have several victims, and how many are seen differs from run to run.
TEST(Diff, AVictimMoreIsNoNewBug) {
  findings::Report older = report_of({"a"});
  findings::Report newer = report_of({"a", "a", "a"});
  EXPECT_EQ(compare_reports(older, newer).same.size(), 3u);
  EXPECT_TRUE(compare_reports(newer, older).gone.empty());
}

TEST(Diff, AReportOfAnEarlierReleaseIsComparedByTheOldFingerprint) {
  findings::Report older = report_of({"old-1", "old-2"});
  findings::Report newer = report_of({"g2:1", "g2:3"});
  newer.findings[0].aliases = {"old-1"};
  newer.findings[1].aliases = {"old-3"};
  ReportDiff diff = compare_reports(older, newer);
  ASSERT_EQ(diff.same.size(), 1u);
  EXPECT_EQ(diff.same[0], &newer.findings[0]);
  ASSERT_EQ(diff.gone.size(), 1u);
  EXPECT_EQ(diff.gone[0], &older.findings[1]);
  EXPECT_EQ(diff.appeared.size(), 1u);
  // The other way round: a baseline of this release, read by what runs on an old report.
  EXPECT_EQ(compare_reports(newer, older).same.size(), 1u);
}

TEST(Diff, TwoBugsThatShareAnOldFingerprintStayTwo) {
  findings::Report older = report_of({"g2:1"});
  findings::Report newer = report_of({"g2:2"});
  older.findings[0].aliases = newer.findings[0].aliases = {"old"};
  EXPECT_EQ(compare_reports(older, newer).appeared.size(), 1u);
  EXPECT_EQ(compare_reports(older, newer).gone.size(), 1u);
}

TEST(Diff, TextHasALineAFinding) {
  findings::Report older = report_of({"a"});
  findings::Report newer = report_of({"b"});
  EXPECT_EQ(emit_diff_text(compare_reports(older, newer), false),
            "new   confirmed  append in echo.(*Group).add (group.go:145) overwrote element 3 of a "
            "slice that is still in use: "
            "variable middleware of the closure echo.(*Echo).add.func1\n"
            "gone  confirmed  append in echo.(*Group).add (group.go:145) overwrote element 3 of a "
            "slice that is still in use: "
            "variable middleware of the closure echo.(*Echo).add.func1\n"
            "geist: 1 new · 1 gone · 0 same\n");
}

}  // namespace
}  // namespace geist::report
