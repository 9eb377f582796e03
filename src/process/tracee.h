// Tracee: a process stopped under ptrace, with the three things launching needs: its memory, its
// registers, and system calls made in its name. Source: ptrace(2), proc(5) /proc/PID/mem.
#pragma once

#include <sys/user.h>

#include <optional>

#include "base/result.h"
#include "process/remote_call.h"

namespace geist::process {

class Tracee : public RemoteProcess {
 public:
  // Takes over a traced child that stopped at its exec.
  static Result<Tracee> adopt(int pid);

  int pid() const override { return pid_; }
  const WritableMemory& memory() const override { return memory_; }
  // From where it stands: its code is changed there for a moment.
  Status call(std::span<const RemoteCall> calls,
              const std::function<Status(usize, i64)>& told) override;

  // Lets the process run to `addr` (a breakpoint is set and removed). Signals meanwhile are
  // delivered.
  Status run_to(TargetAddr addr);
  // Lets it go, for good.
  Status detach();
  // How it ended, when it did while something here waited for it.
  std::optional<int> ended() const { return ended_; }
  // Ends it: a process that was half prepared must not run.
  void kill();

 private:
  Tracee(int pid, WritableMemory memory) : pid_(pid), memory_(std::move(memory)) {}
  Result<user_regs_struct> registers() const;
  Status set_registers(const user_regs_struct& regs) const;
  Status wait_for_trap();
  // One system call at the current instruction, which is restored. The raw value, negative errno on
  // failure.
  Result<i64> syscall(long number, const std::array<u64, 6>& args);
  int pid_;
  WritableMemory memory_;
  std::optional<int> ended_;
};

}  // namespace geist::process
