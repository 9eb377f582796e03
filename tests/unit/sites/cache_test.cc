// What the cache gives back is what the search found, or nothing: for every damage of the file, and
// for every table that does not fit the program.
#include "sites/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "../read/go_fixture.h"
#include "sites/table_bytes.h"

namespace geist::sites {
namespace {

namespace fs = std::filesystem;

class Cache : public testing::Test {
 protected:
  Cache() {
    std::string pattern = fs::temp_directory_path() / "geist-cache-test-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = fs::path(pattern) / "a" / "b";
    auto opened = read::GoBinary::open(read::default_fixture());
    EXPECT_TRUE(opened.ok());
    binary = std::move(opened).value();
  }
  ~Cache() override { fs::remove_all(folder.parent_path().parent_path()); }

  // As one run does it; true when it needed no search.
  bool run() {
    SiteCache cache(folder);
    SiteTable table = cache.find_or_search(*binary, 2);
    last = emit_site_table(*binary, table);
    cache.save();
    return cache.was_hit();
  }
  fs::path only_file() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
    EXPECT_EQ(files.size(), 1u);
    return files.empty() ? fs::path() : files[0];
  }
  static std::vector<u8> bytes_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  static void write(const fs::path& path, const std::vector<u8>& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }

  fs::path folder;
  std::unique_ptr<read::GoBinary> binary;
  std::vector<u8> last;
};

TEST_F(Cache, TheSecondRunFindsWhatTheFirstFound) {
  EXPECT_FALSE(run());
  std::vector<u8> first = last;
  EXPECT_GT(first.size(), 1000u);
  EXPECT_TRUE(run());
  EXPECT_EQ(last, first);
  EXPECT_EQ(fs::status(only_file()).permissions() & fs::perms::all,
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Cache, AnyChangedByteMakesItAbsent) {
  run();
  const std::vector<u8> first = last;
  const std::vector<u8> sound = bytes_of(only_file());
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    std::vector<u8> damaged = sound;
    usize at = i < 64 ? static_cast<usize>(i) : random() % damaged.size();
    damaged[at] = static_cast<u8>(damaged[at] ^ (1u << (random() % 8)));
    write(only_file(), damaged);
    ASSERT_FALSE(run()) << "byte " << at;
    ASSERT_EQ(last, first);
    ASSERT_EQ(bytes_of(only_file()), sound);  // written anew
  }
}

TEST_F(Cache, CutOffOrLongerFilesAreAbsent) {
  run();
  const std::vector<u8> sound = bytes_of(only_file());
  for (usize size :
       {usize{0}, usize{1}, usize{51}, sound.size() / 2, sound.size() - 1, sound.size() + 1}) {
    std::vector<u8> other = sound;
    other.resize(size);
    write(only_file(), other);
    EXPECT_FALSE(run()) << size;
  }
}

TEST_F(Cache, FilesThatOthersCanWriteAreNotTaken) {
  run();
  fs::permissions(only_file(), fs::perms::others_write, fs::perm_options::add);
  EXPECT_FALSE(run());
  run();
  fs::path file = only_file();
  fs::path elsewhere = folder / "elsewhere";
  fs::rename(file, elsewhere);
  fs::create_symlink(elsewhere, file);
  EXPECT_FALSE(run());
}

TEST_F(Cache, WithoutAFolderTheSearchGoesOn) {
  fs::create_directories(folder.parent_path());
  write(folder, {});  // a file is in the way
  EXPECT_FALSE(run());
  EXPECT_FALSE(run());
  EXPECT_GT(last.size(), 1000u);
  EXPECT_TRUE(SiteCache::find_problem(folder).has_value());
  EXPECT_TRUE(SiteCache::find_problem("").has_value());
  EXPECT_EQ(SiteCache::find_problem(folder.parent_path() / "new"), std::nullopt);
}

TEST_F(Cache, OneChangedByteOfTheProgramIsAnotherProgram) {
  run();
  std::vector<u8> bytes = read::read_file(read::default_fixture());
  std::optional<ByteView> text = binary->image().find_bytes(binary->module().text, 64);
  ASSERT_TRUE(text.has_value());
  bytes[static_cast<usize>(text->data() - binary->image().file_bytes().data())] ^= 1;
  auto image = read::Image::from_bytes(bytes, "changed");
  ASSERT_TRUE(image.ok());
  auto changed = read::GoBinary::from_image(std::move(image).value());
  ASSERT_TRUE(changed.ok());
  SiteCache cache(folder);
  (void)cache.find_or_search(*changed.value(), 2);
  EXPECT_FALSE(cache.was_hit());
}

// Behind a checksum that fits, anything may stand: what is read is in range, or it is nothing. ASan
// looks on in `dev`.
TEST_F(Cache, DamagedTablesAreRefusedOrInRange) {
  run();
  const std::vector<u8> sound = last;
  std::mt19937 random(2);
  u32 refused = 0;
  constexpr u32 kRounds = 300;
  for (u32 i = 0; i < kRounds; ++i) {
    std::vector<u8> damaged = sound;
    for (u32 n = 0; n < 1 + i % 4; ++n)
      damaged[random() % damaged.size()] = static_cast<u8>(random());
    std::optional<SiteTable> table = read_site_table(*binary, damaged);
    refused += table ? 0 : 1;
    if (!table) continue;
    for (const AppendSite& site : table->sites) {
      read::Function function = binary->pclntab().function(site.function);
      ASSERT_GE(site.call, function.entry);
      ASSERT_LE(site.call, function.end);
      if (site.bucket != SiteBucket::kProbed) continue;
      ASSERT_LE(site.displaced.begin, site.branch);
      ASSERT_LT(site.branch, site.displaced.end);
      ASSERT_LE(site.displaced.end, function.end);
    }
  }
  EXPECT_GT(refused, kRounds / 4);
  EXPECT_FALSE(read_site_table(*binary, {}).has_value());
  std::vector<u8> longer = sound;
  longer.push_back(0);
  EXPECT_FALSE(read_site_table(*binary, longer).has_value());
}

TEST(Eviction, TakesTheOldestUntilTheRestFits) {
  std::vector<CacheFile> files = {{"old", 40, 1}, {"new", 40, 3}, {"middle", 40, 2}};
  EXPECT_EQ(choose_evicted(files, 120), std::vector<std::string>{});
  EXPECT_EQ(choose_evicted(files, 100), std::vector<std::string>{"old"});
  EXPECT_EQ(choose_evicted(files, 0), (std::vector<std::string>{"new", "middle", "old"}));
}

}  // namespace
}  // namespace geist::sites
