// ELF header, segments, notes (NT_PRSTATUS a thread, NT_AUXV, NT_FILE), then the memory from the
// next page on. Source: core(5), elf(5), sys/procfs.h (struct elf_prstatus).
#include "process/core_writer.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/procfs.h>

#include <algorithm>
#include <cstring>

#include "base/page.h"
#include "process/process_info.h"
#include "read/elf/header.h"

namespace geist::process {
namespace {

constexpr u64 kChunk = u64{1} << 20;

template <typename T>
void append_struct(std::vector<u8>& out, const T& value) {
  const u8* bytes = reinterpret_cast<const u8*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

void append_note(std::vector<u8>& out, u32 type, ByteView desc) {
  append_struct(out, Elf64_Nhdr{5, static_cast<u32>(desc.size()), type});
  constexpr char kName[8] = "CORE";  // four letters, a zero, and padding
  out.insert(out.end(), kName, kName + sizeof kName);
  out.insert(out.end(), desc.begin(), desc.end());
  out.resize((out.size() + 3) / 4 * 4);
}

std::vector<u8> make_notes(const CoreContents& contents) {
  std::vector<u8> notes;
  for (const FrozenThread& thread : contents.threads) {
    elf_prstatus status{};
    status.pr_pid = thread.tid;
    static_assert(sizeof status.pr_reg == sizeof thread.registers);
    std::memcpy(&status.pr_reg, &thread.registers, sizeof thread.registers);
    std::vector<u8> desc;
    append_struct(desc, status);
    append_note(notes, NT_PRSTATUS, desc);
  }
  std::vector<u8> auxv;
  for (u64 word : {u64{AT_ENTRY}, contents.entry, u64{AT_NULL}, u64{0}}) append_struct(auxv, word);
  append_note(notes, NT_AUXV, auxv);
  // Count, page size, {begin, end, offset}, path: that the entry lies in this file is all it says.
  std::vector<u8> files;
  u64 page = contents.entry / kPageBytes * kPageBytes;
  for (u64 word : {u64{1}, kPageBytes, page, page + kPageBytes, u64{0}}) append_struct(files, word);
  files.insert(files.end(), contents.program.begin(), contents.program.end());
  files.push_back(0);
  append_note(notes, NT_FILE, files);
  return notes;
}

Elf64_Ehdr make_header(u64 segments) {
  Elf64_Ehdr header = read::make_elf_header(ET_CORE);
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(segments);
  return header;
}

// In a segment that is writable: also what was made read-only after relocation.
bool is_of_written_segment(const MapEntry& entry, const read::Image& image, LoadBias bias) {
  return std::ranges::any_of(image.segments(), [&](const read::Segment& segment) {
    u64 begin = bias.to_target(segment.vaddr).value;
    return segment.type == PT_LOAD && (segment.flags & PF_W) != 0 &&
           entry.begin < begin + segment.mem_size && begin < entry.end;
  });
}

}  // namespace

Result<CoreWriter> CoreWriter::make(CoreContents contents) {
  u64 segments = contents.regions.size() + 1;
  if (segments >= PN_XNUM) {
    return Error(
        fmt::format("the process has {} regions of memory, more than a core holds", segments));
  }
  std::vector<u8> notes = make_notes(contents);
  u64 head = sizeof(Elf64_Ehdr) + segments * sizeof(Elf64_Phdr);
  u64 offset = (head + notes.size() + kPageBytes - 1) / kPageBytes * kPageBytes;
  CoreWriter writer(std::move(contents));
  append_struct(writer.head_, make_header(segments));
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_offset = head;
  note.p_filesz = notes.size();
  append_struct(writer.head_, note);
  for (const CoreRegion& region : writer.contents_.regions) {
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_flags = PF_R | PF_W;
    load.p_offset = offset;
    load.p_vaddr = region.begin.value;
    load.p_filesz = load.p_memsz = region.size_bytes;
    load.p_align = kPageBytes;
    append_struct(writer.head_, load);
    offset += region.size_bytes;
  }
  writer.head_.insert(writer.head_.end(), notes.begin(), notes.end());
  writer.head_.resize((writer.head_.size() + kPageBytes - 1) / kPageBytes * kPageBytes);
  writer.size_bytes_ = offset;
  return writer;
}

Result<u64> CoreWriter::write(const std::function<Status(ByteView)>& sink) const {
  GEIST_TRY_STATUS(sink(head_));
  u64 unreadable = 0;
  std::vector<u8> chunk(kChunk);
  for (const CoreRegion& region : contents_.regions) {
    for (u64 done = 0; done < region.size_bytes;) {
      u64 wanted = std::min(kChunk, region.size_bytes - done);
      u64 got = contents_.memory->read_some(region.begin + done, {chunk.data(), wanted});
      if (got == 0) {
        got = std::min(kPageBytes, wanted);
        std::fill_n(chunk.begin(), got, u8{0});
        unreadable += got;
      }
      GEIST_TRY_STATUS(sink(ByteView(chunk).first(got)));
      done += got;
    }
  }
  return unreadable;
}

Result<std::vector<CoreRegion>> find_written_regions(int pid, const read::Image& image,
                                                     LoadBias bias) {
  GEIST_TRY(maps, read_maps(pid));
  std::vector<CoreRegion> regions;
  for (const MapEntry& entry : maps) {
    bool is_readable = entry.permissions.starts_with('r') && entry.permissions.ends_with('p');
    // Pages of the kernel's own: [vvar] cannot be read, [vdso] holds code.
    bool is_kernel = entry.path.starts_with("[v");
    bool may_be_written = entry.permissions.substr(0, 2) == "rw" || entry.is_anonymous() ||
                          is_of_written_segment(entry, image, bias);
    if (is_readable && !is_kernel && may_be_written && entry.end > entry.begin) {
      regions.push_back({TargetAddr(entry.begin), entry.end - entry.begin});
    }
  }
  return regions;
}

}  // namespace geist::process
