// Addresses of different spaces do not mix; the bias is the way from one to the other.
#include "base/address.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace geist {
namespace {

template <typename A, typename B>
concept CanSubtract = requires(A a, B b) { a - b; };
template <typename A, typename B>
concept CanCompare = requires(A a, B b) { a < b; };

static_assert(CanSubtract<TargetAddr, TargetAddr> && CanCompare<TargetAddr, TargetAddr>);
static_assert(!CanSubtract<TargetAddr, ImageAddr> && !CanCompare<TargetAddr, ImageAddr>);
static_assert(!std::is_convertible_v<ImageAddr, TargetAddr>);
static_assert(!std::is_constructible_v<TargetAddr, FileOffset>);
static_assert(!std::is_convertible_v<u64, TargetAddr>);
static_assert(!std::is_convertible_v<TargetAddr, u64>);

TEST(Address, DifferencesAreBytes) {
  const TargetAddr begin(0x1000);
  EXPECT_EQ((begin + 0x20) - begin, 0x20u);
  EXPECT_EQ((begin - 0x20).value, 0xfe0u);
  EXPECT_LT(begin, begin + 1);
  EXPECT_FALSE(TargetAddr());
  EXPECT_TRUE(begin);
}

TEST(Address, TheBiasLeadsThereAndBack) {
  const LoadBias bias{0x5555'5555'4000};
  const ImageAddr linked(0x401000);
  EXPECT_EQ(bias.to_target(linked).value, 0x5555'5595'5000u);
  EXPECT_EQ(bias.to_image(bias.to_target(linked)), linked);
  // A bias may be negative: prelinked files.
  const LoadBias down{~u64{0} - 0xfff};
  EXPECT_EQ(down.to_target(linked).value, 0x400000u);
  EXPECT_EQ(down.to_image(down.to_target(linked)), linked);
}

TEST(Address, HasAHash) {
  std::unordered_set<ImageAddr> known{ImageAddr(1), ImageAddr(2), ImageAddr(1)};
  EXPECT_EQ(known.size(), 2u);
  EXPECT_TRUE(known.contains(ImageAddr(2)));
}

}  // namespace
}  // namespace geist
