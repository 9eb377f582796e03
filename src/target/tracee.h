// Tracee: a process stopped under ptrace, with the three things launching needs: its memory, its registers, and system
// calls made in its name. Source: ptrace(2), proc(5) /proc/PID/mem.
#pragma once

#include <sys/user.h>

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"

namespace geist::target {

struct MapEntry {
  u64 begin = 0;
  u64 end = 0;
  std::string permissions;  // "r-xp"
  std::string path;
};

class Tracee {
 public:
  // Takes over a traced child that stopped at its exec.
  static Result<Tracee> adopt(int pid);

  int pid() const { return pid_; }
  Result<user_regs_struct> registers() const;
  Status set_registers(const user_regs_struct& regs) const;
  Status read(TargetAddr addr, std::span<u8> out) const;
  // Writes through page protections, as a debugger does.
  Status write(TargetAddr addr, ByteView bytes) const;
  Result<std::vector<MapEntry>> maps() const;
  // The value of an auxiliary vector entry (AT_ENTRY, ...), from /proc/PID/auxv.
  Result<u64> auxv(u64 type) const;

  // Lets the process run to `addr` (a breakpoint is set and removed). Signals meanwhile are delivered.
  Status run_to(TargetAddr addr);
  // One system call made by the stopped process at its current instruction, which is restored. The result is the raw
  // value, negative errno on failure.
  Result<i64> syscall(long number, std::array<u64, 6> args);
  // Lets it go, for good.
  Status detach();
  // How it ended, when it did while something here waited for it.
  std::optional<int> ended() const { return ended_; }
  // Ends it: a process that was half prepared must not run.
  void kill();

 private:
  explicit Tracee(int pid) : pid_(pid) {}
  Status wait_for_trap();
  int pid_;
  Fd mem_;
  std::optional<int> ended_;
};

}  // namespace geist::target
