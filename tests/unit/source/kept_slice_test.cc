// Who has the slice as it was, in the programs that people write.
#include "source/kept_slice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace geist::source {
namespace {

const std::string kRemove =
    "package x\n\nfunc remove(s []int, i int) []int { return append(s[:i], s[i+1:]...) }\n\n";

// "name: lines; shared lines", of `remove` called where "HERE" is.
std::string kept(const std::string& body, const std::string& head = kRemove) {
  const std::string text = head + "func f() {\n" + body + "\n}\n";
  const SourceText source(text);
  const i32 line = source.line_of(text.find("HERE"));
  const std::vector<CallLine> calls{{&source, 3, "x.remove"}, {&source, line, "x.f"}};
  const std::optional<KeptSlice> found = find_kept_slice(calls);
  if (!found) return "nothing";
  std::string out = found->name + ":";
  for (i32 l : found->lines) out += " " + std::to_string(l - line);
  out += ";";
  for (i32 l : found->shared_lines) out += " " + std::to_string(l - line);
  return out;
}

TEST(KeptSlice, IsUsedBehindTheAppend) {
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tuse(n)\n\tuse(n, r)"), "n: 1; 2");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n[:2], 1) // HERE\n\tuse(n[0])"), "n: 1;");
  EXPECT_EQ(kept("\tvar n = []int{1, 2}\n\tuse(remove(n, 1)) // HERE\n\tuse(n)"), "n: 1;");
}

TEST(KeptSlice, IsReadWhereItsElementsAre) {
  EXPECT_EQ(kept("\tn := []int{1}\n\tr := remove(n, 1) // HERE\n\tfor _, t := range n {\n\t\tsum += t\n\t}"),
            "n: 1 2;");
}

TEST(KeptSlice, IsNoneThatIsAssignedAgain) {
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tn = remove(n, 1) // HERE\n\tuse(n)"), "nothing");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tn = r\n\tuse(n)"), "nothing");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tn, m = r, n\n\tuse(n)"), "nothing");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tfill(&n)\n\tuse(n)"), "nothing");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tn := 1\n\tuse(n)"), "nothing");
}

TEST(KeptSlice, IsNoneWithoutUse) {
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tuse(r, len(n))"), "nothing");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tuse(r[0], n[1])"), "nothing");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\t_ = remove(n, 1) // HERE\n\tuse(n)"), "nothing");
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tp.n = remove(n, 1) // HERE\n\tuse(n)"), "nothing");
}

TEST(KeptSlice, IsNoneOfAnotherAppend) {
  EXPECT_EQ(kept("\tn := []int{1, 2}\n\tr := remove(n, 1) // HERE\n\tuse(n)",
                 "package x\n\nfunc remove(s []int, i int) []int { return append(s[:i], more...) }\n\n"),
            "nothing");
  EXPECT_EQ(kept("\tr := remove(o.n, 1) // HERE\n\tuse(o.n)"), "nothing");
}

}  // namespace
}  // namespace geist::source
