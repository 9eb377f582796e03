// Every class of the catalogue has its words, and every rule one class.
#include "findings/classes.h"

#include <gtest/gtest.h>

#include "findings/detectors.h"

namespace geist::findings {
namespace {

TEST(Classes, EachDetectorsFindingsHaveWords) {
  for (const DetectorRow& row : all_detectors()) {
    if (row.finding_class.empty()) continue;
    Finding finding;
    finding.finding_class = row.finding_class;
    const ClassWords& words = words_of(finding);
    EXPECT_EQ(words.finding_class, row.finding_class) << row.name;
    EXPECT_EQ(words.rule, row.rule) << row.name;
    EXPECT_EQ(words.one, row.title) << row.name;
  }
}

TEST(Classes, NoWordIsMissing) {
  for (const ClassWords& words : all_classes()) {
    for (std::string_view text :
         {words.rule_name, words.one, words.many, words.happened, words.would_happen, words.victim,
          words.former_victim, words.writer, words.reader, words.not_read, words.way,
          words.way_writer, words.way_reader, words.in_short, words.in_full, words.help})
      EXPECT_FALSE(text.empty()) << words.finding_class;
  }
}

TEST(Classes, ReportsAreNamedByWhatTheirFindingsShare) {
  Report report;
  EXPECT_EQ(words_of(report).many, "ghost writes");
  report.findings.resize(2);
  EXPECT_EQ(words_of(report).many, "ghost writes");
  report.findings[1].finding_class = "of_a_later_release";
  EXPECT_EQ(words_of(report).many, "findings");
  EXPECT_EQ(words_of(report.findings[1]).one, "finding");
}

}  // namespace
}  // namespace geist::findings
