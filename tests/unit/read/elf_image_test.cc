// Image: what it answers for real programs, what it refuses and in which words, and that damage of
// a header is either refused or harmless. Small ELF files are put together by make_elf; real ones
// are built from fixture/.
#include "read/elf/image.h"

#include <elf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "go_fixture.h"

namespace geist::read {
namespace {

std::string error_of(std::vector<u8> bytes, const std::string& name = "prog") {
  Result<Image> image = Image::from_bytes(std::move(bytes), name);
  return image.ok() ? "no error" : image.error().message();
}

std::vector<u8> text_file(std::string_view text) {
  return {text.begin(), text.end()};
}

std::vector<u8> made_elf() {
  return make_elf(text_file("0123456789abcdef0123456789abcdef"));
}

template <typename T>
std::vector<u8> patched(std::vector<u8> bytes, usize offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
  return bytes;
}

// Everything an Image answers, so that damage that was let in has a chance to do harm.
void ask_everything(const Image& image) {
  image.build_id();
  image.has_interpreter();
  image.read_symbols();
  image.find_word_places(image.entry().value);
  for (const Section& section : image.sections()) {
    image.find_section_bytes(section.name);
    image.find_word(section.addr);
    image.find_bytes(section.addr, section.size);
  }
  for (const Segment& segment : image.segments()) {
    image.find_bytes_from(segment.vaddr);
    image.find_word(segment.vaddr + (segment.mem_size - 1));
  }
}

TEST(ElfImage, AnswersForGoProgram) {
  Result<Image> opened = Image::open(default_fixture());
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  const Image& image = opened.value();
  EXPECT_FALSE(image.is_pie());
  EXPECT_FALSE(image.has_interpreter());
  EXPECT_GE(image.build_id().size(), 40u);

  const Section* text = image.find_section(".text");
  ASSERT_NE(text, nullptr);
  EXPECT_GE(image.entry(), text->addr);
  EXPECT_LT(image.entry(), text->addr + text->size);
  std::optional<ByteView> by_name = image.find_section_bytes(".text");
  std::optional<ByteView> by_addr = image.find_bytes(text->addr, text->size);
  ASSERT_TRUE(by_name && by_addr);
  EXPECT_EQ(by_name->data(), by_addr->data());
  EXPECT_EQ(by_name->size(), by_addr->size());
  EXPECT_GE(image.find_bytes_from(text->addr)->size(), text->size);

  EXPECT_EQ(image.find_section("nothing"), nullptr);
  EXPECT_FALSE(image.find_section_bytes(".bss"));         // has no bytes in the file
  EXPECT_FALSE(image.find_section_bytes(".debug_info"));  // compressed
  const Section* bss = image.find_section(".bss");
  ASSERT_NE(bss, nullptr);
  EXPECT_FALSE(image.find_word(bss->addr + bss->size / 8 * 8 - 8));
  EXPECT_FALSE(image.find_bytes(ImageAddr(0), 1));
  EXPECT_FALSE(image.find_bytes(text->addr, UINT64_MAX));
}

TEST(ElfImage, FindsSymbols) {
  Result<Image> image = Image::open(default_fixture());
  ASSERT_TRUE(image.ok());
  std::optional<Symbol> symbol = image.value().find_symbol("main.outer");
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->type, STT_FUNC);
  EXPECT_GT(symbol->size, 0u);
  EXPECT_TRUE(image.value().find_bytes(symbol->addr, symbol->size));
  EXPECT_FALSE(image.value().find_symbol("main.nothing"));
  EXPECT_GT(image.value().read_symbols().size(), 1000u);
}

TEST(ElfImage, StrippedHasNoSymbols) {
  const GoFixture& fixture = build_fixture({.flags = {"-ldflags=-checklinkname=0 -s -w"}});
  ASSERT_NE(fixture.path, "") << fixture.error;
  Result<Image> image = Image::open(fixture.path);
  ASSERT_TRUE(image.ok());
  EXPECT_TRUE(image.value().read_symbols().empty());
}

TEST(ElfImage, AppliesRelativeRelocations) {
  const GoFixture& fixture =
      build_fixture({.flags = {"-buildmode=pie", "-ldflags=-checklinkname=0"}});
  ASSERT_NE(fixture.path, "") << fixture.error;
  Result<Image> opened = Image::open(fixture.path);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  const Image& image = opened.value();
  EXPECT_TRUE(image.is_pie());
  EXPECT_TRUE(image.has_interpreter());
  // runtime.lastmoduledatap is a pointer to runtime.firstmoduledata.
  std::optional<Symbol> pointer = image.find_symbol("runtime.lastmoduledatap");
  std::optional<Symbol> target = image.find_symbol("runtime.firstmoduledata");
  ASSERT_TRUE(pointer && target);
  EXPECT_EQ(image.find_word(pointer->addr), target->addr.value);
  std::vector<ImageAddr> places = image.find_word_places(target->addr.value);
  EXPECT_NE(std::find(places.begin(), places.end(), pointer->addr), places.end());
}

TEST(ElfImage, ViewsSurviveMoves) {
  Result<Image> made = Image::from_bytes(made_elf(), "prog");
  ASSERT_TRUE(made.ok()) << made.error().message();
  Image first = std::move(made).value();
  ByteView view = *first.find_bytes(ImageAddr(kMadeElfAddr), 16);
  Image second = std::move(first);
  EXPECT_EQ(view.data(), second.find_bytes(ImageAddr(kMadeElfAddr), 16)->data());
  EXPECT_EQ(view[0], '0');
  EXPECT_EQ(second.find_word(ImageAddr(kMadeElfAddr + 8)), 0x6665646362613938u);
}

TEST(ElfImage, RefusesWhatIsNotElf) {
  EXPECT_EQ(error_of({}),
            "prog: an empty file; geist reads 64-bit Go programs for linux/amd64; build with "
            "GOOS=linux GOARCH=amd64");
  EXPECT_TRUE(error_of(text_file("#!/bin/sh\necho\n")).starts_with("prog: a shell script; "));
  EXPECT_TRUE(error_of(text_file("MZ\x90")).starts_with("prog: a Windows program; "));
  EXPECT_TRUE(error_of(text_file("\xcf\xfa\xed\xfe")).starts_with("prog: a macOS program; "));
  EXPECT_TRUE(error_of(text_file("!<arch>\n")).starts_with("prog: an archive; "));
  EXPECT_TRUE(error_of(text_file("package main\n"), "main.go").starts_with("main.go: Go source; "));
  EXPECT_TRUE(error_of(text_file("hello")).starts_with("prog: not an ELF file; "));
  EXPECT_TRUE(error_of(text_file("\x7f"
                                 "ELF"))
                  .starts_with("prog: truncated: "));
}

TEST(ElfImage, RefusesOtherMachinesByName) {
  std::vector<u8> elf = made_elf();
  EXPECT_EQ(error_of(elf), "no error");
  auto with = [&](usize offset, auto value) { return error_of(patched(elf, offset, value)); };
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_machine), u16{EM_AARCH64})
                  .starts_with("prog: built for arm64; "));
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_machine), u16{EM_RISCV})
                  .starts_with("prog: built for riscv64; "));
  EXPECT_TRUE(
      with(offsetof(Elf64_Ehdr, e_machine), u16{999}).starts_with("prog: built for machine 999; "));
  EXPECT_TRUE(with(EI_OSABI, u8{ELFOSABI_FREEBSD}).starts_with("prog: built for FreeBSD; "));
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_type), u16{ET_REL})
                  .starts_with("prog: an object file that is not linked"));
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_type), u16{ET_CORE})
                  .starts_with("prog: a core dump, not a program; "));
  EXPECT_TRUE(with(EI_CLASS, u8{9}).starts_with("prog: damaged ELF header: class 9"));
  EXPECT_TRUE(with(EI_DATA, u8{9}).starts_with("prog: damaged ELF header: byte order 9"));
  elf[EI_CLASS] = ELFCLASS32;
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_machine), u16{EM_386})
                  .starts_with("prog: 32-bit ELF file (386); "));
  elf[EI_CLASS] = ELFCLASS64;
  elf[EI_DATA] = ELFDATA2MSB;
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_machine), __builtin_bswap16(EM_S390))
                  .starts_with("prog: big-endian ELF file (s390x); "));
}

