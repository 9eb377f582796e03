#include "process/parted_memory.h"

#include <gtest/gtest.h>

#include <array>

namespace geist::process {
namespace {

// `size` times the same byte, from `begin` on.
class Filled : public Memory {
 public:
  Filled(u64 begin, u64 size, u8 value) : begin_(begin), size_(size), value_(value) {}
  bool read(TargetAddr addr, std::span<u8> out) const override {
    return read_some(addr, out) == out.size();
  }
  usize read_some(TargetAddr addr, std::span<u8> out) const override {
    if (addr.value < begin_ || addr.value >= begin_ + size_) return 0;
    usize count = std::min<u64>(out.size(), begin_ + size_ - addr.value);
    std::fill_n(out.begin(), count, value_);
    return count;
  }

 private:
  u64 begin_, size_;
  u8 value_;
};

class PartedMemoryTest : public testing::Test {
 protected:
  PartedMemoryTest() : memory_(std::make_unique<Filled>(0, 100, 'r')) {
    memory_.add_part(TargetAddr(20), TargetAddr(40), std::make_unique<Filled>(0, 100, 'a'));
    memory_.add_part(TargetAddr(40), TargetAddr(60), std::make_unique<Filled>(0, 50, 'b'));
    memory_.add_patch(TargetAddr(30), 4, reinterpret_cast<const u8*>("PQRS"));
    memory_.add_patch(TargetAddr(34), 2, nullptr);
    memory_.add_patch(TargetAddr(70), 1, reinterpret_cast<const u8*>("T"));
  }
  // '.' for a byte that is zero; only as much as can be read.
  std::string read(u64 begin, u64 size) {
    std::string text(size, '?');
    usize got = memory_.read_some(TargetAddr(begin), {reinterpret_cast<u8*>(text.data()), size});
    text.resize(got);
    for (char& c : text) c = c == '\0' ? '.' : c;
    return text;
  }
  PartedMemory memory_;
};

TEST_F(PartedMemoryTest, EachByteComesFromItsPlace) {
  EXPECT_EQ(read(18, 5), "rraaa");
  EXPECT_EQ(read(28, 10), "aaPQRS..aa");
  EXPECT_EQ(read(31, 2), "QR");
  EXPECT_EQ(read(35, 1), ".");
  EXPECT_EQ(read(38, 4), "aabb");
  EXPECT_EQ(read(68, 5), "rrTrr");
}

TEST_F(PartedMemoryTest, ReadingEndsWhereOnePlaceDoes) {
  EXPECT_EQ(read(45, 20), "bbbbb");
  EXPECT_EQ(read(52, 4), "");
  EXPECT_EQ(read(60, 4), "rrrr");
  EXPECT_EQ(read(95, 10), "rrrrr");
  std::array<u8, 20> bytes;
  EXPECT_FALSE(memory_.read(TargetAddr(45), bytes));
}

}  // namespace
}  // namespace geist::process
