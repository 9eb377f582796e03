// Fingerprints are a promise to every baseline and database that holds one: these never change.
#include "findings/fingerprint.h"

#include <gtest/gtest.h>

namespace geist::findings {
namespace {

TEST(Fingerprint, IsThatOfEveryRelease) {
  EXPECT_EQ(fingerprint_of("GB001|main.f|0").size(), 35u);
  EXPECT_EQ(fingerprint_of("GB001|main.f|0"), "g2:932828b48d1545bba6dc8cec70b55825");
  EXPECT_EQ(old_fingerprint_of("a"), "af63dc4c8601ec8c");  // FNV-1a, 64 bits
}

TEST(Fingerprint, TheSameBugHasOneOfTheOthersNames) {
  Finding a, b;
  EXPECT_FALSE(is_same_bug(a, b));  // nothing is known of either
  a.fingerprint = "g2:1";
  b.fingerprint = "g2:2";
  EXPECT_FALSE(is_same_bug(a, b));
  a.aliases = b.aliases = {"old"};
  EXPECT_FALSE(is_same_bug(a, b));
  b.aliases.push_back("g2:1");
  EXPECT_TRUE(is_same_bug(a, b));
  EXPECT_TRUE(is_same_bug(b, a));
  b.aliases.clear();
  b.fingerprint = "old";
  EXPECT_TRUE(is_same_bug(a, b));
  EXPECT_TRUE(is_same_bug(b, a));
}

TEST(Fingerprint, AVictimOfAnotherKindIsToldApart) {
  Finding a;
  EXPECT_EQ(bug_and_victim(a), "");
  a.fingerprint = "g2:1";
  Finding b = a;
  EXPECT_EQ(bug_and_victim(a), bug_and_victim(b));
  b.victim.type = "[]int";
  EXPECT_NE(bug_and_victim(a), bug_and_victim(b));
  b = a;
  b.victim.holder = Holder::kRegister;
  EXPECT_NE(bug_and_victim(a), bug_and_victim(b));
}

}  // namespace
}  // namespace geist::findings