TEST(ElfImage, RefusesPackedFiles) {
  EXPECT_EQ(error_of(make_elf(text_file("....UPX!............"))),
            "prog: packed with UPX; geist reads the program itself: unpack it with upx -d");
}

TEST(ElfImage, RefusesPathsThatAreNoFiles) {
  std::string folder = std::filesystem::temp_directory_path();
  Result<Image> missing = Image::open(folder + "/geist-no-such-file");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind(), ErrorKind::kNotFound);
  Result<Image> directory = Image::open(folder);
  ASSERT_FALSE(directory.ok());
  EXPECT_EQ(directory.error().kind(), ErrorKind::kNotRunnable);
}

TEST(ElfImage, RefusesDamagedHeaders) {
  std::vector<u8> elf = made_elf();
  auto with = [&](usize offset, auto value) { return error_of(patched(elf, offset, value)); };
  EXPECT_TRUE(
      with(offsetof(Elf64_Ehdr, e_phnum), u16{0}).starts_with("prog: ELF file without segments"));
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_phentsize), u16{1})
                  .starts_with("prog: damaged ELF header: 1 program"));
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_phoff), u64{1} << 60)
                  .starts_with("prog: truncated: program headers"));
  EXPECT_TRUE(with(offsetof(Elf64_Ehdr, e_shoff), u64{1} << 60)
                  .starts_with("prog: damaged ELF header: 0 section"));
  constexpr usize kSegment = sizeof(Elf64_Ehdr);
  EXPECT_TRUE(with(kSegment + offsetof(Elf64_Phdr, p_filesz), u64{1} << 40)
                  .starts_with("prog: truncated: segment 0"));
  EXPECT_TRUE(with(kSegment + offsetof(Elf64_Phdr, p_memsz), u64{1})
                  .starts_with("prog: damaged program header 0"));
  EXPECT_TRUE(with(kSegment + offsetof(Elf64_Phdr, p_vaddr), ~u64{0})
                  .starts_with("prog: damaged program header 0"));
}

