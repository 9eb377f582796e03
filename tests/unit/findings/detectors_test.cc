// The catalogue holds together.
#include "findings/detectors.h"

#include <gtest/gtest.h>

#include <set>

namespace geist::findings {
namespace {

TEST(Detectors, EachHasANameOfItsOwnAndWords) {
  std::set<std::string_view> names;
  for (const DetectorRow& row : all_detectors()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(find_detector(row.name), &row);
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_EQ(row.rule.empty(), row.finding_class.empty()) << row.name;
    EXPECT_EQ(row.rule.empty(), row.title.empty()) << row.name;
  }
  EXPECT_EQ(find_detector("nobody"), nullptr);
}

}  // namespace
}  // namespace geist::findings
