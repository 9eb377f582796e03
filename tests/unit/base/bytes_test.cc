// Bytes that nobody vouches for: a read beyond the end gives zero, says so, and stays failed.
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

#include "base/c_struct.h"

namespace geist {
namespace {

constexpr u64 kMost = std::numeric_limits<u64>::max();

TEST(CheckedArithmetic, GivesNothingWhereItWouldWrap) {
  EXPECT_EQ(checked_add(kMost - 1, 1), kMost);
  EXPECT_EQ(checked_add(kMost, 1), std::nullopt);
  EXPECT_EQ(checked_mul(u64{1} << 32, (u64{1} << 32) - 1), ((u64{1} << 32) - 1) << 32);
  EXPECT_EQ(checked_mul(u64{1} << 32, u64{1} << 32), std::nullopt);
  EXPECT_EQ(checked_mul(0, kMost), 0u);
}

TEST(FindPart, IsInsideOrNothing) {
  const std::array<u8, 4> bytes{1, 2, 3, 4};
  ASSERT_TRUE(find_part(bytes, 1, 3));
  EXPECT_EQ((*find_part(bytes, 1, 3))[0], 2);
  EXPECT_TRUE(find_part(bytes, 4, 0));
  EXPECT_FALSE(find_part(bytes, 5, 0));
  EXPECT_FALSE(find_part(bytes, 2, 3));
  EXPECT_FALSE(find_part(bytes, 1, kMost));
  EXPECT_FALSE(find_part(bytes, kMost, 1));
}

TEST(FindInt, ReadsLittleEndianAtAnyAlignment) {
  const std::array<u8, 9> bytes{0xff, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(find_int<u64>(bytes, 1), 0x0807060504030201u);
  EXPECT_EQ(find_int<u64>(bytes, 2), std::nullopt);
  EXPECT_EQ(find_int<u16>(bytes, 7), 0x0807);
  EXPECT_EQ(find_int<u8>(bytes, 9), std::nullopt);
  EXPECT_EQ(find_int<u32>(bytes, kMost - 1), std::nullopt);
  EXPECT_EQ(find_int<i8>(bytes, 0), -1);
}

TEST(FindStruct, IsWholeOrNothing) {
  struct Pair {
    u16 a, b;
  };
  const std::array<u8, 5> bytes{0, 1, 0, 2, 0};
  const std::optional<Pair> pair = find_struct<Pair>(bytes, 1);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->a, 1);
  EXPECT_EQ(pair->b, 2);
  EXPECT_FALSE(find_struct<Pair>(bytes, 2));
}

TEST(ByteReader, ReadsInOrderAndKnowsWhereItIs) {
  const std::array<u8, 19> bytes{1,    2, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff,
                                 0xff, 4, 0, 0, 0, 0, 0, 0,    0};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read_u8(), 1);
  EXPECT_EQ(reader.read_u16(), 2);
  EXPECT_EQ(reader.read_u32(), 3u);
  EXPECT_EQ(reader.read_i32(), -1);
  EXPECT_EQ(reader.offset(), 11u);
  EXPECT_EQ(reader.read_u64(), 4u);
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_FALSE(reader.failed());
}

TEST(ByteReader, StaysFailedAfterAReadBeyondTheEnd) {
  const std::array<u8, 3> bytes{1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read_u32(), 0u);
  EXPECT_TRUE(reader.failed());
  // What would have fitted is not read any more, or half a record would pass for a whole one.
  EXPECT_EQ(reader.read_u8(), 0);
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_TRUE(reader.failed());
}

TEST(ByteReader, ToBeginOrToSkipBeyondTheEndFails) {
  const std::array<u8, 3> bytes{1, 2, 3};
  EXPECT_FALSE(ByteReader(bytes, 3).failed());
  EXPECT_TRUE(ByteReader(bytes, 4).failed());
  ByteReader reader(bytes);
  reader.skip(3);
  EXPECT_FALSE(reader.failed());
  reader.skip(kMost);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.offset(), 3u);
}

TEST(ByteReader, GivesBytesWholeOrNotAtAll) {
  const std::array<u8, 3> bytes{1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read_bytes(2).size(), 2u);
  EXPECT_TRUE(reader.read_bytes(2).empty());
  EXPECT_TRUE(reader.failed());
}

u64 uvarint(const std::vector<u8>& bytes, bool* failed) {
  ByteReader reader(bytes);
  const u64 value = reader.read_uvarint();
  *failed = reader.failed();
  return value;
}

TEST(ByteReader, ReadsVarintsOfAtMostTenBytes) {
  bool failed = true;
  EXPECT_EQ(uvarint({0x7f}, &failed), 0x7fu);
  EXPECT_FALSE(failed);
  EXPECT_EQ(uvarint({0xe5, 0x8e, 0x26}, &failed), 624485u);  // the example of DWARF 5, 7.6
  EXPECT_FALSE(failed);
  std::vector<u8> most(9, 0xff);
  most.push_back(1);
  EXPECT_EQ(uvarint(most, &failed), kMost);
  EXPECT_FALSE(failed);
  EXPECT_EQ(uvarint({0x80, 0x80}, &failed), 0u);
  EXPECT_TRUE(failed);
  EXPECT_EQ(uvarint(std::vector<u8>(11, 0x80), &failed), 0u);
  EXPECT_TRUE(failed);
}

TEST(ByteReader, ReadsStringsThatEndInside) {
  const std::array<u8, 6> bytes{'a', 'b', 0, 0, 'c', 'd'};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read_cstring(), "ab");
  EXPECT_EQ(reader.read_cstring(), "");
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.read_cstring(), "");
  EXPECT_TRUE(reader.failed());
}

TEST(ByteReader, OfNothingReadsNothing) {
  ByteReader reader{ByteView()};
  EXPECT_EQ(reader.read_cstring(), "");
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace geist
