// Verdicts follow from facts, and from nothing else.
#include "lab/claim.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lab/case.h"

namespace geist::lab {
namespace {

Facts facts_of(const std::string& output) {
  Facts facts;
  facts.read(output);
  return facts;
}

// What an expression says of facts; the error when it says nothing.
std::string evaluate(const std::string& text, const std::string& output = "",
                     const std::string& index = "") {
  Result<Expression> expression = Expression::parse(text);
  if (!expression.ok()) return "parse: " + expression.error().message();
  Result<Value> value = expression->evaluate(facts_of(output), index);
  return value.ok() ? value->text : value.error().message();
}

TEST(Expression, BindsAsInGo) {
  EXPECT_EQ(evaluate("1 + 2 * 3"), "7");
  EXPECT_EQ(evaluate("(1 + 2) * 3 - -1"), "10");
  EXPECT_EQ(evaluate("7 / 2"), "3.5");
  EXPECT_EQ(evaluate("10 - 3 - 2"), "5");
  EXPECT_EQ(evaluate("1 < 2 && 2 <= 2 && !(3 != 3) || 0"), "1");
  EXPECT_EQ(evaluate("0 || 0 && 1"), "0");
  EXPECT_EQ(evaluate("a[4] >= 12.5", "fact a[4] 12.5\n"), "1");
  EXPECT_EQ(evaluate("a[*] + 1", "fact a[4] 2\n", "4"), "3");
  EXPECT_EQ(evaluate("l == 'swiss'", "fact l swiss\n"), "1");
  EXPECT_EQ(evaluate("l != 'swiss'", "fact l swiss\n"), "0");
}

TEST(Expression, WhatCannotBeSaidHasAReason) {
  EXPECT_EQ(evaluate("lost > 0"), "no program told \"lost\"");
  EXPECT_EQ(evaluate("lost > 0", "cannot lost one processor\n"), "one processor");
  EXPECT_EQ(evaluate("a > 0", "fact a many\n"), "\"many\" and \"0\" cannot be compared");
  EXPECT_EQ(evaluate("a + a", "fact a many\n"), "\"many\" is no number");
  EXPECT_EQ(evaluate("-a", "fact a many\n"), "\"many\" is no number");
  EXPECT_EQ(evaluate("1 / a", "fact a 0\n"), "a division by zero");
  // The left side decides alone, as in Go.
  EXPECT_EQ(evaluate("1 || lost"), "1");
  EXPECT_EQ(evaluate("0 && lost"), "0");
}

TEST(Expression, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "a >", "(a", "a)", "a b", "'x", "a[1", "1.2.3", "a ? b", "A", "a = b"})
    EXPECT_TRUE(evaluate(text).starts_with("parse: ")) << text << ": " << evaluate(text);
  EXPECT_TRUE(evaluate(std::string(1000, '(')).starts_with("parse: "));
  std::string minus(1000, '-');
  minus.push_back('1');
  EXPECT_TRUE(evaluate(minus).starts_with("parse: "));
  std::string chain = "1";
  for (int i = 0; i < 1000; ++i) chain += "+1";
  EXPECT_TRUE(evaluate(chain).starts_with("parse: "));
}

TEST(Expression, NumbersAreShownShort) {
  EXPECT_EQ(show_number(3.70), "3.7");
  EXPECT_EQ(show_number(1234.5678), "1235");
  EXPECT_EQ(show_number(0.01234), "0.0123");
  EXPECT_EQ(show_number(1000000), "1000000");
  EXPECT_EQ(show_number(-2), "-2");
}

Case case_of(const std::string& claims) {
  Result<Case> one = read_case("x", "title: t\n" + claims);
  EXPECT_TRUE(one.ok()) << (one.ok() ? "" : one.error().message());
  return std::move(one).value();
}

std::string decide_one(const std::string& claim, const std::string& output) {
  Case one = case_of(claim);
  Decision decision = decide(one.claims.at(0), facts_of(output));
  return decision.words + ": " + decision.figure;
}

TEST(Claim, TrueFalseUndecided) {
  const std::string claim =
      "claim: c\nif: lost > 0\nfigure: {lost} of {all} lost, {100*lost/all}%\n";
  EXPECT_EQ(decide_one(claim, "fact lost 3\nfact all 80\n"), "true: 3 of 80 lost, 3.75%");
  EXPECT_EQ(decide_one(claim, "fact lost 0\nfact all 80\n"), "false: 0 of 80 lost, 0%");
  EXPECT_EQ(decide_one(claim, "fact all 80\n"), "undecided: no program told \"lost\"");
  EXPECT_EQ(decide_one(claim, "fact lost 3\n"), "true: 3 of ? lost, ?%");
}

