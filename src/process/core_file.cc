// Reading a core. Every offset and size is checked against the file; a segment that leaves it is
// cut, and what is cut is counted.
#include "process/core_file.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/c_struct.h"

namespace geist::process {
namespace {

constexpr u64 kMaxFiles = 1 << 20;
// struct elf_prstatus: pr_pid, pr_reg in the order of user_regs_struct (sys/procfs.h).
constexpr u64 kPrPid = 32, kPrReg = 112;

}  // namespace

Result<CoreFile> CoreFile::open(const std::string& path) {
  GEIST_TRY(file, MappedFile::open(path));
  CoreFile core;
  core.file_.emplace(std::move(file));
  core.bytes_ = core.file_->bytes();
  if (is_zstd(core.bytes_)) {
    GEIST_TRY(loaded, read_zstd(core.bytes_, path));
    core.loaded_.emplace(std::move(loaded));
    core.bytes_ = core.loaded_->bytes();
  }
  GEIST_TRY_STATUS(core.parse(path));
  return core;
}

Result<CoreFile> CoreFile::from_view(ByteView bytes, const std::string& name) {
  CoreFile core;
  core.bytes_ = bytes;
  GEIST_TRY_STATUS(core.parse(name));
  return core;
}

Status CoreFile::parse(const std::string& name) {
  std::optional<Elf64_Ehdr> header = find_struct<Elf64_Ehdr>(bytes_, 0);
  bool is_elf = header && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
  if (!is_elf) return Error(name + ": neither a process id nor a core file (no ELF header)");
  if (header->e_type != ET_CORE) {
    return Error(name + ": an ELF file, but not a core: geist snap wants a process id or a core");
  }
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64) {
    return Error(name + ": a core of another kind of machine; geist knows linux on x86-64");
  }
  u64 count = header->e_phnum;
  // More than 65534 segments: the number is in section header 0 (elf(5), PN_XNUM).
  if (count == PN_XNUM) {
    std::optional<Elf64_Shdr> first = find_struct<Elf64_Shdr>(bytes_, header->e_shoff);
    count = first ? first->sh_info : 0;
  }
  for (u64 i = 0; i < count; ++i) {
    std::optional<u64> at = checked_add(header->e_phoff, i * sizeof(Elf64_Phdr));
    std::optional<Elf64_Phdr> segment = at ? find_struct<Elf64_Phdr>(bytes_, *at) : std::nullopt;
    if (!segment) return Error(name + ": the core ends within its table of segments");
    if (segment->p_type == PT_NOTE) {
      u64 size = std::min(segment->p_filesz,
                          bytes_.size() - std::min<u64>(bytes_.size(), segment->p_offset));
      if (auto notes = find_part(bytes_, segment->p_offset, size)) read_notes(*notes);
    } else if (segment->p_type == PT_LOAD) {
      add_segment({segment->p_vaddr, segment->p_memsz, segment->p_offset, segment->p_filesz});
    }
  }
  std::ranges::sort(segments_, {}, &Segment::begin);
  // Of two that overlap the first counts.
  u64 behind = 0;
  std::erase_if(segments_, [&](const Segment& segment) {
    bool overlaps = segment.begin < behind;
    if (!overlaps) behind = segment.begin + segment.size;
    return overlaps;
  });
  if (segments_.empty()) return Error(name + ": the core has no memory in it");
  return Done{};
}

void CoreFile::add_segment(const Segment& segment) {
  Segment taken = segment;
  bool is_sane = segment.size > 0 && checked_add(segment.begin, segment.size).has_value();
  if (!is_sane) return;
  taken.file_size = std::min(taken.file_size, taken.size);
  u64 there = bytes_.size() - std::min<u64>(bytes_.size(), taken.offset);
  if (taken.file_size > there) {
    missing_bytes_ += taken.file_size - there;
    taken.file_size = there;
  }
  segments_.push_back(taken);
}

void CoreFile::read_notes(ByteView notes) {
  ByteReader reader(notes);
  while (reader.remaining() >= sizeof(Elf64_Nhdr)) {
    u32 name_size = reader.read_u32(), desc_size = reader.read_u32(), type = reader.read_u32();
    reader.skip((u64{name_size} + 3) & ~u64{3});
    ByteView desc = reader.read_bytes(desc_size);
    if (reader.failed()) return;
    reader.skip(std::min<u64>((4 - desc_size % 4) % 4, reader.remaining()));
    if (type == NT_PRSTATUS) read_thread(desc);
    if (type == NT_FILE) read_files(desc);
    if (type == NT_AUXV) {
      for (u64 at = 0; at + 16 <= desc.size(); at += 16) {
        auxv_.emplace_back(*find_int<u64>(desc, at), *find_int<u64>(desc, at + 8));
      }
    }
  }
}

void CoreFile::read_thread(ByteView desc) {
  std::optional<i32> tid = find_int<i32>(desc, kPrPid);
  std::optional<user_regs_struct> registers = find_struct<user_regs_struct>(desc, kPrReg);
  if (tid && registers) threads_.push_back({.tid = *tid, .registers = *registers});
}

// count, page size, {start, end, offset} each, then the names.
void CoreFile::read_files(ByteView desc) {
  ByteReader reader(desc);
  u64 count = reader.read_u64();
  reader.skip(8);
  if (reader.failed() || count > kMaxFiles || count * 24 > reader.remaining()) return;
  std::vector<Mapping> files(count);
  for (Mapping& file : files) {
    file.begin = reader.read_u64();
    file.end = reader.read_u64();
    reader.skip(8);
  }
  for (Mapping& file : files) {
    file.path = reader.read_cstring();
    if (reader.failed()) return;
    files_.push_back(file);
  }
}

std::optional<u64> CoreFile::find_auxv(u64 type) const {
  for (const auto& [key, value] : auxv_) {
    if (key == type) return value;
  }
  return std::nullopt;
}

std::string CoreFile::find_mapped_path(u64 addr) const {
  for (const Mapping& file : files_) {
    if (addr >= file.begin && addr < file.end) return file.path;
  }
  return "";
}

ByteView CoreMemory::find_run(u64 addr) const {
  const std::vector<CoreFile::Segment>& segments = core_.segments();
  auto behind = std::ranges::upper_bound(segments, addr, {}, &CoreFile::Segment::begin);
  if (behind != segments.begin()) {
    const CoreFile::Segment& segment = *std::prev(behind);
    u64 at = addr - segment.begin;
    if (at < segment.file_size) {
      return *find_part(core_.bytes(), segment.offset + at, segment.file_size - at);
    }
  }
  // What nobody can have written is as the file has it.
  ImageAddr linked = bias_.to_image(TargetAddr(addr));
  for (const read::Segment& segment : image_.segments()) {
    bool is_constant = segment.type == PT_LOAD && (segment.flags & PF_W) == 0;
    if (!is_constant || linked < segment.vaddr) continue;
    u64 at = linked - segment.vaddr;
    if (at < segment.file_size) {
      return image_.find_bytes(linked, segment.file_size - at).value_or(ByteView());
    }
  }
  return {};
}

usize CoreMemory::read_some(TargetAddr addr, std::span<u8> out) const {
  usize done = 0;
  while (done < out.size()) {
    ByteView run = find_run(addr.value + done);
    if (run.empty()) break;
    usize part = std::min(run.size(), out.size() - done);
    std::memcpy(out.data() + done, run.data(), part);
    done += part;
  }
  return done;
}

bool CoreMemory::read(TargetAddr addr, std::span<u8> out) const {
  return read_some(addr, out) == out.size();
}

}  // namespace geist::process
