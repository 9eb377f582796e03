// Reports of several processes become one: what is counted, what is kept, what is taken once.
#include "report/merge.h"

#include <gtest/gtest.h>

namespace geist::report {
namespace {

findings::Report make_part(const std::string& binary, findings::Level level, u64 count) {
  findings::Report part;
  part.programs.push_back({binary, "go1.26.8", "id-" + binary, 1});
  part.sites.growslice_calls = 10;
  part.sites.probed = 9;
  part.sites.skipped["operands_do_not_match"] = 1;
  part.lost["not_judged"] = 2;
  part.notes.push_back("a note");
  findings::Finding finding;
  finding.fingerprint = "same";
  finding.level = level;
  finding.count = count;
  finding.binary = binary;
  finding.tests = {binary + ".Test"};
  part.findings.push_back(finding);
  return part;
}

TEST(Merge, SameFindingIsCountedOnAndKeepsTheStrongerEvidence) {
  findings::Report whole;
  merge_into(&whole, make_part("a", findings::Level::kLikely, 3));
  merge_into(&whole, make_part("b", findings::Level::kConfirmed, 4));
  ASSERT_EQ(whole.findings.size(), 1u);
  EXPECT_EQ(whole.findings[0].count, 7u);
  EXPECT_EQ(whole.findings[0].level, findings::Level::kConfirmed);
  EXPECT_EQ(whole.findings[0].binary, "b");
  EXPECT_EQ(whole.findings[0].tests, (std::vector<std::string>{"a.Test", "b.Test"}));
  merge_into(&whole, make_part("c", findings::Level::kSuspect, 1));
  EXPECT_EQ(whole.findings[0].level, findings::Level::kConfirmed);
  EXPECT_EQ(whole.findings[0].count, 8u);
}

TEST(Merge, NumbersOfOnePlaceAreAdded) {
  auto part = [](u64 count, i32 line) {
    findings::Report report;
    report.sections["signals"] = {{"grows", "bytes"}, {{"main.f", "f.go", line, {count, 8}}}, ""};
    return report;
  };
  findings::Report whole;
  merge_into(&whole, part(1, 3));
  merge_into(&whole, part(2, 3));
  merge_into(&whole, part(5, 4));
  findings::Report other = part(9, 3);
  other.sections["signals"].columns = {"other"};
  merge_into(&whole, other);
  const findings::Section& section = whole.sections.at("signals");
  ASSERT_EQ(section.rows.size(), 2u);
  EXPECT_EQ(section.rows[0].values, (std::vector<u64>{3, 16}));
  EXPECT_EQ(section.rows[1].values, (std::vector<u64>{5, 8}));
}

TEST(Merge, TwoKindsOfVictimOfOneAppendStayTwoFindings) {
  findings::Report whole;
  merge_into(&whole, make_part("a", findings::Level::kLikely, 3));
  findings::Report part = make_part("b", findings::Level::kLikely, 4);
  part.findings[0].victim.holder = findings::Holder::kGlobal;
  merge_into(&whole, part);
  EXPECT_EQ(whole.findings.size(), 2u);
}

TEST(Merge, FindingsWithoutAFingerprintStayApart) {
  findings::Report whole;
  for (findings::Level level : {findings::Level::kLikely, findings::Level::kConfirmed}) {
    findings::Report part = make_part("a", level, 1);
    part.findings[0].fingerprint.clear();
    merge_into(&whole, part);
  }
  ASSERT_EQ(whole.findings.size(), 2u);
  EXPECT_EQ(whole.findings[0].level, findings::Level::kConfirmed);  // strongest first
  EXPECT_EQ(whole.findings[0].id, 1);
  EXPECT_EQ(whole.findings[1].id, 2);
}

TEST(Merge, SitesOfAProgramAreTakenOnceAndItsProcessesCounted) {
  findings::Report whole;
  for (const char* binary : {"a", "a", "b"})
    merge_into(&whole, make_part(binary, findings::Level::kLikely, 1));
  EXPECT_EQ(whole.sites.growslice_calls, 20u);
  EXPECT_EQ(whole.sites.total_skipped(), 2u);
  ASSERT_EQ(whole.programs.size(), 2u);
  EXPECT_EQ(whole.programs[0].processes, 2u);
  EXPECT_EQ(whole.lost["not_judged"], 6u);
  EXPECT_EQ(whole.notes.size(), 1u);
}

}  // namespace
}  // namespace geist::report
