// Writes a core file: what of a process a heap graph is made from, in the form that CoreFile reads,
// and gdb and delve as well.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "process/freeze.h"
#include "process/memory.h"
#include "read/elf/image.h"

namespace geist::process {

struct CoreRegion {
  TargetAddr begin;
  u64 size_bytes = 0;
};

struct CoreContents {
  const Memory* memory = nullptr;
  std::vector<CoreRegion> regions;  // ascending, disjoint
  std::vector<FrozenThread> threads;
  u64 entry = 0;        // AT_ENTRY
  std::string program;  // path of the file that is mapped there
};

// A core is written front to back, by calls of the sink.
class CoreWriter {
 public:
  // Fails when there are more regions than a core counts.
  static Result<CoreWriter> make(CoreContents contents);
  // Of the whole file.
  u64 size_bytes() const { return size_bytes_; }
  // Memory that cannot be read is written as zeros; returns how many bytes.
  Result<u64> write(const std::function<Status(ByteView)>& sink) const;

 private:
  explicit CoreWriter(CoreContents contents) : contents_(std::move(contents)) {}
  CoreContents contents_;
  std::vector<u8> head_;  // all in front of the memory
  u64 size_bytes_ = 0;
};

// The memory of a process that its program file does not have: all that may have been written to.
// `image` is the program.
Result<std::vector<CoreRegion>> find_written_regions(int pid, const read::Image& image,
                                                     LoadBias bias);

}  // namespace geist::process
