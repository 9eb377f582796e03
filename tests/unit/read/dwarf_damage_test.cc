// DebugInfo on debug sections put together by hand: what sound ones say, and that damage in any
// byte, any length and any reference ends in an error or fewer answers, never in a crash (the
// preset dev watches with sanitizers).
#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/fd.h"

#include "dwarf_bytes.h"
#include "read/dwarf/debug_info.h"

namespace geist::read {
namespace {

// Everything that can be asked; the answers are of no interest here.
void ask_all(const std::vector<u8>& bytes) {
  Result<Image> opened = Image::from_bytes(bytes, "damaged");
  if (!opened.ok()) return;
  Image image = std::move(opened).value();
  Result<std::unique_ptr<DebugInfo>> result = DebugInfo::open(image);
  if (!result.ok() || result.value() == nullptr) return;
  DebugInfo& info = *result.value();
  for (u64 pc = 0xff0; pc < 0x1160; pc += 8) info.variables_at(ImageAddr(pc), ImageAddr(pc));
  info.find_global(ImageAddr(0x5008));
  info.find_type(ImageAddr(0x80));
  info.find_type_named("main.Node");
  info.captures_of("main.outer.func1");
}

class DebugInfoByHand : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { load(make_debug_sections(GetParam())); }

  void load(const DebugSections& sections) {
    info_.reset();
    Result<Image> image = Image::from_bytes(make_debug_elf(sections), "by hand");
    ASSERT_TRUE(image.ok()) << image.error().message();
    image_.emplace(std::move(image).value());
    Result<std::unique_ptr<DebugInfo>> info = DebugInfo::open(*image_);
    ASSERT_TRUE(info.ok()) << info.error().message();
    info_ = std::move(info).value();
    ASSERT_NE(info_, nullptr);
  }

  std::vector<Variable> at(u64 pc) { return info_->variables_at(ImageAddr(pc), ImageAddr(pc)); }

  std::vector<std::string> names_at(u64 pc) {
    std::vector<std::string> names;
    for (const Variable& variable : at(pc))
      names.push_back(variable.function + ": " + variable.name);
    return names;
  }

