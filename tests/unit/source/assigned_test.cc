// What the statement around a line assigns to, on the statements that people write.
#include <gtest/gtest.h>

#include <algorithm>

#include "source/source.h"

namespace geist::source {
namespace {

// Of a function of this body, the line that holds "HERE".
std::string assigned(const std::string& body) {
  const std::string text = "package x\n\nfunc f() {\n" + body + "\n}\n";
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(text.find("HERE"));
  const i32 line = 1 + static_cast<i32>(std::count(text.begin(), end, '\n'));
  return find_assigned(SourceText(text), line).value_or("nothing");
}

TEST(Assigned, IsTheLeftSide) {
  EXPECT_EQ(assigned("\tmine := q.where(\"a\") // HERE"), "mine");
  EXPECT_EQ(assigned("\ta.b[i].c = append(x, y) // HERE"), "a.b[i].c");
  EXPECT_EQ(assigned("\tfirst, second := q.with(1), q.with(2) // HERE"), "first or second");
  EXPECT_EQ(assigned("\trows, err := q.all() // HERE"), "rows");
  EXPECT_EQ(assigned("\tvar rows = q.all() // HERE"), "rows");
  EXPECT_EQ(assigned("\tif rows := q.all(); len(rows) > 1 { // HERE\n\t}"), "rows");
}

TEST(Assigned, OfALoopIsNothing) {
  EXPECT_EQ(assigned("\tfor _, j := range q.jobs { // HERE\n\t\tj()\n\t}"), "nothing");
}

TEST(Assigned, IsFoundFromWithinALiteral) {
  EXPECT_EQ(assigned("\treports := []*report{\n\t\tbase.with(\"a\", e), // HERE\n\t}"), "reports");
  EXPECT_EQ(assigned("\tm := map[string]q{\n\t\t\"a\": q{\n\t\t\tx.where(1), // HERE\n\t\t},\n\t}"),
            "m");
  EXPECT_EQ(assigned("\tout := join(\n\t\tfirst,\n\t\tpath.with(x)) // HERE"), "out");
}

TEST(Assigned, IsNothingWhereNothingIsAssigned) {
  EXPECT_EQ(assigned("\tuse(q.with(1)) // HERE"), "nothing");
  EXPECT_EQ(assigned("\treturn append(x, y) // HERE"), "nothing");
  EXPECT_EQ(assigned("\tx := func() {\n\t\tuse(y) // HERE\n\t}"), "nothing") << "another statement";
  EXPECT_EQ(assigned("\tx := 1\n\tif x == 1 {\n\t\tuse(y) // HERE\n\t}"), "nothing");
  EXPECT_EQ(assigned("\t_, err := g() // HERE"), "nothing");
  EXPECT_EQ(assigned("\tx := 1\n// HERE\n\ty := 2"), "nothing") << "a line without code";
}

std::string call_fix(const std::string& statement, const std::string& function,
                     const std::string& victim = "", int language = 21) {
  SourceText source("package x\n\nfunc f() {\n\t" + statement + "\n}\n");
  std::optional<AppendEdit> edit = find_call_edit(source, 4, function, victim, language);
  return edit ? edit->call : "nothing";
}

TEST(CallFix, HandsASliceOfItsOwnToTheStandardLibrary) {
  EXPECT_EQ(
      call_fix("list = slices.Delete(list, i, i+1)", "slices.Delete[go.shape.[]int,go.shape.int]"),
      "slices.Delete(slices.Clone(list), i, i+1)");
  EXPECT_EQ(call_fix("use(strconv.AppendInt(b, n, 10))", "strconv.AppendInt"),
            "strconv.AppendInt(b[:len(b):len(b)], n, 10)");
  EXPECT_EQ(call_fix("k := fmt.Appendf(buf[:4], \"%d\", n)", "fmt.Appendf"),
            "fmt.Appendf(buf[:4:4], \"%d\", n)");
  EXPECT_EQ(call_fix("k := t.AppendFormat(next(), f)", "time.Time.AppendFormat"),
            "t.AppendFormat(slices.Clone(next()), f)");
}

TEST(CallFix, OfOtherCodeOnlyTheVictimIsCloned) {
  EXPECT_EQ(call_fix("out, err := jsonparser.Set(first, v, \"a\")",
                     "github.com/buger/jsonparser.Set", "first"),
            "jsonparser.Set(slices.Clone(first), v, \"a\")");
  EXPECT_EQ(call_fix("g.Use(mw...)", "example.com/web.(*Group).Use", "mw"),
            "g.Use(slices.Clone(mw)...)");
  EXPECT_EQ(call_fix("g.Use(mw...)", "example.com/web.(*Group).Use", "other"), "nothing");
  EXPECT_EQ(call_fix("g.Use(a, a)", "example.com/web.(*Group).Use", "a"), "nothing")
      << "which one?";
}

TEST(CallFix, KeepsSilentWhereItIsNotSure) {
  EXPECT_EQ(call_fix("a, b := strconv.AppendInt(x, 1, 10), strconv.AppendInt(y, 1, 10)",
                     "strconv.AppendInt"),
            "nothing");
  EXPECT_EQ(call_fix("x = slices.Delete(slices.Clone(x), 0, 1)", "slices.Delete[...]"), "nothing");
  EXPECT_EQ(call_fix("x = slices.Delete(x, 0, 1)", "slices.Delete[...]", "", 17), "nothing");
  EXPECT_EQ(call_fix("x = other(x, 0, 1)", "slices.Delete[...]"), "nothing");
}

}  // namespace
}  // namespace geist::source
