// Which package a function belongs to, and whose that is: sites of the standard library are handled
// otherwise.
#include "base/go_symbol.h"

#include <gtest/gtest.h>

namespace geist {
namespace {

TEST(PackageOf, EndsAtTheFirstDotAfterTheLastSlash) {
  EXPECT_EQ(package_of("encoding/json.(*Decoder).Decode"), "encoding/json");
  EXPECT_EQ(package_of("github.com/a/b.F.func1"), "github.com/a/b");
  EXPECT_EQ(package_of("gopkg.in/yaml%2ev3.Unmarshal"), "gopkg.in/yaml%2ev3");
  EXPECT_EQ(package_of("main.main"), "main");
}

TEST(PackageOf, TypeArgumentsAreNotOfIt) {
  EXPECT_EQ(package_of("slices.Insert[go.shape.[]a.com/b.T]"), "slices");
  EXPECT_EQ(package_of("example.com/a.Map[go.shape.struct { example.com/b.X int }]"),
            "example.com/a");
}

TEST(PackageOf, OddNamesHaveAnAnswer) {
  EXPECT_EQ(package_of(""), "");
  EXPECT_EQ(package_of("memmove"), "memmove");
  EXPECT_EQ(package_of("["), "");
  EXPECT_EQ(package_of("/"), "/");
  EXPECT_EQ(package_of("a/"), "a/");
}

TEST(ShortFunction, OfAGenericTypeKeepsItsArguments) {
  EXPECT_EQ(short_function("main.Pair[example.com/b.K]"), "main.Pair[example.com/b.K]");
}

TEST(IsStandardLibrary, HasNoDotInTheFirstElement) {
  EXPECT_TRUE(is_standard_library("runtime.growslice"));
  EXPECT_TRUE(is_standard_library("encoding/json.Marshal"));
  EXPECT_TRUE(is_standard_library("slices.Insert[go.shape.[]a.com/b.T]"));
  EXPECT_FALSE(is_standard_library("github.com/a/b.F"));
  EXPECT_FALSE(is_standard_library("gopkg.in/yaml%2ev3.Unmarshal"));
  EXPECT_FALSE(is_standard_library("main.main"));
  EXPECT_FALSE(is_standard_library("command-line-arguments.F"));
}

// Go's own copies of other people's code are of the standard library, as its linker names them.
TEST(IsStandardLibrary, VendoredCodeIs) {
  EXPECT_TRUE(is_standard_library("vendor/golang.org/x/net/http/httpguts.ValidHeaderFieldName"));
}

}  // namespace
}  // namespace geist
