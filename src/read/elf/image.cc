// Reading an ELF64 file: header, segments, sections, relative relocations, in that order.
//
//   check_header()      refuses what is not an x86-64 little-endian ELF64 program, by name
//   read_segments()     every PT_LOAD must lie inside the file, else the file is truncated
//   read_sections()     every section with bytes must lie inside the file, too
//   check_not_packed()  UPX leaves a tiny loader and no sections
//   read_relatives()    R_X86_64_RELATIVE of .rela.dyn, for PIE
//
// Nothing is copied but the headers. Source: System V ABI chapters 4 and 5; x86-64 psABI 1.0
// table 4.9.
#include "read/elf/image.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/c_struct.h"

namespace geist::read {
namespace {

constexpr std::string_view kSupported =
    "geist reads 64-bit Go programs for linux/amd64; build with GOOS=linux GOARCH=amd64";

// How many sections or segments a header may announce before it is taken for damage.
constexpr u64 kMaxHeaders = 1u << 20;

bool begins_with(ByteView bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

bool holds(ByteView bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}

// What a file without the ELF magic most likely is.
std::string describe_foreign(ByteView bytes, const std::string& path) {
  if (bytes.empty()) return "an empty file";
  if (begins_with(bytes, "#!")) return "a shell script";
  if (begins_with(bytes, "MZ")) return "a Windows program";
  if (begins_with(bytes, "\xcf\xfa\xed\xfe") || begins_with(bytes, "\xca\xfe\xba\xbe"))
    return "a macOS program";
  if (begins_with(bytes, "!<arch>\n")) return "an archive";
  if (begins_with(bytes, "\x1f\x8b")) return "a gzip file";
  if (path.ends_with(".go")) return "Go source";
  return "not an ELF file";
}

std::string machine_name(u16 machine) {
  switch (machine) {
    case EM_X86_64:
      return "amd64";
    case EM_386:
      return "386";
    case EM_ARM:
      return "arm";
    case EM_AARCH64:
      return "arm64";
    case EM_RISCV:
      return "riscv64";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390x";
    case EM_MIPS:
      return "mips";
    case 258:
      return "loong64";  // EM_LOONGARCH, not in every elf.h
    default:
      return fmt::format("machine {}", machine);
  }
}

std::string type_name(u16 type) {
  switch (type) {
    case ET_REL:
      return "an object file that is not linked yet";
    case ET_CORE:
      return "a core dump";
    default:
      return fmt::format("an ELF file of type {}", type);
  }
}

// Operating systems that mark their files; Linux and most others write 0 (System V).
std::string_view foreign_os(u8 osabi) {
  switch (osabi) {
    case ELFOSABI_NETBSD:
      return "NetBSD";
    case ELFOSABI_FREEBSD:
      return "FreeBSD";
    case ELFOSABI_OPENBSD:
      return "OpenBSD";
    case ELFOSABI_SOLARIS:
      return "Solaris";
    default:
      return {};
  }
}

std::string hex(ByteView bytes) {
  std::string text;
  for (u8 byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

struct Note {
  u32 type = 0;
  std::string_view name;  // with its NULs
  ByteView desc;
};

// The next note of `bytes` from `offset` on; advances it. ELF notes are padded to 4 bytes on x86-64
// (GNU property notes to 8, but their name and size are multiples of 8 anyway).
std::optional<Note> next_note(ByteView bytes, u64& offset) {
  ByteReader reader(bytes, offset);
  u32 name_size = reader.read_u32();
  u32 desc_size = reader.read_u32();
  Note note;
  note.type = reader.read_u32();
  ByteView name = reader.read_bytes(name_size);
  reader.skip((4 - name_size % 4) % 4);
  note.desc = reader.read_bytes(desc_size);
  if (reader.failed()) return std::nullopt;
  note.name = {reinterpret_cast<const char*>(name.data()), name.size()};
  // The padding behind the last note may be cut off by the segment's end.
  offset = std::min<u64>(bytes.size(), reader.offset() + (4 - desc_size % 4) % 4);
  return note;
}

}  // namespace

Error Image::bad(const std::string& what) const {
  return Error(path_ + ": " + what);
}

Result<Image> Image::open(const std::string& path) {
  GEIST_TRY(file, MappedFile::open(path));
  Image image;
  image.path_ = path;
  image.bytes_ = file.bytes();
  image.file_ = std::move(file);
  return parse(std::move(image));
}

Result<Image> Image::from_bytes(std::vector<u8> bytes, std::string name) {
  Image image;
  image.path_ = std::move(name);
  image.owned_ = std::move(bytes);
  image.bytes_ = image.owned_;
  return parse(std::move(image));
}

Result<Image> Image::from_view(ByteView bytes, std::string name) {
  Image image;
  image.path_ = std::move(name);
  image.bytes_ = bytes;
  return parse(std::move(image));
}

Result<Image> Image::parse(Image image) {
  GEIST_TRY_STATUS(image.check_header());
  GEIST_TRY_STATUS(image.read_segments());
  GEIST_TRY_STATUS(image.read_sections());
  GEIST_TRY_STATUS(image.check_not_packed());
  if (image.is_pie_) image.read_relatives();
  return image;
}

Status Image::check_header() const {
  if (!begins_with(bytes_, ELFMAG)) {
    return bad(fmt::format("{}; {}", describe_foreign(bytes_, path_), kSupported));
  }
  // e_ident and e_machine are in the same place in all classes.
  std::optional<u16> machine = find_int<u16>(bytes_, offsetof(Elf64_Ehdr, e_machine));
  if (!machine) return bad("truncated: an ELF header needs 64 bytes; copy the file again");
  bool big_endian = bytes_[EI_DATA] == ELFDATA2MSB;
  std::string name = machine_name(big_endian ? __builtin_bswap16(*machine) : *machine);
  if (bytes_[EI_CLASS] == ELFCLASS32) {
    return bad(fmt::format("32-bit ELF file ({}); {}", name, kSupported));
  }
  if (bytes_[EI_CLASS] != ELFCLASS64) {
    return bad(fmt::format("damaged ELF header: class {}; copy or build the file again",
                           bytes_[EI_CLASS]));
  }
  if (big_endian) return bad(fmt::format("big-endian ELF file ({}); {}", name, kSupported));
  if (bytes_[EI_DATA] != ELFDATA2LSB) {
    return bad(fmt::format("damaged ELF header: byte order {}; copy or build the file again",
                           bytes_[EI_DATA]));
  }
  if (*machine != EM_X86_64) return bad(fmt::format("built for {}; {}", name, kSupported));
  if (std::string_view os = foreign_os(bytes_[EI_OSABI]); !os.empty()) {
    return bad(fmt::format("built for {}; {}", os, kSupported));
  }
  if (bytes_.size() < sizeof(Elf64_Ehdr)) {
    return bad(fmt::format("truncated: {} bytes, an ELF header needs {}; copy the file again",
                           bytes_.size(), sizeof(Elf64_Ehdr)));
  }
  u16 type = *find_int<u16>(bytes_, offsetof(Elf64_Ehdr, e_type));
  if (type != ET_EXEC && type != ET_DYN) {
    return bad(fmt::format("{}, not a program; give the linked executable", type_name(type)));
  }
  return Done{};
}

Status Image::read_segments() {
  Elf64_Ehdr header = *find_struct<Elf64_Ehdr>(bytes_, 0);
  is_pie_ = header.e_type == ET_DYN;
  entry_ = ImageAddr(header.e_entry);
  u64 count = header.e_phnum;
  if (count == PN_XNUM) {
    std::optional<Elf64_Shdr> first = find_struct<Elf64_Shdr>(bytes_, header.e_shoff);
    if (!first) return bad("truncated: section header 0 is not in the file; copy the file again");
    count = first->sh_info;
  }
  if (count == 0)
    return bad("ELF file without segments, not a program; give the linked executable");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || count > kMaxHeaders) {
    return bad(
        fmt::format("damaged ELF header: {} program headers of {} bytes, expected {} bytes; "
                    "copy or build the file again",
                    count, header.e_phentsize, sizeof(Elf64_Phdr)));
  }
  if (!find_part(bytes_, header.e_phoff, count * sizeof(Elf64_Phdr))) {
    return bad(
        fmt::format("truncated: program headers at {:#x} are not in the {} bytes of the "
                    "file; copy the file again",
                    header.e_phoff, bytes_.size()));
  }
  for (u64 i = 0; i < count; ++i) {
    Elf64_Phdr phdr = *find_struct<Elf64_Phdr>(bytes_, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (phdr.p_type == PT_LOAD) {
      if (!find_part(bytes_, phdr.p_offset, phdr.p_filesz)) {
        return bad(
            fmt::format("truncated: segment {} needs {} bytes from {:#x}, the file has {}; "
                        "copy the file again",
                        i, phdr.p_filesz, phdr.p_offset, bytes_.size()));
      }
      if (phdr.p_filesz > phdr.p_memsz || !checked_add(phdr.p_vaddr, phdr.p_memsz)) {
        return bad(
            fmt::format("damaged program header {}: {} bytes in the file for {} at {:#x}; "
                        "copy or build the file again",
                        i, phdr.p_filesz, phdr.p_memsz, phdr.p_vaddr));
      }
    }
    segments_.push_back({.type = phdr.p_type,
                         .flags = phdr.p_flags,
                         .vaddr = ImageAddr(phdr.p_vaddr),
                         .offset = phdr.p_offset,
                         .file_size = phdr.p_filesz,
                         .mem_size = phdr.p_memsz});
  }
  return Done{};
}

Status Image::read_sections() {
  Elf64_Ehdr header = *find_struct<Elf64_Ehdr>(bytes_, 0);
  if (header.e_shoff == 0) return Done{};  // sstrip and packers drop the table; segments remain
  std::optional<Elf64_Shdr> first = find_struct<Elf64_Shdr>(bytes_, header.e_shoff);
  u64 count = header.e_shnum;
  // Counts that do not fit 16 bits are in section header 0.
  if (count == 0 && first) count = first->sh_size;
  if (header.e_shentsize != sizeof(Elf64_Shdr) || count > kMaxHeaders) {
    return bad(
        fmt::format("damaged ELF header: {} section headers of {} bytes, expected {} bytes; "
                    "copy or build the file again",
                    count, header.e_shentsize, sizeof(Elf64_Shdr)));
  }
  if (!first || !find_part(bytes_, header.e_shoff, count * sizeof(Elf64_Shdr))) {
    return bad(
        fmt::format("truncated: section headers at {:#x} are not in the {} bytes of the "
                    "file; copy the file again",
                    header.e_shoff, bytes_.size()));
  }
  u64 names_index = header.e_shstrndx == SHN_XINDEX ? first->sh_link : header.e_shstrndx;
  ByteView names;
  for (u64 i = 0; i < count; ++i) {
    Elf64_Shdr shdr = *find_struct<Elf64_Shdr>(bytes_, header.e_shoff + i * sizeof(Elf64_Shdr));
    bool has_bytes = shdr.sh_type != SHT_NOBITS && shdr.sh_type != SHT_NULL;
    std::optional<ByteView> content = find_part(bytes_, shdr.sh_offset, shdr.sh_size);
    if (has_bytes && !content) {
      return bad(
          fmt::format("truncated: section {} needs {} bytes from {:#x}, the file has {}; "
                      "copy the file again",
                      i, shdr.sh_size, shdr.sh_offset, bytes_.size()));
    }
    if (i == names_index && has_bytes) names = *content;
  }
  for (u64 i = 0; i < count; ++i) {
    Elf64_Shdr shdr = *find_struct<Elf64_Shdr>(bytes_, header.e_shoff + i * sizeof(Elf64_Shdr));
    sections_.push_back({.name = ByteReader(names, shdr.sh_name).read_cstring(),
                         .type = shdr.sh_type,
                         .flags = shdr.sh_flags,
                         .addr = ImageAddr(shdr.sh_addr),
                         .offset = shdr.sh_offset,
                         .size = shdr.sh_size});
  }
  return Done{};
}

// UPX writes "UPX!" right behind the program headers and again near the end, and drops the section
// table.
Status Image::check_not_packed() const {
  if (!sections_.empty()) return Done{};
  constexpr u64 kWindow = 4096;
  ByteView head = bytes_.first(std::min<u64>(kWindow, bytes_.size()));
  ByteView tail = bytes_.last(std::min<u64>(kWindow, bytes_.size()));
  if (holds(head, "UPX!") || holds(tail, "UPX!")) {
    return bad("packed with UPX; geist reads the program itself: unpack it with upx -d");
  }
  return Done{};
}

// The dynamic section names the table, so this works without a section table too. Entries outside
// the file are left out: such words are then absent for whoever asks.
void Image::read_relatives() {
  u64 table = 0;
  u64 table_size = 0;
  for (const Segment& segment : segments_) {
    if (segment.type != PT_DYNAMIC) continue;
    std::optional<ByteView> dynamic = find_part(bytes_, segment.offset, segment.file_size);
    if (!dynamic) return;
    for (u64 at = 0; at + sizeof(Elf64_Dyn) <= dynamic->size(); at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry = *find_struct<Elf64_Dyn>(*dynamic, at);
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_RELA) table = entry.d_un.d_ptr;
      if (entry.d_tag == DT_RELASZ) table_size = entry.d_un.d_val;
    }
  }
  std::optional<ByteView> entries = find_bytes(ImageAddr(table), table_size);
  if (table_size == 0 || !entries) return;
  relatives_.reserve(entries->size() / sizeof(Elf64_Rela));
  for (u64 at = 0; at + sizeof(Elf64_Rela) <= entries->size(); at += sizeof(Elf64_Rela)) {
    Elf64_Rela rela = *find_struct<Elf64_Rela>(*entries, at);
    if (ELF64_R_TYPE(rela.r_info) != R_X86_64_RELATIVE) continue;
    relatives_.push_back({.offset = rela.r_offset, .addend = static_cast<u64>(rela.r_addend)});
  }
  auto by_offset = [](const Relative& a, const Relative& b) { return a.offset < b.offset; };
  if (!std::is_sorted(relatives_.begin(), relatives_.end(), by_offset)) {
    std::stable_sort(relatives_.begin(), relatives_.end(), by_offset);
  }
}

const Section* Image::find_section(std::string_view name) const {
  for (const Section& section : sections_) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

std::optional<ByteView> Image::find_section_bytes(std::string_view name) const {
  const Section* section = find_section(name);
  if (section == nullptr || section->type == SHT_NOBITS || section->type == SHT_NULL) {
    return std::nullopt;
  }
  if ((section->flags & SHF_COMPRESSED) != 0) return std::nullopt;
  return find_part(bytes_, section->offset, section->size);
}

std::optional<ByteView> Image::find_bytes_from(ImageAddr addr) const {
  for (const Segment& segment : segments_) {
    if (segment.type != PT_LOAD || addr < segment.vaddr) continue;
    u64 skip = addr - segment.vaddr;
    if (skip >= segment.file_size) continue;
    return find_part(bytes_, segment.offset + skip, segment.file_size - skip);
  }
  return std::nullopt;
}

std::optional<ByteView> Image::find_bytes(ImageAddr addr, u64 size) const {
  std::optional<ByteView> rest = find_bytes_from(addr);
  if (!rest || size > rest->size()) return std::nullopt;
  return rest->first(size);
}

std::optional<u64> Image::find_word(ImageAddr addr) const {
  if (!relatives_.empty()) {
    auto it = std::lower_bound(
        relatives_.begin(), relatives_.end(), addr.value,
        [](const Relative& relative, u64 offset) { return relative.offset < offset; });
    if (it != relatives_.end() && it->offset == addr.value) return it->addend;
  }
  std::optional<ByteView> bytes = find_bytes(addr, 8);
  if (!bytes) return std::nullopt;
  return find_int<u64>(*bytes, 0);
}

std::vector<ImageAddr> Image::find_word_places(u64 value) const {
  std::vector<ImageAddr> places;
  for (const Relative& relative : relatives_) {
    if (relative.addend == value && relative.offset % 8 == 0) {
      places.push_back(ImageAddr(relative.offset));
    }
  }
  for (const Segment& segment : segments_) {
    if (segment.type != PT_LOAD || (segment.flags & PF_W) == 0) continue;
    std::optional<ByteView> bytes = find_part(bytes_, segment.offset, segment.file_size);
    if (!bytes) continue;
    for (u64 at = (8 - segment.vaddr.value % 8) % 8; at + 8 <= bytes->size(); at += 8) {
      ImageAddr place = segment.vaddr + at;
      // The raw word of a relocated place does not count, so ask again in full.
      if (*find_int<u64>(*bytes, at) == value && find_word(place) == value) places.push_back(place);
    }
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

// Calls visit(symbol) for every named, defined symbol of .symtab until it says to stop.
template <typename Visit>
void Image::visit_symbols(Visit visit) const {
  std::optional<ByteView> table = find_section_bytes(".symtab");
  std::optional<ByteView> names = find_section_bytes(".strtab");
  if (!table || !names) return;
  for (u64 at = 0; at + sizeof(Elf64_Sym) <= table->size(); at += sizeof(Elf64_Sym)) {
    Elf64_Sym entry = *find_struct<Elf64_Sym>(*table, at);
    if (entry.st_name == 0 || entry.st_shndx == SHN_UNDEF) continue;
    std::string_view name = ByteReader(*names, entry.st_name).read_cstring();
    if (name.empty()) continue;
    Symbol symbol{.name = name,
                  .addr = ImageAddr(entry.st_value),
                  .size = entry.st_size,
                  .type = static_cast<u8>(ELF64_ST_TYPE(entry.st_info))};
    if (visit(symbol)) return;
  }
}

std::vector<Symbol> Image::read_symbols() const {
  std::vector<Symbol> symbols;
  visit_symbols([&](const Symbol& symbol) {
    symbols.push_back(symbol);
    return false;
  });
  return symbols;
}

std::optional<Symbol> Image::find_symbol(std::string_view name) const {
  std::optional<Symbol> found;
  visit_symbols([&](const Symbol& symbol) {
    if (symbol.name == name) found = symbol;
    return found.has_value();
  });
  return found;
}

std::string Image::build_id() const {
  constexpr u32 kGoBuildId = 4;  // cmd/internal/buildid/note.go, elfGoBuildIDTag
  std::string go_id;
  for (const Segment& segment : segments_) {
    if (segment.type != PT_NOTE) continue;
    std::optional<ByteView> bytes = find_part(bytes_, segment.offset, segment.file_size);
    if (!bytes) continue;
    u64 offset = 0;
    while (std::optional<Note> note = next_note(*bytes, offset)) {
      if (note->type == NT_GNU_BUILD_ID && note->name == std::string_view("GNU\0", 4)) {
        return hex(note->desc);
      }
      if (note->type == kGoBuildId && note->name == std::string_view("Go\0\0", 4)) {
        go_id.assign(reinterpret_cast<const char*>(note->desc.data()), note->desc.size());
      }
    }
  }
  return go_id;
}

bool Image::has_interpreter() const {
  return std::any_of(segments_.begin(), segments_.end(),
                     [](const Segment& segment) { return segment.type == PT_INTERP; });
}

}  // namespace geist::read
