// Conditions as words, and chosen calls as ranges of return addresses.
#include "probe/condition.h"

#include <gtest/gtest.h>

#include "../read/built_program.h"
#include "probe/pool.h"
#include "sites/names.h"

namespace geist::probe {
namespace {

TEST(Condition, KindsAndSitesAreRead) {
  Result<Condition> roomy = read_condition("roomy");
  ASSERT_TRUE(roomy.ok());
  EXPECT_EQ(roomy->kind, ConditionKind::kRoomy);
  EXPECT_TRUE(roomy->sites.empty());
  Result<Condition> tight = read_condition("tight64");
  ASSERT_TRUE(tight.ok());
  EXPECT_EQ(tight->tight_len, 64u);
  EXPECT_EQ(tight->kind_text(), "tight64");
  Result<Condition> of_site = read_condition("tight=7:main.f:main.go:12");
  ASSERT_TRUE(of_site.ok());
  EXPECT_EQ(of_site->tight_len, 7u);
  EXPECT_EQ(of_site->sites, std::vector<std::string>{"main.f:main.go:12"});
  EXPECT_EQ(of_site->texts(), std::vector<std::string>{"tight=7:main.f:main.go:12"});
  Result<Condition> pool = read_condition("pool:main.f:main.go:12");
  ASSERT_TRUE(pool.ok());
  EXPECT_EQ(pool->kind, ConditionKind::kPool);
  EXPECT_EQ(pool->texts(), std::vector<std::string>{"pool:main.f:main.go:12"});
}

TEST(Condition, WhatIsNoneIsRefused) {
  for (const char* text : {"", "roomyy", "tight", "tight=", "tight=0", "tight=-1", "tight=9x",
                           "tight=99999999999", "roomy:", ":main.f", "tight64=3", "pool=2", "pool:"}) {
    Result<Condition> condition = read_condition(text);
    ASSERT_FALSE(condition.ok()) << text;
    EXPECT_FALSE(condition.error().hint().empty());
  }
}

TEST(Condition, ThoseOfOneKindBecomeOne) {
  Result<std::vector<Condition>> some = read_conditions({"roomy:a", "tight64", "roomy:b"});
  ASSERT_TRUE(some.ok());
  ASSERT_EQ(some->size(), 2u);
  EXPECT_EQ(some.value()[0].sites, (std::vector<std::string>{"a", "b"}));
  Result<std::vector<Condition>> all = read_conditions({"roomy:a", "roomy"});
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 1u);
  EXPECT_TRUE(all.value()[0].sites.empty());
}

TEST(Growth, ChosenCallsAreFewRanges) {
  sites::SiteTable table;
  for (u64 call : {0x100, 0x200, 0x300, 0x400, 0x500}) {
    sites::AppendSite site;
    site.call = ImageAddr(call);
    table.sites.push_back(site);
  }
  auto at = [](u64 call) { return ImageAddr(call); };
  EXPECT_TRUE(ranges_of_calls(table, {}).empty());
  EXPECT_EQ(ranges_of_calls(table, {at(0x300)}), (std::vector<CodeRange>{{at(0x305), at(0x305)}}));
  // Without another site between them they are one range.
  EXPECT_EQ(ranges_of_calls(table, {at(0x500), at(0x100), at(0x200)}),
            (std::vector<CodeRange>{{at(0x105), at(0x205)}, {at(0x505), at(0x505)}}));
  EXPECT_EQ(ranges_of_calls(table, {at(0x100), at(0x200), at(0x300), at(0x400), at(0x500)}),
            (std::vector<CodeRange>{{at(0x105), at(0x505)}}));
}

constexpr const char* kPools = R"(package main

import "sync"

var p sync.Pool
var kept any

//go:noinline
func put(x any) { p.Put(x) }

func main() {
	put(new(int))
	p.Put(&kept)
	kept = p.Get()
}
)";

TEST(Pool, CallsOfPutAreFoundAndOneOfThemCanBeChosen) {
  const read::BuiltProgram program(kPools);
  ASSERT_TRUE(program.binary()) << "is there no Go?";
  Result<PoolPoints> points = PoolPoints::find(*program.binary());
  ASSERT_TRUE(points.ok()) << points.error().message();
  std::vector<i32> lines;
  for (ImageAddr call : points->calls()) {
    const sites::SiteName name = sites::name_of_call(*program.binary(), call);
    if (name.function.starts_with("main.")) lines.push_back(name.line);
  }
  EXPECT_EQ(lines, (std::vector<i32>{9, 13}));
  PlanOptions all, one;
  points->add(std::nullopt, all);
  points->add(std::vector<ImageAddr>{points->calls()[0]}, one);
  ASSERT_EQ(all.points.size(), 1u);
  ASSERT_EQ(one.points.size(), 1u);
  EXPECT_EQ(all.points[0].point.kind, program::PointKind::kEntry);
  EXPECT_LT(all.points[0].primitive.extra_bytes, one.points[0].primitive.extra_bytes);
}

TEST(Pool, AProgramWithoutPoolsIsToldSo) {
  const read::BuiltProgram program("package main\n\nfunc main() {}\n");
  ASSERT_TRUE(program.binary()) << "is there no Go?";
  Result<PoolPoints> points = PoolPoints::find(*program.binary());
  ASSERT_FALSE(points.ok());
  EXPECT_NE(points.error().message().find("sync.Pool"), std::string::npos);
}

}  // namespace
}  // namespace geist::probe
