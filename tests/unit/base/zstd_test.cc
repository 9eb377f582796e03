// What was written comes back, and of a file that is cut or changed nothing does.
#include "base/zstd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace geist {
namespace {

class Zstd : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "geist-zstd-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = (folder_ / "file").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<u8> read_file() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
  std::string path_;
};

std::vector<u8> make_bytes(usize size) {
  std::vector<u8> bytes(size);
  for (usize i = 0; i < size; ++i) bytes[i] = static_cast<u8>(i * i >> 7);
  return bytes;
}

TEST_F(Zstd, GivesBackWhatWasWritten) {
  std::vector<u8> bytes = make_bytes(3 << 20);
  Result<ZstdWriter> writer = ZstdWriter::create(path_);
  ASSERT_TRUE(writer.ok()) << writer.error().message();
  writer->promise(bytes.size());
  for (usize at = 0; at < bytes.size(); at += 100000) {
    ByteView part = ByteView(bytes).subspan(at);
    ASSERT_TRUE(writer->append(part.first(std::min<usize>(100000, part.size()))).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_TRUE(writer->finish().ok());
  std::vector<u8> file = read_file();
  EXPECT_LT(file.size(), bytes.size());
  ASSERT_TRUE(is_zstd(file));
  Result<LoadedBytes> loaded = read_zstd(file, "file");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  EXPECT_TRUE(std::ranges::equal(loaded->bytes(), bytes));
}

TEST_F(Zstd, LeavesNothingOfAFileThatWasNotFinished) {
  {
    Result<ZstdWriter> writer = ZstdWriter::create(path_);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->append(make_bytes(1 << 20)).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(Zstd, EveryTruncationAndEveryChangedByteIsAnError) {
  Result<ZstdWriter> writer = ZstdWriter::create(path_);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->append(make_bytes(5000)).ok());
  ASSERT_TRUE(writer->finish().ok());
  std::vector<u8> whole = read_file();
  for (usize size = 4; size < whole.size(); ++size) {
    Result<LoadedBytes> loaded = read_zstd(ByteView(whole).first(size), "file");
    ASSERT_FALSE(loaded.ok()) << size << " of " << whole.size() << " bytes were taken";
  }
  for (usize at = 0; at < whole.size(); ++at) {
    std::vector<u8> changed = whole;
    changed[at] ^= 0x10;
    Result<LoadedBytes> loaded = read_zstd(changed, "file");
    // Some bits of a frame's header mean nothing to a reader; then the bytes are what they were.
    if (!loaded.ok()) continue;
    EXPECT_TRUE(std::ranges::equal(loaded->bytes(), make_bytes(5000))) << "byte " << at;
  }
}

TEST_F(Zstd, AFolderThatIsNotThereIsAnError) {
  EXPECT_FALSE(ZstdWriter::create((folder_ / "none" / "file").string()).ok());
}

}  // namespace
}  // namespace geist
