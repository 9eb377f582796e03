// Short names of functions, and safe text.
#include "base/text.h"

#include <gtest/gtest.h>

#include "base/go_symbol.h"

namespace geist {
namespace {

TEST(ShortFunction, DropsThePathOfThePackage) {
  EXPECT_EQ(short_function("github.com/labstack/echo.(*Group).add"), "echo.(*Group).add");
  EXPECT_EQ(short_function("main.main"), "main.main");
  EXPECT_EQ(short_function("encoding/json.Unmarshal"), "json.Unmarshal");
  EXPECT_EQ(short_function(""), "");
}

TEST(ShortFunction, KeepsTypeArgumentsWithPathsWhole) {
  EXPECT_EQ(short_function("example.com/a.Map[go.shape.struct { example.com/b.X int }]"),
            "a.Map[go.shape.struct { example.com/b.X int }]");
  EXPECT_EQ(short_function("example.com/a.(*T[example.com/b.K]).Add"),
            "a.(*T[example.com/b.K]).Add");
}

TEST(ShortFunction, UnescapesDotsOfThePackage) {
  EXPECT_EQ(short_function("gopkg.in/yaml%2ev3.(*Decoder).Decode"), "yaml.v3.(*Decoder).Decode");
  EXPECT_EQ(short_function("a/b%zz.f"), "b%zz.f");
  EXPECT_EQ(short_function("a/b%2"), "b%2");
}

TEST(Clip, CountsCodePoints) {
  EXPECT_EQ(clip("abcdef", 6), "abcdef");
  EXPECT_EQ(clip("abcdef", 5), "abcd…");
  EXPECT_EQ(clip("äöüß", 3), "äö…");
  EXPECT_EQ(clip("ab", 1), "…");
  EXPECT_EQ(clip("ab", 0), "");
}

TEST(Printable, KeepsTextAndEscapesTheRest) {
  EXPECT_EQ(printable("größe · 日本"), "größe · 日本");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(printable("\xe6\x97"), "\\xe6\\x97");
}

}  // namespace
}  // namespace geist
