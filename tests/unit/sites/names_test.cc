// Names of appends as they are printed. What a name means in a binary is asked in tests/cases/heal.
#include "sites/names.h"

#include <gtest/gtest.h>

namespace geist::sites {
namespace {

TEST(SiteName, TextLeavesPathsOut) {
  SiteName name{"github.com/labstack/echo.(*Group).add", "/go/pkg/mod/echo@v2/group.go", 145};
  EXPECT_EQ(name.text(), "echo.(*Group).add:group.go:145");
}

TEST(SiteName, TextOfGenericFunctions) {
  SiteName name{"example.com/x/sets.(*Set[...]).With", "/src/sets/set.go", 10};
  EXPECT_EQ(name.text(), "sets.(*Set[...]).With:set.go:10");
}

}  // namespace
}  // namespace geist::sites
