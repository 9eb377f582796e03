// Builds the small ELF file that libdw reads (see the header):
//
//   Elf64_Ehdr │ section bytes, inflated, at multiples of 8 │ .shstrtab │ section headers
//
// Nothing of the image's own headers gets in but the names of the ten sections asked for.
// libdeflate takes a third of zlib's time, which counts: DWARF is a third of a large binary.
// Source: System V ABI, "Object Files" chapters 4 and 5.
#include "read/dwarf/debug_elf.h"

#include <elf.h>
#include <fmt/format.h>
#include <libdeflate.h>

#include <array>
#include <cstring>
#include <string_view>

#include "read/elf/header.h"

namespace geist::read {
namespace {

// What scopes, types and locations are read from.
constexpr std::array<std::string_view, 10> kWanted = {
    ".debug_info", ".debug_abbrev", ".debug_str",    ".debug_line_str", ".debug_str_offsets",
    ".debug_addr", ".debug_loc",    ".debug_ranges", ".debug_loclists", ".debug_rnglists"};

// zlib's best case: 1032 bytes out for one in (zlib's technical notes, "Maximum Compression
// Factor").
constexpr u64 kMaxInflation = 1032;
constexpr u64 kMaxTotalBytes = u64{2} << 30;

struct Wanted {
  std::string_view name;
  bool is_compressed = false;
  ByteView bytes;  // as the file has them, behind a compression header if there is one
  u64 inflated_bytes = 0;
};

// How many bytes the section is once inflated, or why it cannot be read; takes the header off.
Status read_compression_header(Wanted& section) {
  if (section.bytes.size() < sizeof(Elf64_Chdr)) {
    return Error(fmt::format("{}: {} bytes, too few for a compression header", section.name,
                             section.bytes.size()));
  }
  Elf64_Chdr header;
  std::memcpy(&header, section.bytes.data(), sizeof header);
  if (header.ch_type != ELFCOMPRESS_ZLIB) {
    return Error(fmt::format("{}: compressed with method {}, only zlib (1) can be read",
                             section.name, header.ch_type));
  }
  section.bytes = section.bytes.subspan(sizeof header);
  if (header.ch_size / kMaxInflation > section.bytes.size()) {
    return Error(fmt::format("{}: {} compressed bytes cannot become {}", section.name,
                             section.bytes.size(), header.ch_size));
  }
  section.inflated_bytes = header.ch_size;
  return Done{};
}

Result<std::vector<Wanted>> find_wanted(const Image& image) {
  std::vector<Wanted> found;
  u64 total = 0;
  for (std::string_view name : kWanted) {
    const Section* section = image.find_section(name);
    if (section == nullptr || section->type == SHT_NOBITS || section->size == 0) continue;
    std::optional<ByteView> bytes = find_part(image.file_bytes(), section->offset, section->size);
    if (!bytes) return Error(fmt::format("{}: lies outside the file", name));
    Wanted wanted{name, (section->flags & SHF_COMPRESSED) != 0, *bytes, bytes->size()};
    if (wanted.is_compressed) GEIST_TRY_STATUS(read_compression_header(wanted));
    if (wanted.inflated_bytes > kMaxTotalBytes - total) {
      return Error(fmt::format("{}: {} bytes of debug information, at most {} can be read", name,
                               wanted.inflated_bytes, kMaxTotalBytes));
    }
    total += wanted.inflated_bytes;
    found.push_back(wanted);
  }
  return found;
}

template <typename T>
void put(std::vector<u8>& out, u64 offset, const T& value) {
  std::memcpy(out.data() + offset, &value, sizeof value);
}

u64 round_up8(u64 n) {
  return (n + 7) & ~u64{7};
}

// Puts the section's bytes where `to` begins, which has room for just them.
Status inflate(const Wanted& section, std::span<u8> to) {
  if (!section.is_compressed) {
    std::memcpy(to.data(), section.bytes.data(), to.size());
    return Done{};
  }
  std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> zlib(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  GEIST_CHECK(zlib != nullptr);
  // Without a place for the length the result must be exactly as long as `to`.
  if (libdeflate_zlib_decompress(zlib.get(), section.bytes.data(), section.bytes.size(), to.data(),
                                 to.size(), nullptr) != LIBDEFLATE_SUCCESS) {
    return Error(fmt::format("{}: damaged: {} compressed bytes do not become {}", section.name,
                             section.bytes.size(), to.size()));
  }
  return Done{};
}

// Header, section bytes, names, section headers: as little of an ELF file as libelf takes.
Result<std::vector<u8>> make_elf(const std::vector<Wanted>& wanted) {
  std::string names(1, '\0');
  std::vector<Elf64_Shdr> headers(1);
  u64 end = sizeof(Elf64_Ehdr);
  auto add = [&](std::string_view name, u32 type, u64 size) {
    Elf64_Shdr header{};
    header.sh_name = static_cast<u32>(names.size());
    header.sh_type = type;
    header.sh_offset = end;
    header.sh_size = size;
    header.sh_addralign = 1;
    headers.push_back(header);
    names.append(name).push_back('\0');
    end = round_up8(end + size);
  };
  for (const Wanted& section : wanted) add(section.name, SHT_PROGBITS, section.inflated_bytes);
  constexpr std::string_view kNames = ".shstrtab";
  add(kNames, SHT_STRTAB, names.size() + kNames.size() + 1);

  std::vector<u8> out(end + headers.size() * sizeof(Elf64_Shdr));
  Elf64_Ehdr file = make_elf_header(ET_EXEC);
  file.e_shoff = end;
  file.e_shentsize = sizeof(Elf64_Shdr);
  file.e_shnum = static_cast<u16>(headers.size());
  file.e_shstrndx = static_cast<u16>(headers.size() - 1);
  put(out, 0, file);
  for (usize i = 0; i < wanted.size(); i++) {
    std::span<u8> place(out.data() + headers[i + 1].sh_offset, wanted[i].inflated_bytes);
    GEIST_TRY_STATUS(inflate(wanted[i], place));
  }
  std::memcpy(out.data() + headers.back().sh_offset, names.data(), names.size());
  for (usize i = 0; i < headers.size(); i++) put(out, end + i * sizeof(Elf64_Shdr), headers[i]);
  return out;
}

}  // namespace

Result<DebugElf> DebugElf::open(const Image& image) {
  GEIST_TRY(wanted, find_wanted(image));
  DebugElf debug;
  GEIST_TRY(bytes, make_elf(wanted));
  debug.bytes_ = std::move(bytes);
  elf_version(EV_CURRENT);
  debug.elf_.reset(elf_memory(reinterpret_cast<char*>(debug.bytes_.data()), debug.bytes_.size()));
  if (debug.elf_ == nullptr) return Error(fmt::format("libelf: {}", elf_errmsg(-1)));
  debug.dwarf_.reset(dwarf_begin_elf(debug.elf_.get(), DWARF_C_READ, nullptr));
  if (debug.dwarf_ == nullptr) return Error(fmt::format("libdw: {}", dwarf_errmsg(-1)));
  return debug;
}

}  // namespace geist::read
