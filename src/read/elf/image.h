// Image: one ELF64 file for x86-64, mapped, with the questions everyone asks of it.
//
//   file bytes ──▶ header ─▶ segments (PT_LOAD) ─▶ bytes at an ImageAddr
//                        └─▶ sections (by name)    words at an ImageAddr, with
//                                                  R_X86_64_RELATIVE applied (PIE)
//
// Source: System V ABI, "Object Files" chapter 4 and 5; x86-64 psABI 1.0 for relocations. The Image
// owns the mapping; every view it hands out lives as long as the Image (it may be moved, views stay
// valid). Refused by name: not ELF, 32-bit, big-endian, another machine, truncated, packed with
// UPX.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/mapped_file.h"
#include "base/result.h"

namespace geist::read {

struct Section {
  std::string_view name;
  u32 type = 0;   // sh_type
  u64 flags = 0;  // sh_flags
  ImageAddr addr;
  u64 offset = 0;  // in the file
  u64 size = 0;
};

struct Segment {
  u32 type = 0;   // p_type
  u32 flags = 0;  // p_flags
  ImageAddr vaddr;
  u64 offset = 0;
  u64 file_size = 0;
  u64 mem_size = 0;
};

struct Symbol {
  std::string_view name;
  ImageAddr addr;
  u64 size = 0;
  u8 type = 0;  // STT_*
};

class Image {
 public:
  static Result<Image> open(const std::string& path);
  // The same checks on bytes in memory; `name` stands for the path in messages. For tests and
  // fuzzing.
  static Result<Image> from_bytes(std::vector<u8> bytes, std::string name);
  // The same on bytes that the caller keeps alive and unchanged for as long as the Image.
  static Result<Image> from_view(ByteView bytes, std::string name);

  const std::string& path() const { return path_; }
  ByteView file_bytes() const { return bytes_; }
  bool is_pie() const { return is_pie_; }     // ET_DYN
  ImageAddr entry() const { return entry_; }  // e_entry
  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<Section>& sections() const { return sections_; }
  const Section* find_section(std::string_view name) const;
  // The section's bytes in the file; nothing for SHT_NOBITS, compressed (SHF_COMPRESSED) or outside
  // the file.
  std::optional<ByteView> find_section_bytes(std::string_view name) const;

  // [addr, addr+size) as the file has it; nothing if any part is not file-backed.
  std::optional<ByteView> find_bytes(ImageAddr addr, u64 size) const;
  // All file-backed bytes from addr to the end of its segment; nothing if addr is in none.
  std::optional<ByteView> find_bytes_from(ImageAddr addr) const;
  // The 8 bytes at addr as the loaded program sees them before any bias: relocations of type
  // R_X86_64_RELATIVE applied.
  std::optional<u64> find_word(ImageAddr addr) const;

  // Every place (8-aligned, file-backed, in a writable segment or relocated) whose word,
  // relocations applied, is `value`. Ascending.
  std::vector<ImageAddr> find_word_places(u64 value) const;

  // .symtab (empty when stripped).
  std::vector<Symbol> read_symbols() const;
  std::optional<Symbol> find_symbol(std::string_view name) const;

  // Hex of the GNU build id, else the Go build id (note "Go\0\0", type 4), else empty.
  std::string build_id() const;
  bool has_interpreter() const;  // PT_INTERP: the dynamic linker runs first

 private:
  Image() = default;
  static Result<Image> parse(Image image);
  // Steps of parse(), in order; each leaves its part of the members filled.
  Status check_header() const;
  Status read_segments();
  Status read_sections();
  Status check_not_packed() const;
  void read_relatives();
  template <typename Visit>
  void visit_symbols(Visit visit) const;
  Error bad(const std::string& what) const;

  std::string path_;
  std::optional<MappedFile> file_;
  std::vector<u8> owned_;
  ByteView bytes_;
  bool is_pie_ = false;
  ImageAddr entry_;
  std::vector<Segment> segments_;
  std::vector<Section> sections_;
  struct Relative {
    u64 offset;
    u64 addend;
  };
  std::vector<Relative> relatives_;  // sorted by offset
};

}  // namespace geist::read
