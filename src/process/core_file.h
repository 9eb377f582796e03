// A core file: the memory and registers of a process at its end, or of one that gcore looked at.
//
//   PT_LOAD   memory, by address
//   PT_NOTE   NT_PRSTATUS a thread's registers · NT_AUXV · NT_FILE what was mapped where
//
// A file compressed with zstd (geist snap --save) is read as what is in it. The kernel leaves out
// what files have (the text and constants of the program), so those bytes come from the program.
// Everything in a core is untrusted; what a truncated one lacks is unreadable, and counted. Source:
// core(5), elf(5), fs/binfmt_elf.c.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/zstd.h"
#include "process/freeze.h"
#include "process/memory.h"
#include "read/elf/image.h"

namespace geist::process {

class CoreFile {
 public:
  // Fails: not an ELF core, another machine, no memory in it.
  static Result<CoreFile> open(const std::string& path);
  // The same of bytes that the caller keeps alive.
  static Result<CoreFile> from_view(ByteView bytes, const std::string& name);

  struct Segment {
    u64 begin = 0, size = 0;  // in memory
    u64 offset = 0, file_size = 0;
  };
  const std::vector<Segment>& segments() const { return segments_; }  // ascending, disjoint
  const std::vector<FrozenThread>& threads() const { return threads_; }
  std::optional<u64> find_auxv(u64 type) const;
  // Of the file that was mapped at this address; empty when the core does not say.
  std::string find_mapped_path(u64 addr) const;
  // Bytes that the headers promise and the file does not have.
  u64 missing_bytes() const { return missing_bytes_; }
  ByteView bytes() const { return bytes_; }

 private:
  CoreFile() = default;
  Status parse(const std::string& name);
  void add_segment(const Segment& segment);
  void read_notes(ByteView notes);
  void read_thread(ByteView desc);
  void read_files(ByteView desc);
  struct Mapping {
    u64 begin, end;
    std::string path;
  };
  std::optional<MappedFile> file_;
  std::optional<LoadedBytes> loaded_;  // of a compressed one
  ByteView bytes_;
  std::vector<Segment> segments_;
  std::vector<FrozenThread> threads_;
  std::vector<std::pair<u64, u64>> auxv_;
  std::vector<Mapping> files_;
  u64 missing_bytes_ = 0;
};

// The core's memory, with the program's own bytes where the core has none.
class CoreMemory : public Memory {
 public:
  // Both must outlive it.
  CoreMemory(const CoreFile& core, const read::Image& image, LoadBias bias)
      : core_(core), image_(image), bias_(bias) {}
  bool read(TargetAddr addr, std::span<u8> out) const override;
  usize read_some(TargetAddr addr, std::span<u8> out) const override;

 private:
  // As many bytes as one source has from addr on.
  ByteView find_run(u64 addr) const;
  const CoreFile& core_;
  const read::Image& image_;
  LoadBias bias_;
};

}  // namespace geist::process
