// Decoded addresses against the symbol table of the same binary.
#include "heap/runtime_symbols.h"

#include <gtest/gtest.h>

#include "live_program.h"

namespace geist::heap {
namespace {

std::unique_ptr<read::GoBinary> open(const GoBuild& build) {
  std::string path = build_go("shapes.go", build);
  EXPECT_FALSE(path.empty()) << build.name();
  Result<std::unique_ptr<read::GoBinary>> binary = read::GoBinary::open(path);
  EXPECT_TRUE(binary.ok()) << build.name() << ": " << binary.error().message();
  return binary.ok() ? std::move(binary).value() : nullptr;
}

void expect_same(const Result<RuntimeSymbols>& a, const Result<RuntimeSymbols>& b) {
  ASSERT_TRUE(a.ok()) << a.error().message();
  ASSERT_TRUE(b.ok()) << b.error().message();
  EXPECT_EQ(a->mheap, b->mheap);
  EXPECT_EQ(a->allgptr, b->allgptr);
  EXPECT_EQ(a->allglen, b->allglen);
}

class RuntimeSymbolsTest : public testing::TestWithParam<std::string> {};

TEST_P(RuntimeSymbolsTest, DecodedAreThoseOfTheSymbolTable) {
  for (const char* mode : {"", "-buildmode=pie"}) {
    SCOPED_TRACE(mode);
    std::unique_ptr<read::GoBinary> binary = open({GetParam(), mode});
    ASSERT_NE(binary, nullptr);
    ASSERT_TRUE(binary->image().find_symbol("runtime.mheap_").has_value());
    expect_same(decode_runtime_symbols(*binary), find_runtime_symbols(*binary));
  }
}

// The linker moves data by a few bytes when it strips, so the addresses themselves are held against
// a running program (live_heap_test); here is only that each kind of stripped build gives them.
TEST_P(RuntimeSymbolsTest, StrippedBuildsDecode) {
  for (const std::string mode : {"", "-buildmode=pie", "'-gcflags=-N -l'"}) {
    SCOPED_TRACE(mode);
    std::unique_ptr<read::GoBinary> stripped = open({GetParam(), mode + " '-ldflags=-s -w'"});
    ASSERT_NE(stripped, nullptr);
    ASSERT_FALSE(stripped->image().find_symbol("runtime.mheap_").has_value());
    Result<RuntimeSymbols> symbols = find_runtime_symbols(*stripped);
    EXPECT_TRUE(symbols.ok()) << symbols.error().message();
  }
}

INSTANTIATE_TEST_SUITE_P(Releases, RuntimeSymbolsTest, testing::ValuesIn(test_toolchains()),
                         [](const testing::TestParamInfo<std::string>& release) {
                           std::string name;
                           for (char c : release.param) name += std::isalnum(c) ? c : '_';
                           return name.empty() ? "default_release" : name;
                         });

// A binary where the instructions say different things, or nothing, is refused by the variable's
// name.
TEST(RuntimeSymbolsTest, RefusesWhatItCannotDecode) {
  std::string path = build_go("shapes.go", {"", "'-ldflags=-s -w'"});
  ASSERT_FALSE(path.empty());
  Result<read::Image> image = read::Image::open(path);
  ASSERT_TRUE(image.ok());
  ByteView file = image->file_bytes();
  std::vector<u8> bytes(file.begin(), file.end());
  // $0x400000 of every CMPQ reg, $0x400000 becomes $0x400001: no span lookup is known any more.
  usize changed = 0;
  for (usize i = 0; i + 7 <= bytes.size(); ++i) {
    if ((bytes[i] & 0xfe) != 0x48 || bytes[i + 1] != 0x81 || (bytes[i + 2] & 0xf8) != 0xf8)
      continue;
    if (find_int<u32>(bytes, i + 3) != 0x400000u) continue;
    bytes[i + 3] = 1;
    ++changed;
  }
  ASSERT_GT(changed, 0u);
  Result<read::Image> damaged = read::Image::from_bytes(bytes, "damaged");
  ASSERT_TRUE(damaged.ok());
  Result<std::unique_ptr<read::GoBinary>> binary =
      read::GoBinary::from_image(std::move(damaged).value());
  ASSERT_TRUE(binary.ok()) << binary.error().message();
  Result<RuntimeSymbols> symbols = find_runtime_symbols(*binary.value());
  ASSERT_FALSE(symbols.ok());
  EXPECT_NE(symbols.error().message().find("runtime.mheap_"), std::string::npos)
      << symbols.error().message();
}

}  // namespace
}  // namespace geist::heap