TEST(Claim, OverAFamily) {
  const std::string claim = "claim: c\neach: w[*] > 0\ndepends: the room\nfigure: {w[*]}\n";
  EXPECT_EQ(decide_one(claim, "fact w[1] 3\nfact w[2] 1\n"), "true: 1: 3, 2: 1");
  EXPECT_EQ(decide_one(claim, "fact w[1] 0\nfact w[2] 0\n"), "false: 1: 0, 2: 0");
  EXPECT_EQ(decide_one(claim, "fact w[1] 0\nfact w[2] 1\n"),
            "depends on the room: 1: 0, 2: 1. It holds with 2, not with 1");
  EXPECT_EQ(decide_one(claim, ""), "undecided: no program told \"w\"");
  EXPECT_EQ(decide_one(claim, "cannot w no gdb here\n"), "undecided: no gdb here");
  // One member that cannot be told leaves it open.
  EXPECT_EQ(decide_one(claim, "fact w[1] 1\nfact w[2] many\n"),
            "undecided: \"many\" and \"0\" cannot be compared");
}

std::string over(std::vector<std::pair<int, std::string>> words) {
  std::vector<ReleaseDecision> decisions;
  for (auto& [minor, word] : words) {
    Verdict verdict = word == "undecided" ? Verdict::kUndecided
                      : word == "true"    ? Verdict::kTrue
                      : word == "false"   ? Verdict::kFalse
                                          : Verdict::kDepends;
    decisions.push_back({minor, {verdict, word, "f"}});
  }
  return combine_releases(decisions);
}

TEST(Claim, OverReleases) {
  EXPECT_EQ(over({{21, "true"}, {26, "true"}}), "true");
  EXPECT_EQ(over({{27, "false"}, {21, "true"}, {24, "false"}, {23, "true"}}),
            "true until Go 1.23, false since Go 1.24");
  EXPECT_EQ(over({{21, "false"}, {24, "true"}}), "false until Go 1.21, true since Go 1.24");
  EXPECT_EQ(over({{21, "true"}, {24, "false"}, {26, "true"}}),
            "depends on the release, or on the run");
  EXPECT_EQ(over({{21, "undecided"}, {24, "false"}}), "false");
  EXPECT_EQ(over({{21, "undecided"}}), "undecided");
}

std::string refused(const std::string& text) {
  Result<Case> one = read_case("x", text);
  return one.ok() ? "(taken)" : one.error().message();
}

TEST(CaseFile, SaysWhatIsWrong) {
  EXPECT_EQ(refused(""), "has no \"title:\"");
  EXPECT_EQ(refused("title: t\n"), "claims nothing");
  EXPECT_EQ(refused("title: t\nnonsense\n"), "line 2: expected \"key: value\"");
  EXPECT_EQ(refused("titel: t\n"), "line 1: unknown key \"titel\"");
  EXPECT_EQ(refused("title: t\nclaim: c\nfigure: 1\n"),
            "the claim \"c\" needs a condition and a figure");
  EXPECT_EQ(refused("title: t\ntimeout: 1e9\n"), "line 2: \"1e9\" is no number from 1 to 3600");
  EXPECT_TRUE(refused("title: t\nclaim: c\nif: a >\nfigure: 1\n").find("missing") !=
              std::string::npos);
  EXPECT_TRUE(refused("title: t\nclaim: c\nif: a\nfigure: {b\n").find("no \"}\"") !=
              std::string::npos);
  EXPECT_TRUE(refused("title: t\nclaim: c\nif: a[*]\nfigure: 1\n").find("each:") !=
              std::string::npos);
  EXPECT_TRUE(refused("title: t\nclaim: c\neach: a\ndepends: x\nfigure: 1\n").find("each:") !=
              std::string::npos);
}

TEST(CaseFile, PageAndRuns) {
  Case one = case_of(
      "page:\n    a\n      b\n\n    c\n\nrun: measure  two\nrun-race: w\ntimeout: 5\nlooks: "
      "9\ngeist: "
      "--level=latent\n"
      "claim: c\nsays: s\nif: 1\nfigure: f\n");
  EXPECT_EQ(one.page, "a\n  b\n\nc\n");
  ASSERT_EQ(one.runs.size(), 2u);
  EXPECT_EQ(one.runs[0].words, (std::vector<std::string>{"measure", "two"}));
  EXPECT_EQ(one.runs[1].way, Way::kRace);
  EXPECT_EQ(one.timeout_s, 5u);
  EXPECT_EQ(one.looks, 9u);
  EXPECT_EQ(one.geist_flags, (std::vector<std::string>{"--level=latent"}));
  EXPECT_EQ(one.claims[0].source, "s");
}

TEST(CaseFile, ThoseOfTheExecutableAreRight) {
  Result<std::vector<Case>> cases = embedded_cases();
  ASSERT_TRUE(cases.ok()) << cases.error().message();
  EXPECT_FALSE(cases->empty());
  for (const Case& one : cases.value()) {
    EXPECT_FALSE(one.page.empty()) << one.name;
    EXPECT_TRUE(std::ranges::any_of(one.files, [](const CaseFile& file) {
      return file.name == "main.go";
    })) << one.name;
  }
}

}  // namespace
}  // namespace geist::lab