  std::optional<Image> image_;
  std::unique_ptr<DebugInfo> info_;
};

using Names = std::vector<std::string>;

TEST_P(DebugInfoByHand, ScopesThatHoldThePcAreListedInnermostFirst) {
  EXPECT_EQ(names_at(0x1000), (Names{"main.outer: xs", "main.outer: heap"}));
  EXPECT_EQ(names_at(0x1028), (Names{"main.outer: inner", "main.outer: xs", "main.outer: heap"}));
  EXPECT_EQ(names_at(0x1030), (Names{"main.outer: xs", "main.outer: heap"}));
  EXPECT_EQ(names_at(0x1040),
            (Names{"main.callee: ys", "main.outer: inner", "main.outer: xs", "main.outer: heap"}));
  EXPECT_EQ(at(0x1040)[0].inline_depth, 1U);
  EXPECT_EQ(names_at(0x1120), (Names{"main.outer.func1: captured"}));
  EXPECT_TRUE(names_at(0xfff).empty());
  EXPECT_TRUE(names_at(0x1140).empty());
}

TEST_P(DebugInfoByHand, TheScopeAndTheLocationMayBeOfTwoPcs) {
  std::vector<Variable> variables = info_->variables_at(ImageAddr(0x101f), ImageAddr(0x1020));
  ASSERT_FALSE(variables.empty());
  EXPECT_EQ(variables[0].name, "xs");
  EXPECT_EQ(variables[0].pieces[0].where, Piece::Where::kCfa);
  EXPECT_EQ(at(0x101f)[0].pieces[0].where, Piece::Where::kRegister);
}

TEST_P(DebugInfoByHand, WordsAreInRegistersInMemoryOrNowhere) {
  std::vector<Variable> first = at(0x1000);
  ASSERT_EQ(first[0].pieces.size(), 3U);
  EXPECT_EQ(first[0].pieces[0].reg, 0);
  EXPECT_EQ(first[0].pieces[1].reg, 3);
  EXPECT_EQ(first[0].pieces[2].reg, 2);
  EXPECT_EQ(first[0].pieces[2].byte_offset, 16U);
  EXPECT_TRUE(first[0].is_parameter);
  EXPECT_EQ(first[0].decl_line, 10);

  std::vector<Variable> later = at(0x1020);
  const Variable& xs = later[1];
  ASSERT_EQ(xs.name, "xs");
  EXPECT_EQ(xs.pieces[0].offset, 0);
  EXPECT_EQ(xs.pieces[1].offset, 8);
  EXPECT_EQ(xs.pieces[2].offset, 16);

  std::vector<Variable> closure = at(0x1120);
  ASSERT_EQ(closure[0].pieces.size(), 3U);
  EXPECT_EQ(closure[0].pieces[1].where, Piece::Where::kNowhere);
  EXPECT_EQ(closure[0].pieces[2].reg, 2);
}

TEST_P(DebugInfoByHand, ASliceOfTwoWordsSaysSo) {
  Variable ys = at(0x1040)[0];
  ASSERT_EQ(ys.pieces.size(), 2U);
  EXPECT_TRUE(ys.len_may_be_cap);
  EXPECT_EQ(ys.pieces[0].offset, -8);
  EXPECT_EQ(ys.pieces[1].offset, -16);
  EXPECT_EQ(ys.pieces[1].byte_offset, 8U);
  EXPECT_FALSE(at(0x1040)[2].len_may_be_cap);
}

TEST_P(DebugInfoByHand, AnEscapedVariableHasItsOwnTypeAndOnePointer) {
  Variable heap = at(0x1000)[1];
  EXPECT_EQ(heap.name, "heap");
  EXPECT_TRUE(heap.is_escaped);
  ASSERT_NE(heap.type, nullptr);
  EXPECT_EQ(heap.type->name, "[]int");
  ASSERT_EQ(heap.pieces.size(), 1U);
  EXPECT_EQ(heap.pieces[0].size_bytes, 8U);
  EXPECT_EQ(heap.pieces[0].offset, -24);
}

TEST_P(DebugInfoByHand, TypesMayLeadBackToThemselves) {
  const DebugType* node = info_->find_type_named("main.Node");
  ASSERT_NE(node, nullptr);
  ASSERT_EQ(node->fields.size(), 3U);
  ASSERT_NE(node->fields[0].type, nullptr);
  EXPECT_EQ(node->fields[0].type->elem, node);
  EXPECT_EQ(node->fields[2].type->length, 2U);
  EXPECT_EQ(info_->find_type_named("main.Alias"), node);
  // No abi.Type is in this image.
  EXPECT_FALSE(node->runtime_type);
  EXPECT_EQ(info_->find_type(ImageAddr(0xc0)), nullptr);
}

TEST_P(DebugInfoByHand, GlobalsAndCaptures) {
  EXPECT_FALSE(info_->find_global(ImageAddr(0x4fff)).has_value());
  ASSERT_TRUE(info_->find_global(ImageAddr(0x5017)).has_value());
  EXPECT_EQ(info_->find_global(ImageAddr(0x5017))->name, "main.table");
  EXPECT_FALSE(info_->find_global(ImageAddr(0x5018)).has_value());
  std::vector<DebugInfo::Capture> captures = info_->captures_of("main.outer.func1");
  ASSERT_EQ(captures.size(), 1U);
  EXPECT_EQ(captures[0].name, "captured");
  EXPECT_EQ(captures[0].offset, 8U);
  ASSERT_EQ(info_->captures_at(ImageAddr(0x113f)).size(), 1U);
  EXPECT_EQ(info_->captures_at(ImageAddr(0x113f))[0].name, "captured");
  EXPECT_TRUE(info_->captures_at(ImageAddr(0x1000)).empty());
  EXPECT_TRUE(info_->captures_at(ImageAddr(0x1140)).empty());
}

TEST_P(DebugInfoByHand, ChangedBytesDoNoHarm) {
  DebugSections sections = make_debug_sections(GetParam());
  for (auto& [name, bytes] : sections) {
    for (u8& byte : bytes) {
      u8 sound = byte;
      for (u8 changed : {u8{0}, u8{1}, u8{0x7f}, u8{0xff}, static_cast<u8>(sound + 1)}) {
        byte = changed;
        ask_all(make_debug_elf(sections));
      }
      byte = sound;
    }
  }
}

TEST_P(DebugInfoByHand, MissingBytesDoNoHarm) {
  DebugSections sound = make_debug_sections(GetParam());
  for (const auto& [name, bytes] : sound) {
    DebugSections sections = sound;
    for (usize size = bytes.size(); size-- > 0;) {
      sections[name].resize(size);
      ask_all(make_debug_elf(sections));
    }
  }
}

// Every reference, turned to every DIE: types, origins and scopes that lead round in circles.
TEST_P(DebugInfoByHand, ReferencesToAnywhereDoNoHarm) {
  DebugSections sections = make_debug_sections(GetParam());
  std::vector<u8>& info = sections[".debug_info"];
  for (usize at = 12; at + 4 <= info.size(); at++) {
    u32 sound = 0;
    std::memcpy(&sound, &info[at], 4);
    if (sound == 0 || sound >= info.size()) continue;
    for (u32 target = 11; target < info.size(); target += 7) {
      std::memcpy(&info[at], &target, 4);
      ask_all(make_debug_elf(sections));
    }
    std::memcpy(&info[at], &sound, 4);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, DebugInfoByHand, testing::Values(4, 5));

std::string open_error(const DebugSections& sections, const std::vector<std::string>& compressed) {
  Result<Image> image = Image::from_bytes(make_debug_elf(sections, compressed), "prog");
  if (!image.ok()) return "image: " + image.error().message();
  Result<std::unique_ptr<DebugInfo>> info = DebugInfo::open(image.value());
  return info.ok() ? "" : info.error().message();
}

std::vector<u8> make_compressed(u32 method, u64 size, const std::vector<u8>& packed) {
  Elf64_Chdr header{};
  header.ch_type = method;
  header.ch_size = size;
  header.ch_addralign = 1;
  std::vector<u8> bytes(sizeof(header));
  std::memcpy(bytes.data(), &header, sizeof(header));
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  return bytes;
}

TEST(DebugInfoOpen, WithoutDebugInfoThereIsNone) {
  Result<Image> image = Image::from_bytes(make_debug_elf({}), "prog");
  ASSERT_TRUE(image.ok());
  Result<std::unique_ptr<DebugInfo>> info = DebugInfo::open(image.value());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info.value(), nullptr);
}

TEST(DebugInfoOpen, ASizeThatZlibCannotKeepIsRefusedBeforeMemoryIsTaken) {
  DebugSections sections = make_debug_sections(4);
  sections[".debug_info"] = make_compressed(ELFCOMPRESS_ZLIB, u64{1} << 40, {1, 2, 3, 4});
  EXPECT_EQ(open_error(sections, {".debug_info"}),
            ".debug_info: 4 compressed bytes cannot become 1099511627776");
}

TEST(DebugInfoOpen, AnUnknownCompressionIsNamed) {
  DebugSections sections = make_debug_sections(4);
  sections[".debug_loc"] = make_compressed(2, 100, {1, 2, 3, 4});
  EXPECT_EQ(open_error(sections, {".debug_loc"}),
            ".debug_loc: compressed with method 2, only zlib (1) can be read");
}

TEST(DebugInfoOpen, ATruncatedCompressionHeaderIsRefused) {
  DebugSections sections = make_debug_sections(4);
  sections[".debug_info"] = {1, 0, 0, 0};
  EXPECT_EQ(open_error(sections, {".debug_info"}),
            ".debug_info: 4 bytes, too few for a compression header");
}

// A skeleton unit says where the rest of it is: the input must not choose which files are opened.
TEST(DebugInfoOpen, NoFileThatTheInputNamesIsOpened) {
  std::string pattern = std::filesystem::temp_directory_path() / "geist-dwo-test-XXXXXX";
  Fd file(::mkstemp(pattern.data()));
  ASSERT_TRUE(file.valid());
  Fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watch.get(), pattern.c_str(), IN_OPEN), 0);

  DebugSections sections = make_debug_sections(5);
  ByteWriter abbrev;
  // DW_TAG_skeleton_unit with DW_AT_dwo_name and DW_AT_comp_dir; DW_TAG_variable with DW_AT_type.
  abbrev.uleb(1).uleb(0x4a).u8_(1).uleb(0x76).uleb(8).uleb(0x1b).uleb(8).u8_(0).u8_(0);
  abbrev.uleb(2).uleb(0x34).u8_(0).uleb(0x03).uleb(8).uleb(0x49).uleb(0x10).u8_(0).u8_(0).u8_(0);
  ByteWriter info;
  info.u32_(0).u16_(5).u8_(4).u8_(8).u32_(sections[".debug_abbrev"].size()).u64_(0x1234);
  u64 unit_die = sections[".debug_info"].size() + info.size();
  info.uleb(1).text(pattern).text("/").uleb(2).text("v").u32_(unit_die).u8_(0);
  info.set_u32(0, info.size() - 4);
  auto append = [](std::vector<u8>& to, const std::vector<u8>& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  append(sections[".debug_abbrev"], abbrev.bytes);
  append(sections[".debug_info"], info.bytes);
  ask_all(make_debug_elf(sections));

  char event[256];
  EXPECT_LT(::read(watch.get(), event, sizeof(event)), 0) << "opened";
  Fd opened(::open(pattern.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_GT(::read(watch.get(), event, sizeof(event)), 0) << "the watch does not work";
  std::filesystem::remove(pattern);
}

TEST(DebugInfoOpen, DamagedCompressedBytesAreAnError) {
  DebugSections sections = make_debug_sections(4);
  sections[".debug_info"] = make_compressed(ELFCOMPRESS_ZLIB, 100, {0x78, 0x9c, 3, 4, 5, 6});
  EXPECT_NE(open_error(sections, {".debug_info"}), "");
}

}  // namespace
}  // namespace geist::read
