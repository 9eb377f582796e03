// What a diff replaces; a diff that does not hold together replaces nothing.
#include "report/patch.h"

#include <gtest/gtest.h>

namespace geist::report {
namespace {

TEST(Patch, GivesTheReplacedLines) {
  std::vector<Replacement> found = read_patch(
      "--- a/x.go\n+++ b/x.go\n@@ -1,2 +1,3 @@\n package x\n+import \"slices\"\n \n@@ -10,3 +11,2 "
      "@@\n a\n-b\n-c\n+d\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].line, 2u);
  EXPECT_EQ(found[0].removed, 0u);
  EXPECT_EQ(found[0].text, "import \"slices\"\n");
  EXPECT_EQ(found[1].line, 11u);
  EXPECT_EQ(found[1].removed, 2u);
  EXPECT_EQ(found[1].text, "d\n");
}

TEST(Patch, OneLineHunksNeedNoCount) {
  std::vector<Replacement> found = read_patch("@@ -4 +4 @@\n-a\n+b\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 4u);
}

TEST(Patch, DamageGivesNothing) {
  const std::string whole = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n";
  EXPECT_EQ(read_patch(whole).size(), 1u);
  for (usize size = 17; size + 3 < whole.size(); ++size) {
    EXPECT_TRUE(read_patch(whole.substr(0, size)).empty()) << size;
  }
  EXPECT_TRUE(read_patch("no diff\n").empty());
  EXPECT_TRUE(read_patch("@@ -1,1 +1,1 @@\n-a\n-b\n").empty());
  EXPECT_TRUE(read_patch("@@ -99999999999,1 +1 @@\n-a\n+b\n").empty());
}

}  // namespace
}  // namespace geist::report
