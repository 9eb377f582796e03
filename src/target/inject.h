// System calls made in the name of a stopped thread, leaving no trace: a SYSCALL instruction that
// the program has anyway is single-stepped, so no byte of the program changes, and the registers
// are put back. A system call that the thread was waiting in is taken up again when it goes on: the
// registers say so (orig_rax and -ERESTART in rax), and orig_rax is -1 meanwhile. Source:
// ptrace(2), arch/x86/kernel/signal.c (arch_do_signal_or_restart).
#pragma once

#include <sys/types.h>

#include <array>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "read/elf/image.h"

namespace geist::target {

struct InjectedCall {
  i64 result = 0;            // raw: negative errno on failure
  pid_t child = 0;           // of a clone, traced and stopped; else 0
  std::vector<int> signals;  // that arrived meanwhile; the caller delivers them
};

// The thread must be seized and stopped. `syscall_at` is a SYSCALL instruction in its memory.
Result<InjectedCall> inject_syscall(int tid, TargetAddr syscall_at, long number,
                                    std::array<u64, 6> args);
// A SYSCALL in the executable segments with an INT3 behind it: runtime.exitThread has one
// (runtime/sys_linux_amd64.s). Whoever ran on from there would die.
Result<ImageAddr> find_syscall_instruction(const read::Image& image);

}  // namespace geist::target
