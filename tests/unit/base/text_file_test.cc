// Files that are taken as a whole, and what is said of those that cannot be.
#include "base/text_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace geist {
namespace {

TEST(TextFile, IsReadAsItIs) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("geist-text-" + std::to_string(::getpid()));
  // More than one buffer, and a NUL inside.
  const std::string text = std::string(100000, 'x') + std::string("\0\r\n", 3);
  std::ofstream(path, std::ios::binary) << text;
  Result<std::string> read = read_text_file(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value(), text);
}

TEST(TextFile, WhatCannotBeReadIsNamed) {
  Result<std::string> missing = read_text_file("/nonexistent/rules.txt");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message(), "/nonexistent/rules.txt: No such file or directory");
  Result<std::string> folder = read_text_file("/");
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().message(), "/: Is a directory");
}

}  // namespace
}  // namespace geist
