// What reaches a terminal: nothing that it would obey, but lines, and colours where they are asked
// for.
#include "base/printable.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace geist {
namespace {

// Text made at run time has no way in but through the functions that clean it.
static_assert(!std::is_constructible_v<Printable, std::string>);
static_assert(!std::is_constructible_v<Printable, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Literal>);

TEST(Printable, ALineHasNoControlCharacters) {
  EXPECT_EQ(printable("a\x1b]0;title\x07z"), "a\\x1b]0;title\\x07z");
  EXPECT_EQ(printable("one\ntwo\tthree\r"), "one\\x0atwo three\\x0d");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m \x7f \xff"),
            "\\xc2\\x9b31m \\x7f \\xff");
  EXPECT_EQ(printable("größer → 世界"), "größer → 世界");
}

TEST(Printable, LinesKeepNewlinesAndTabs) {
  EXPECT_EQ(printable_lines("a\n\tb\r\x1b[1m\n").text(), "a\n\tb\\x0d\\x1b[1m\n");
}

TEST(Printable, OnlyOurOwnColoursPass) {
  const std::string_view text = "\x1b[1;31mred\x1b[0m \x1b[1mbold\x1b[0m \x1b[32mgreen\x1b[0m";
  EXPECT_EQ(printable_lines(text, true).text(), text);
  EXPECT_EQ(printable_lines("\x1b[2J\x1b[8m\x1b]52;c;eA==\x07", true).text(),
            "\\x1b[2J\\x1b[8m\\x1b]52;c;eA==\\x07");
}

TEST(Printable, LiteralsAreAsTheyAre) {
  const Printable text = Literal("one\n");
  EXPECT_EQ(text.text(), "one\n");
}

}  // namespace
}  // namespace geist
