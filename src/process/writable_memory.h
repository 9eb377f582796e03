// WritableMemory: all memory of another process through /proc/PID/mem, past page protections, as a
// debugger has it.
#pragma once

#include <span>

#include "base/address.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"

namespace geist::process {

class WritableMemory {
 public:
  // Fails when the process is gone or we may not.
  static Result<WritableMemory> open(int pid);
  Status read(TargetAddr addr, std::span<u8> out) const;
  // The kernel copies page by page, and one page's bytes all or not at all, whatever happens to us
  // (mm/memory.c,
  // __access_remote_vm): a write that stays within a page is never left half done.
  Status write(TargetAddr addr, ByteView bytes) const;
  void close() { fd_.reset(); }

 private:
  explicit WritableMemory(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace geist::process
