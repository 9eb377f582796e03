// Short names of files, and the drawing of arrays, including lengths no array can have.
#include <gtest/gtest.h>

#include "base/text.h"
#include "findings/place.h"
#include "report/report.h"

namespace geist::report {
namespace {

TEST(SplitPlace, KeepsKeysWhole) {
  auto split = [](std::string_view text) {
    const auto [name, place] = findings::split_place(text);
    return std::string(name) + " | " + std::string(place);
  };
  EXPECT_EQ(split("m in echo.(*Echo).add.func1"), "m | echo.(*Echo).add.func1");
  EXPECT_EQ(split("s.buf in main.serve (goroutine 7)"), "s.buf | main.serve (goroutine 7)");
  EXPECT_EQ(split("main.plan[\"day in week\"].jobs"), "main.plan[\"day in week\"].jobs | ");
  EXPECT_EQ(split("plan[\"day in week\"].jobs in main.run"),
            "plan[\"day in week\"].jobs | main.run");
  EXPECT_EQ(split(""), " | ");
}

TEST(ShortFile, IsRelativeToModuleDependencyOrGoroot) {
  findings::Target target;
  target.module = "example.com/prog";
  target.module_dir_hint = "/home/u/prog";
  target.goroot = "/usr/local/go";
  TextOptions options;
  EXPECT_EQ(short_file("/home/u/prog/cmd/x/main.go", target, options), "cmd/x/main.go");
  EXPECT_EQ(short_file("/home/u/go/pkg/mod/github.com/x/y@v1.2.0/z/a.go", target, options),
            "z/a.go");
  EXPECT_EQ(short_file("github.com/x/y@v1.2.0/z/a.go", target, options), "z/a.go");
  EXPECT_EQ(short_file("/usr/local/go/src/fmt/print.go", target, options), "fmt/print.go");
  EXPECT_EQ(short_file("example.com/prog/main.go", target, options), "main.go");
  EXPECT_EQ(short_file("/home/u/program/main.go", target, options), "/home/u/program/main.go");
  options.strip_path_prefix = "/home/u/program/";
  EXPECT_EQ(short_file("/home/u/program/main.go", target, options), "main.go");
}

TEST(ShortFile, NothingKnownLeavesThePathAsItIs) {
  EXPECT_EQ(short_file("/a/b.go", {}, {}), "/a/b.go");
  EXPECT_EQ(short_file("", {}, {}), "");
  EXPECT_EQ(short_file("x@", {}, {}), "x@");
}

TEST(DrawArray, ShiftsViewsThatBeginLater) {
  std::vector<std::string> rows = draw_array({{"a", 0, 2, 4}, {"victim", 2, 2, 2}}, 2, 94);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], "a        [ 0 ][ 1 ]               len 2 cap 4");
  EXPECT_EQ(rows[1], "victim             [*2*][ 3 ]     len 2 cap 2");
}

TEST(DrawArray, AlignsIndicesOfManyDigits) {
  std::vector<std::string> rows = draw_array({{"a", 8, 3, 0}}, 10, 94);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0], "a   [  8 ][  9 ][*10*]     len 3");
}

TEST(DrawArray, CutsLongArraysAroundTheChangedElement) {
  std::vector<std::string> rows = draw_array(
      {{"ids[:250]", 0, 250, 1000}, {"victim", 250, 250, 750}, {"this append", 0, 251, 1000}}, 250,
      94);
  ASSERT_EQ(rows.size(), 3u);
  for (const std::string& row : rows) EXPECT_LE(display_width(row), 94u) << row;
  EXPECT_EQ(
      rows[0],
      "ids[:250]     [   0 ] … [ 248 ][ 249 ]                                    len 250 cap 1000");
  EXPECT_EQ(
      rows[1],
      "victim                                [*250*][ 251 ][ 252 ] … [ 499 ]     len 250 cap 750");
  EXPECT_EQ(
      rows[2],
      "this append   [   0 ] … [ 248 ][ 249 ][*250*]                             len 251 cap 1000");
}

TEST(DrawArray, SurvivesLengthsThatCannotBe) {
  std::vector<std::string> rows = draw_array(
      {{"a", INT64_MIN, UINT64_MAX, UINT64_MAX}, {"b", INT64_MAX, UINT64_MAX, 1}}, 5, 94);
  EXPECT_EQ(rows.size(), 2u);
  EXPECT_EQ(draw_array({{"a", 0, 0, 0}}, std::nullopt, 94),
            std::vector<std::string>{"a        len 0"});
  EXPECT_TRUE(draw_array({}, 3, 94).empty());
}

}  // namespace
}  // namespace geist::report
