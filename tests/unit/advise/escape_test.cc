// What the compiler says of the heap, also when it is no compiler, and the join with bytes by line.
#include "advise/escape.h"

#include <gtest/gtest.h>

namespace geist::advise {
namespace {

constexpr std::string_view kSaid =
    "# x.example/esc\n"
    "./main.go:7:6: can inline f with cost 12 as: func(int) *T { t := T{...}; return &t }\n"
    "./main.go:7:20: t escapes to heap in f:\n"
    "./main.go:7:20:   flow: ~r0 \xe2\x86\x90 &t:\n"
    "./main.go:7:20:     from &t (address-of) at ./main.go:7:41\n"
    "./main.go:7:20:     from return &t (return) at ./main.go:7:34\n"
    "./main.go:7:20: moved to heap: t\n"
    "./main.go:12:11: make([]int, 10) escapes to heap in main:\n"
    "./main.go:12:11: make([]int, 10) escapes to heap\n"
    "./main.go:12:11: make([]int, 10) escapes to heap\n"
    "./main.go:16:13: ... argument does not escape\n";

TEST(Escape, ReadsTheNotesThatCount) {
  EscapeList list = read_escapes(kSaid);
  ASSERT_EQ(list.rows.size(), 2u);
  EXPECT_EQ(list.rows[0].file, "./main.go");
  EXPECT_EQ(list.rows[0].line, 7);
  EXPECT_EQ(list.rows[0].what, "t");
  EXPECT_TRUE(list.rows[0].is_moved);
  EXPECT_EQ(list.rows[0].why, "return &t (return)");
  EXPECT_EQ(list.rows[1].what, "make([]int, 10)");
  EXPECT_FALSE(list.rows[1].is_moved);
  EXPECT_EQ(list.rows[1].why, "");
  EXPECT_EQ(list.odd_lines, 0u);
}

TEST(Escape, SurvivesHostileLines) {
  for (const char* line :
       {":1:1: moved to heap: x", "a.go:0:1: moved to heap: x", "a.go:1: moved to heap: x",
        "a.go:1:1:moved to heap: x", "a.go:99999999999:1: moved to heap: x",
        "a.go:-1:1: moved to heap: x", "moved to heap: x", ":::::: escapes to heap"}) {
    EscapeList list = read_escapes(line);
    EXPECT_TRUE(list.rows.empty()) << line;
    EXPECT_EQ(list.odd_lines, 1u) << line;
  }
  EscapeList list = read_escapes("a:b.go:3:4: moved to heap: \x1b[31mx\nC:1:2: y escapes to heap");
  ASSERT_EQ(list.rows.size(), 2u);
  EXPECT_EQ(list.rows[0].file, "a:b.go");
  EXPECT_EQ(list.rows[0].what.find('\x1b'), std::string::npos);
  std::string name(100000, 'x');
  list = read_escapes("a.go:1:1: moved to heap: " + name);
  EXPECT_LT(list.rows[0].what.size(), 500u);
  std::string many;
  for (usize i = 1; i <= kMostEscapes + 3; ++i)
    many += "a.go:" + std::to_string(i) + ":1: moved to heap: x\n";
  list = read_escapes(many);
  EXPECT_EQ(list.rows.size(), kMostEscapes);
  EXPECT_EQ(list.beyond, 3u);
}

TEST(Escape, FindsTheErrorAmongTheTalk) {
  EXPECT_EQ(
      first_error(
          "# pkg\n./a.go:1:2: can inline f with cost 3 as: x\n./a.go:4:2: x escapes to heap:\n"
          "./a.go:4:2:   flow: y\n./a.go:9:5: undefined: zz\n"),
      "./a.go:9:5: undefined: zz");
  EXPECT_EQ(first_error("go: cannot find main module\n"), "go: cannot find main module");
}

TEST(Escape, JoinsByLine) {
  EscapeAdvice advice;
  advice.folder = "/nowhere/esc";
  advice.rows = {
      {"/nowhere/esc/main.go", 7, 0, {{"main.go", 7, 20, "t", true, ""}}},
      {"/nowhere/esc/main.go", 12, 0, {{"main.go", 12, 11, "make([]int, 10)", false, ""}}}};
  advice.total = 1000;
  advice.unit = "alloc_space";
  // The disk's name, the one of -trimpath, another package's file of the same name, and a line without a note.
  join_bytes({{{"/nowhere/esc/main.go", 12}, 300},
              {{"x.example/esc/main.go", 12}, 200},
              {{"/else/main.go", 7}, 400},
              {{"/nowhere/esc/main.go", 99}, 50}},
             {{"x.example/esc", "/nowhere/esc"}}, advice);
  EXPECT_EQ(advice.rows[0].line, 12);
  EXPECT_EQ(advice.rows[0].bytes, 500);
  EXPECT_EQ(advice.rows[1].bytes, 0);
  EXPECT_EQ(advice.in_packages, 550);
  EXPECT_NE(emit_escape_sentence(advice).find(
                "begin with main.go:12, where make([]int, 10) goes to the heap (500B, 50.00% of"),
            std::string::npos)
      << emit_escape_sentence(advice);
}

TEST(Escape, ReadsPackages) {
  auto packages = read_packages("x.example/esc\t/src/esc\nodd\n");
  ASSERT_EQ(packages.size(), 1u);
  EXPECT_EQ(packages[0].path, "x.example/esc");
  EXPECT_EQ(packages[0].folder, "/src/esc");
}

}  // namespace
}  // namespace geist::advise
