// What a program of the lab may say, and what it may not: a program under test is hostile input.
#include "lab/facts.h"

#include <gtest/gtest.h>

namespace geist::lab {
namespace {

Facts read(const std::string& output) {
  Facts facts;
  facts.read(output);
  return facts;
}

std::string text_of(const Facts& facts, const std::string& name) {
  const Fact* fact = facts.find(name);
  return fact == nullptr ? "(none)" : fact->text;
}

u64 rejected(const Facts& facts) {
  u64 sum = 0;
  for (const auto& [help, count] : facts.rejected()) sum += count;
  return sum;
}

TEST(Facts, NumbersTextsAndFamilies) {
  Facts facts =
      read("hello\nfact lost 12\nfact layout Swiss groups\r\nfact cap[24] 512\nfact f -1.5e3");
  EXPECT_EQ(facts.find("lost")->number, 12);
  EXPECT_EQ(text_of(facts, "layout"), "Swiss groups");
  EXPECT_FALSE(facts.find("layout")->number.has_value());
  EXPECT_EQ(facts.find("cap[24]")->number, 512);
  EXPECT_EQ(facts.find("f")->number, -1500);
  EXPECT_EQ(rejected(facts), 0u);
}

TEST(Facts, IndicesAreInTheOrderOfTheirNumbers) {
  Facts facts = read("fact c[100] 1\nfact c[9] 1\nfact c[x] 1\nfact cc[1] 1\nfact c 1\n");
  EXPECT_EQ(facts.indices("c"), (std::vector<std::string>{"9", "100", "x"}));
}

TEST(Facts, WhatIsNoFactIsOrdinaryOutput) {
  Facts facts = read("facts are a 1\n fact a 1\nFACT a 1\nfact\nWRONG: fact a 1\n");
  EXPECT_TRUE(facts.all().empty());
  EXPECT_EQ(rejected(facts), 0u);
}

TEST(Facts, NamesOfGeistCannotBeSaidByAProgram) {
  Facts facts = read("fact geist.findings 7\nfact race.reports 0\n");
  EXPECT_TRUE(facts.all().empty());
  EXPECT_EQ(rejected(facts), 2u);
}

TEST(Facts, HostileLinesAreCounted) {
  for (std::string line :
       {"fact A 1", "fact 1a 1", "fact a[] 1", "fact a[1 1", "fact a[\x1b[31m] 1", "fact a[b c] 1",
        "fact  ", "fact a", "fact a   ", "fact ../../x 1", "fact a[*] 1"}) {
    Facts facts = read(line + "\n");
    EXPECT_TRUE(facts.all().empty()) << line;
    EXPECT_EQ(rejected(facts), 1u) << line;
  }
  Facts longest = read("fact a " + std::string(500, '9') + "\n");
  EXPECT_TRUE(longest.all().empty());
  EXPECT_EQ(rejected(longest), 1u);
}

TEST(Facts, ValuesAreMadePrintable) {
  EXPECT_EQ(text_of(read("fact a \x1b[31mred\n"), "a"), "\\x1b[31mred");
  Facts zero = read(std::string("fact a 1\0002\n", 11));
  EXPECT_EQ(text_of(zero, "a"), "1\\x002");
  EXPECT_FALSE(zero.find("a")->number.has_value());
}

TEST(Facts, InfinitiesAreNoNumbers) {
  for (const char* text : {"inf", "nan", "-inf", "1e999", "0x10", "12 ", "1,5", ""})
    EXPECT_FALSE(read_number(text).has_value()) << text;
}

TEST(Facts, TheFirstValueCounts) {
  Facts facts = read("fact a 1\nfact a 1\nfact a 2\n");
  EXPECT_EQ(facts.find("a")->number, 1);
  EXPECT_EQ(rejected(facts), 1u);
}

TEST(Facts, ThereIsAMost) {
  std::string output;
  for (int i = 0; i < 2100; ++i) output += "fact a[" + std::to_string(i) + "] 1\n";
  Facts facts = read(output);
  EXPECT_EQ(facts.all().size(), 2000u);
  EXPECT_EQ(rejected(facts), 100u);
}

TEST(Facts, AReasonIsForTheWholeFamily) {
  Facts facts = read("cannot python no python3 in PATH\ncannot a[3] too small\n");
  EXPECT_EQ(facts.find_reason("python[list]"), "no python3 in PATH");
  EXPECT_EQ(facts.find_reason("a[3]"), "too small");
  EXPECT_FALSE(facts.find_reason("a[4]").has_value());
  EXPECT_FALSE(facts.find_reason("ms[race]").has_value());
  facts.excuse("race.reports", "no C compiler");
  EXPECT_EQ(facts.find_reason("ms[race]"), "no C compiler");
  EXPECT_FALSE(facts.find_reason("ms[plain]").has_value());
}

}  // namespace
}  // namespace geist::lab
