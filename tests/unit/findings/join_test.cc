// One append, one finding, whatever its victims are.
#include "findings/join.h"

#include <gtest/gtest.h>

namespace geist::findings {
namespace {

Frame frame(const std::string& function, const std::string& file, i32 line) {
  Frame frame;
  frame.function = function;
  frame.file = file;
  frame.line = line;
  return frame;
}

Finding make(const std::string& function, i32 line, const std::string& victim, Level level) {
  Finding finding;
  finding.level = level;
  finding.append_stack = {frame(function, "a.go", line)};
  finding.victim.name = victim;
  return finding;
}

TEST(JoinSites, VictimsOfOneLineAreOneFinding) {
  std::vector<Finding> joined =
      join_sites({make("main.f[go.shape.int]", 3, "", Level::kConfirmed),
                  make("main.g", 9, "x", Level::kLikely),
                  make("main.f[go.shape.string]", 3, "all[1]", Level::kConfirmed),
                  make("main.f[go.shape.string]", 3, "all[2]", Level::kConfirmed),
                  make("main.f[go.shape.string]", 3, "all[2]", Level::kLikely)});
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined[0].victim.name, "all[1]");
  EXPECT_EQ(joined[0].other_victims, std::vector<std::string>{"all[2]"});
  EXPECT_EQ(joined[0].count, 4u);
  EXPECT_EQ(joined[1].victim.name, "x");
}

TEST(JoinSites, TheStrongestStays) {
  std::vector<Finding> joined = join_sites(
      {make("main.f", 3, "all[1]", Level::kLikely), make("main.f", 3, "old…", Level::kConfirmed)});
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined[0].level, Level::kConfirmed);
  EXPECT_EQ(joined[0].other_victims, std::vector<std::string>{"all[1]"});
}

TEST(JoinSites, CallsOfTheLibraryAreToldApartByTheirCallers) {
  Finding one = make("strconv.AppendInt", 74, "a", Level::kConfirmed);
  one.append_stack.push_back(frame("main.main", "m.go", 5));
  Finding two = one;
  two.append_stack[1].line = 6;
  two.victim.name = "b";
  EXPECT_EQ(join_sites({one, two}).size(), 2u);
  EXPECT_EQ(join_sites({one, one}).size(), 1u);
}

TEST(JoinSites, AnotherRuleOrConditionIsAnotherFinding) {
  Finding one = make("main.f", 3, "a", Level::kConfirmed), two = one, three = one;
  two.condition = "roomy";
  three.rule = "GB014";
  EXPECT_EQ(join_sites({one, two, three}).size(), 3u);
}

}  // namespace
}  // namespace geist::findings
