// What is kept of a program is what it takes to run it again, and nothing that does not hold
// together is run.
#include "run/kept_program.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "run/temporary_folder.h"

namespace geist::run {
namespace {

namespace fs = std::filesystem;

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(KeptProgram, IsReadAsItWasKept) {
  Result<TemporaryFolder> folder = TemporaryFolder::make();
  ASSERT_TRUE(folder.ok());
  std::string program = folder->path() + "/shop.test";
  write(program,
        "\x7f"
        "ELF");
  ::setenv("GEIST", "level=suspect", 1);
  ::setenv("KEPT_EMPTY", "", 1);
  Status kept = keep_program(program, {"./shop.test", "-test.v=true", "", "two words"},
                             folder->path() + "/1");
  ::unsetenv("GEIST");
  ASSERT_TRUE(kept.ok());
  fs::remove(program);  // as go test does
  Result<KeptProgram> again = read_kept_program(folder->path() + "/1");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->path, folder->path() + "/1/shop.test");
  EXPECT_TRUE(fs::exists(again->path));
  EXPECT_EQ(again->command,
            (std::vector<std::string>{again->path, "-test.v=true", "", "two words"}));
  EXPECT_EQ(again->folder, fs::current_path().string());
  auto has = [&](const std::string& variable) {
    return std::ranges::count(again->environment, variable) != 0;
  };
  EXPECT_TRUE(has("KEPT_EMPTY="));
  EXPECT_FALSE(has("GEIST=level=suspect"));
}

TEST(KeptProgram, WhatIsDamagedIsRefused) {
  Result<TemporaryFolder> folder = TemporaryFolder::make();
  ASSERT_TRUE(folder.ok());
  EXPECT_FALSE(read_kept_program(folder->path()).ok());
  using namespace std::string_literals;
  for (const std::string& words :
       {""s, "/\0x\0"s, "/\0x\0"s + "2\0./x\0"s, "/\0x\0"s + "0\0./x\0"s, "/\0x\0many\0./x\0"s,
        "/\0x\0"s + "-1\0./x\0"s, "/\0x\0"s + "99999999999999999999\0./x\0"s,
        "/no/such/folder\0x\0"s + "1\0./x\0"s}) {
    write(folder->path() + "/again", words);
    EXPECT_FALSE(read_kept_program(folder->path()).ok()) << words.size();
  }
  write(folder->path() + "/again", "/\0x\0"s + "1\0./x\0"s);
  EXPECT_TRUE(read_kept_program(folder->path()).ok());
}

}  // namespace
}  // namespace geist::run
