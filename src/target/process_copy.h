// The memory of a process as it is now, while the process goes on.
//
//   freeze ─▶ clone in one thread ─▶ thaw          the pause
//             └─▶ child: never runs an instruction, shares pages until either side writes
//
// The child is made by the kernel's copy on write, so the pause is the copying of page tables. It
// shares the file table (CLONE_FILES), so no file stays open for its sake, and has no exit signal,
// so the process gets no SIGCHLD and its wait4(-1) does not find it. It dies with geist
// (PTRACE_O_EXITKILL); should geist be killed before that is set, the child runs into the INT3
// behind its system call with all signals blocked, which ends it. When it is given up, a thread of
// the process collects it, by a system call of ours.
#pragma once

#include "target/freeze.h"
#include "target/memory.h"

namespace geist::target {

class ProcessCopy {
 public:
  // `syscall_at`: a SYSCALL in the process that an INT3 follows. Fails as FrozenProcess does, or
  // when the kernel refuses the child (a limit of processes or memory); the process runs on in all
  // cases.
  static Result<ProcessCopy> make(int pid, TargetAddr syscall_at);
  ProcessCopy(ProcessCopy&& other) noexcept;
  ProcessCopy& operator=(ProcessCopy&&) = delete;
  ~ProcessCopy();

  const ProcessMemory& memory() const { return memory_; }
  // Of the process at that moment.
  const std::vector<FrozenThread>& threads() const { return threads_; }
  double pause_ms() const { return pause_ms_; }

 private:
  ProcessCopy(int pid, int child, TargetAddr syscall_at)
      : pid_(pid), child_(child), syscall_at_(syscall_at), memory_(child) {}
  int pid_, child_;
  TargetAddr syscall_at_;
  ProcessMemory memory_;
  std::vector<FrozenThread> threads_;
  double pause_ms_ = 0;
};

}  // namespace geist::target
