// Reads of another process's memory. Everything read is hostile: it may be torn, stale or made up.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "base/ints.h"

namespace geist::process {

// Where bytes of the target come from: a live process, a core, or a test.
class Memory {
 public:
  virtual ~Memory() = default;
  // Fills all of `out` from addr, or returns false (and `out` is unspecified).
  virtual bool read(TargetAddr addr, std::span<u8> out) const = 0;
  // Fills as much of `out` as is readable from addr on, page by page; returns how many bytes came
  // from the start.
  virtual usize read_some(TargetAddr addr, std::span<u8> out) const = 0;

  template <typename T>
  std::optional<T> find(TargetAddr addr) const {
    T value;
    if (!read(addr, {reinterpret_cast<u8*>(&value), sizeof(T)})) return std::nullopt;
    return value;
  }
};

// process_vm_readv on a live process; needs the same rights as ptrace. A program may take these
// rights from us while it runs (PR_SET_DUMPABLE): what was opened before goes on working, so
// `opened` is /proc/PID/mem for that case.
class ProcessMemory : public Memory {
 public:
  explicit ProcessMemory(int pid, Fd opened = Fd()) : pid_(pid), opened_(std::move(opened)) {}
  bool read(TargetAddr addr, std::span<u8> out) const override;
  usize read_some(TargetAddr addr, std::span<u8> out) const override;
  int pid() const { return pid_; }

 private:
  int pid_;
  Fd opened_;
};

}  // namespace geist::process
