// A mapped file that somebody makes shorter while it is read.
#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace geist {
namespace {

class File {
 public:
  explicit File(usize size) {
    path = std::filesystem::temp_directory_path() /
           ("geist-mapped-" + std::to_string(::getpid()) + "-" + std::to_string(++count_));
    std::ofstream(path) << std::string(size, 'x');
  }
  ~File() { std::filesystem::remove(path); }
  std::string path;

 private:
  static inline int count_ = 0;
};

constexpr usize kPage = 4096;

TEST(MappedFile, WhatWasCutOffReadsAsZeros) {
  File file(4 * kPage);
  auto mapped = MappedFile::open(file.path);
  ASSERT_TRUE(mapped.ok());
  EXPECT_TRUE(mapped->is_whole());
  ASSERT_EQ(::truncate(file.path.c_str(), kPage), 0);
  EXPECT_EQ(mapped->bytes()[kPage - 1], 'x');
  EXPECT_TRUE(mapped->is_whole());
  usize xs = 0;
  for (u8 byte : mapped->bytes()) xs += byte == 'x' ? 1 : 0;
  EXPECT_EQ(xs, kPage);
  EXPECT_FALSE(mapped->is_whole());
}

TEST(MappedFile, OneThatWasCutSaysNothingOfAnother) {
  File file(2 * kPage), other(2 * kPage);
  auto mapped = MappedFile::open(file.path);
  auto beside = MappedFile::open(other.path);
  ASSERT_TRUE(mapped.ok() && beside.ok());
  ASSERT_EQ(::truncate(file.path.c_str(), 0), 0);
  EXPECT_EQ(mapped->bytes()[0], 0);
  EXPECT_EQ(beside->bytes()[2 * kPage - 1], 'x');
  EXPECT_FALSE(mapped->is_whole());
  EXPECT_TRUE(beside->is_whole());
  const MappedFile moved = std::move(mapped).value();
  EXPECT_FALSE(moved.is_whole());
}

// What is no mapped file of ours ends the process, as ever.
TEST(MappedFileDeathTest, AnotherBusErrorIsNotOurs) {
  File file(kPage);
  auto mapped = MappedFile::open(file.path);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EXIT(::raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace geist
