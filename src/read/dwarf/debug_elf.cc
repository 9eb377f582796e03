// Builds the small ELF file that libdw reads (see the header):
//
//   Elf64_Ehdr │ section bytes, as they are in the image, at multiples of 8 │ .shstrtab │ section
//   headers
//
// Nothing of the image's own headers gets in but name, size and SHF_COMPRESSED of the ten sections
// asked for. Source: System V ABI, "Object Files" chapters 4 and 5.
#include "read/dwarf/debug_elf.h"

#include <elf.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>

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
  u64 flags = 0;
  ByteView bytes;
};

// How many bytes the section is once inflated, or why it cannot be read.
Result<u64> read_inflated_size(const Wanted& section) {
  if ((section.flags & SHF_COMPRESSED) == 0) return u64{section.bytes.size()};
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
  u64 packed = section.bytes.size() - sizeof header;
  if (header.ch_size / kMaxInflation > packed) {
    return Error(fmt::format("{}: {} compressed bytes cannot become {}", section.name, packed,
                             header.ch_size));
  }
  return u64{header.ch_size};
}

Result<std::vector<Wanted>> find_wanted(const Image& image) {
  std::vector<Wanted> found;
  u64 total = 0;
  for (std::string_view name : kWanted) {
    const Section* section = image.find_section(name);
    if (section == nullptr || section->type == SHT_NOBITS || section->size == 0) continue;
    std::optional<ByteView> bytes = find_part(image.file_bytes(), section->offset, section->size);
    if (!bytes) return Error(fmt::format("{}: lies outside the file", name));
    Wanted wanted{name, section->flags & u64{SHF_COMPRESSED}, *bytes};
    GEIST_TRY(size, read_inflated_size(wanted));
    if (size > kMaxTotalBytes - total) {
      return Error(fmt::format("{}: {} bytes of debug information, at most {} can be read", name,
                               size, kMaxTotalBytes));
    }
    total += size;
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

// Header, section bytes, names, section headers: as little of an ELF file as libelf takes.
std::vector<u8> make_elf(const std::vector<Wanted>& wanted) {
  std::string names(1, '\0');
  std::vector<Elf64_Shdr> headers(1);
  u64 end = sizeof(Elf64_Ehdr);
  for (const Wanted& section : wanted) {
    Elf64_Shdr header{};
    header.sh_name = static_cast<u32>(names.size());
    header.sh_type = SHT_PROGBITS;
    header.sh_flags = section.flags;
    header.sh_offset = end;
    header.sh_size = section.bytes.size();
    header.sh_addralign = section.flags != 0 ? 8 : 1;
    headers.push_back(header);
    names.append(section.name).push_back('\0');
    end = round_up8(end + section.bytes.size());
  }
  Elf64_Shdr strings{};
  strings.sh_name = static_cast<u32>(names.size());
  names.append(".shstrtab").push_back('\0');
  strings.sh_type = SHT_STRTAB;
  strings.sh_offset = end;
  strings.sh_size = names.size();
  strings.sh_addralign = 1;
  headers.push_back(strings);
  end = round_up8(end + names.size());

  std::vector<u8> out(end + headers.size() * sizeof(Elf64_Shdr));
  Elf64_Ehdr file{};
  std::memcpy(file.e_ident, ELFMAG, SELFMAG);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_EXEC;
  file.e_machine = EM_X86_64;
  file.e_version = EV_CURRENT;
  file.e_ehsize = sizeof(Elf64_Ehdr);
  file.e_shoff = end;
  file.e_shentsize = sizeof(Elf64_Shdr);
  file.e_shnum = static_cast<u16>(headers.size());
  file.e_shstrndx = static_cast<u16>(headers.size() - 1);
  put(out, 0, file);
  for (usize i = 0; i < wanted.size(); i++) {
    std::memcpy(out.data() + headers[i + 1].sh_offset, wanted[i].bytes.data(),
                wanted[i].bytes.size());
  }
  std::memcpy(out.data() + strings.sh_offset, names.data(), names.size());
  for (usize i = 0; i < headers.size(); i++) put(out, end + i * sizeof(Elf64_Shdr), headers[i]);
  return out;
}

}  // namespace

Result<DebugElf> DebugElf::open(const Image& image) {
  GEIST_TRY(wanted, find_wanted(image));
  DebugElf debug;
  debug.bytes_ = make_elf(wanted);
  elf_version(EV_CURRENT);
  debug.elf_.reset(elf_memory(reinterpret_cast<char*>(debug.bytes_.data()), debug.bytes_.size()));
  if (debug.elf_ == nullptr) return Error(fmt::format("libelf: {}", elf_errmsg(-1)));
  debug.dwarf_.reset(dwarf_begin_elf(debug.elf_.get(), DWARF_C_READ, nullptr));
  if (debug.dwarf_ == nullptr) return Error(fmt::format("libdw: {}", dwarf_errmsg(-1)));
  return debug;
}

}  // namespace geist::read