TEST(ElfImage, NamesTruncationAtEveryLength) {
  std::vector<u8> whole = read_file(default_fixture());
  ASSERT_FALSE(whole.empty());
  for (usize part = 1; part < 64; ++part) {
    usize size = whole.size() * part / 64;
    std::string error =
        error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_TRUE(error.starts_with("prog: truncated: ")) << size << " bytes: " << error;
  }
}

TEST(ElfImage, SurvivesEveryFlippedHeaderByte) {
  const GoFixture& fixture = build_fixture({.flags = {"-ldflags=-checklinkname=0 -s -w"}});
  ASSERT_NE(fixture.path, "") << fixture.error;
  const std::vector<u8> whole = read_file(fixture.path);
  Elf64_Ehdr header;
  ASSERT_GT(whole.size(), sizeof(header));
  std::memcpy(&header, whole.data(), sizeof(header));
  std::vector<usize> places;
  auto add = [&](u64 from, u64 size) {
    for (u64 i = 0; i < size; ++i) places.push_back(from + i);
  };
  add(0, sizeof(header));
  add(header.e_phoff, sizeof(Elf64_Phdr) * header.e_phnum);
  add(header.e_shoff, sizeof(Elf64_Shdr) * header.e_shnum);
  usize accepted = 0;
  for (usize place : places) {
    std::vector<u8> bytes = whole;
    bytes[place] = static_cast<u8>(~bytes[place]);
    Result<Image> image = Image::from_bytes(std::move(bytes), "prog");
    if (!image.ok()) {
      EXPECT_TRUE(image.error().message().starts_with("prog: ")) << image.error().message();
      continue;
    }
    ++accepted;
    ask_everything(image.value());
  }
  EXPECT_GT(accepted, 0u);
  EXPECT_LT(accepted, places.size());
}

}  // namespace
}  // namespace geist::read
