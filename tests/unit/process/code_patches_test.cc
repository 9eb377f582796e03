// Patches are written into the memory of this very process, mapped for it: what is there afterwards
// is what they say, whichever thread wrote which page.
#include "process/code_patches.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace geist::process {
namespace {

constexpr usize kPageBytes = 4096;

class CodePatches : public ::testing::Test {
 protected:
  static constexpr usize kPages = 400;

  void SetUp() override {
    void* at = ::mmap(nullptr, kPages * kPageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(at, MAP_FAILED);
    code_ = static_cast<u8*>(at);
    auto memory = WritableMemory::open(::getpid());
    ASSERT_TRUE(memory.ok()) << memory.error().message();
    memory_.emplace(std::move(memory).value());
  }
  void TearDown() override { ::munmap(code_, kPages * kPageBytes); }

  // Of zeros, as fresh memory is; `mark` is the byte it leaves there.
  const probe::CodePatch& add(usize offset, u8 mark, usize size = 5) {
    probe::CodePatch& patch = *patches_.emplace_back(std::make_unique<probe::CodePatch>());
    patch.addr = TargetAddr(reinterpret_cast<u64>(code_) + offset);
    patch.original.assign(size, 0);
    patch.replacement.assign(size, mark);
    return patch;
  }
  Patches all() const {
    Patches out;
    for (const auto& patch : patches_) out.push_back(patch.get());
    return out;
  }
  bool is_clean() const {
    return std::all_of(code_, code_ + kPages * kPageBytes, [](u8 byte) { return byte == 0; });
  }

  u8* code_ = nullptr;
  std::optional<WritableMemory> memory_;
  std::vector<std::unique_ptr<probe::CodePatch>> patches_;
};

TEST_F(CodePatches, AreAllWrittenAndAllTakenBack) {
  // In no order, some over a page boundary, pages without any in between.
  for (usize i = 0; i < 4000; ++i) {
    const usize slot = i * 2741 % 4000;
    if (slot * 409 / kPageBytes % 7 != 3) add(slot * 409, static_cast<u8>(1 + slot % 255));
  }
  std::erase_if(patches_, [](const auto& patch) { return !can_write_patch(*patch); });
  ASSERT_GT(patches_.size(), 3000u);
  Result<Patches> left = write_patches(*memory_, all());
  ASSERT_TRUE(left.ok()) << left.error().message();
  EXPECT_TRUE(left.value().empty());
  std::vector<u8> expected(kPages * kPageBytes, 0);
  for (const auto& patch : patches_) {
    std::memcpy(&expected[patch->addr.value - reinterpret_cast<u64>(code_)],
                patch->replacement.data(), patch->replacement.size());
  }
  EXPECT_EQ(std::memcmp(code_, expected.data(), expected.size()), 0);
  left = restore_patches(*memory_, all());
  ASSERT_TRUE(left.ok()) << left.error().message();
  EXPECT_TRUE(left.value().empty());
  EXPECT_TRUE(is_clean());
}

TEST_F(CodePatches, LongOnesReachIntoTheNextPage) {
  add(kPageBytes - 6, 0x11, 20);
  add(kPageBytes + 14, 0x22, 5);
  ASSERT_TRUE(write_patches(*memory_, all()).ok());
  EXPECT_EQ(code_[kPageBytes - 6], 0x11);
  EXPECT_EQ(code_[kPageBytes + 13], 0x11);
  EXPECT_EQ(code_[kPageBytes + 14], 0x22);
  ASSERT_TRUE(restore_patches(*memory_, all()).ok());
  EXPECT_TRUE(is_clean());
}

TEST_F(CodePatches, CodeThatIsNotWhatItShouldBeIsLeftAndReturned) {
  add(100, 0x11);
  probe::CodePatch& strange = const_cast<probe::CodePatch&>(add(200, 0x22));
  strange.original[4] = 0x77;
  add(300, 0x33);
  Result<Patches> left = write_patches(*memory_, all());
  ASSERT_TRUE(left.ok());
  ASSERT_EQ(left.value().size(), 1u);
  EXPECT_EQ(left.value()[0], &strange);
  EXPECT_EQ(code_[100], 0x11);
  EXPECT_EQ(code_[200], 0);
  EXPECT_EQ(code_[300], 0x33);
}

TEST_F(CodePatches, MemoryThatIsNotThereIsAnError) {
  add(100, 0x11);
  ASSERT_EQ(::munmap(code_, kPageBytes), 0);
  EXPECT_FALSE(write_patches(*memory_, all()).ok());
}

}  // namespace
}  // namespace geist::process
