// Core files made here byte by byte: what a sound one says, and that a damaged one is an error or a
// counted loss.
#include "process/core_file.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace geist::process {
namespace {

constexpr u64 kBase = 0x10000;

// One segment of 64 bytes at kBase of which 48 are in the file, and a note with AT_ENTRY.
std::vector<u8> make_core() {
  struct Note {
    Elf64_Nhdr header{5, 32, NT_AUXV};
    char name[8] = "CORE";
    u32 auxv[8] = {AT_ENTRY, 0, 0x1234, 0, AT_NULL, 0, 0, 0};  // of 64 bits, at 4-byte steps
  } note;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof header;
  header.e_phnum = 2;
  Elf64_Phdr segments[2]{};
  u64 data = sizeof header + sizeof segments;
  segments[0].p_type = PT_NOTE;
  segments[0].p_offset = data;
  segments[0].p_filesz = sizeof note;
  segments[1].p_type = PT_LOAD;
  segments[1].p_vaddr = kBase;
  segments[1].p_memsz = 64;
  segments[1].p_filesz = 48;
  segments[1].p_offset = data + sizeof note;
  std::vector<u8> bytes(data + sizeof note + 48);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, segments, sizeof segments);
  std::memcpy(bytes.data() + data, &note, sizeof note);
  for (u8 i = 0; i < 48; ++i) bytes[data + sizeof note + i] = i;
  return bytes;
}

read::Image no_program() {
  Result<read::Image> image = read::Image::open("/proc/self/exe");
  EXPECT_TRUE(image.ok());
  return std::move(image).value();
}

TEST(CoreFile, SaysWhatIsThere) {
  std::vector<u8> bytes = make_core();
  Result<CoreFile> core = CoreFile::from_view(bytes, "core");
  ASSERT_TRUE(core.ok()) << core.error().message();
  EXPECT_EQ(core->find_auxv(AT_ENTRY), 0x1234u);
  EXPECT_EQ(core->find_auxv(AT_PHDR), std::nullopt);
  EXPECT_EQ(core->missing_bytes(), 0u);
  read::Image image = no_program();
  CoreMemory memory(core.value(), image, LoadBias{u64{1} << 40});
  u8 out[16];
  EXPECT_TRUE(memory.read(TargetAddr(kBase + 8), out));
  EXPECT_EQ(out[0], 8);
  // The rest of the segment was not written to the file.
  EXPECT_EQ(memory.read_some(TargetAddr(kBase + 40), out), 8u);
  EXPECT_FALSE(memory.read(TargetAddr(kBase + 48), out));
  EXPECT_FALSE(memory.read(TargetAddr(kBase - 1), out));
}

TEST(CoreFile, EveryTruncationIsAnErrorOrCounted) {
  std::vector<u8> whole = make_core();
  for (usize size = 0; size < whole.size(); ++size) {
    Result<CoreFile> core = CoreFile::from_view(ByteView(whole).first(size), "core");
    if (!core.ok()) {
      EXPECT_FALSE(core.error().message().empty());
    } else {
      EXPECT_EQ(core->missing_bytes(), std::min<usize>(whole.size() - size, 48));  // of memory
    }
  }
}

TEST(CoreFile, AnyByteMayBeWrong) {
  std::vector<u8> whole = make_core();
  read::Image image = no_program();
  for (usize at = 0; at < whole.size(); ++at) {
    for (u8 value : {u8{0}, u8{1}, u8{0x7f}, u8{0xff}}) {
      std::vector<u8> bytes = whole;
      bytes[at] = value;
      Result<CoreFile> core = CoreFile::from_view(bytes, "core");
      if (!core.ok()) continue;
      CoreMemory memory(core.value(), image, LoadBias{0});
      u8 out[128];
      for (const CoreFile::Segment& segment : core->segments()) {
        memory.read_some(TargetAddr(segment.begin), out);
        memory.read_some(TargetAddr(segment.begin + segment.size - 1), out);
      }
    }
  }
}

TEST(CoreFile, OtherFilesAreNamed) {
  Result<CoreFile> program = CoreFile::open("/proc/self/exe");
  ASSERT_FALSE(program.ok());
  EXPECT_NE(program.error().message().find("not a core"), std::string::npos);
  EXPECT_FALSE(CoreFile::open("/etc/hostname").ok());
  EXPECT_FALSE(CoreFile::open("/no/such/core").ok());
}

}  // namespace
}  // namespace geist::process
