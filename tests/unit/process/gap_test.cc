// Where the region is put: within reach of the code, and below 2 GiB where the code is.
#include "process/install.h"

#include <gtest/gtest.h>

namespace geist::process {
namespace {

constexpr u64 kSize = 0x200000;
constexpr u64 kLowEnd = 0x80000000;
constexpr u64 kReach = u64{1} << 31;

MapEntry mapped(u64 begin, u64 end) {
  MapEntry entry;
  entry.begin = begin;
  entry.end = end;
  return entry;
}

// Programs that are not position independent: the instructions of the region name its addresses in
// 32 bits.
TEST(Gap, IsBelowTwoGigabytesWhereTheCodeIs) {
  const std::vector<MapEntry> maps = {mapped(0x400000, 0x900000),
                                      mapped(0xc000000000, 0xc000400000)};
  auto gap = find_gap(maps, TargetAddr(0x401000), TargetAddr(0x600000), kSize);
  ASSERT_TRUE(gap.ok());
  EXPECT_LE(gap->value + kSize, kLowEnd);
  EXPECT_GE(gap->value, 0x900000u);
}

TEST(Gap, IsInReachOfCodeFurtherUp) {
  constexpr u64 kText = 0x555555554000;
  const std::vector<MapEntry> maps = {mapped(kText, kText + 0x300000)};
  auto gap = find_gap(maps, TargetAddr(kText), TargetAddr(kText + 0x200000), kSize);
  ASSERT_TRUE(gap.ok());
  EXPECT_LT(gap->value + kSize - kText, kReach);
}

TEST(Gap, IsNowhereWhenAllIsTaken) {
  const std::vector<MapEntry> maps = {mapped(0, u64{1} << 33)};
  EXPECT_FALSE(find_gap(maps, TargetAddr(0x401000), TargetAddr(0x600000), kSize).ok());
}

}  // namespace
}  // namespace geist::process
