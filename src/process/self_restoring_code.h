// Code that a running thread is sent through to make system calls for us, and that leads back by
// itself: it ends by loading every register from constants and jumping to where the thread stood.
// One change of registers puts a thread onto it, and from then on nobody is needed: when the tracer
// is killed at any moment, the thread makes the calls and goes on.
//
//   MOV RAX, number; MOV RDI, ...; SYSCALL   each call; leaves all but RAX, RCX and R11 alone
//   MOV RAX, ...; MOV RBX, ...; ...          all as it was; leaves the flags alone, uses no stack
//   JMP [RIP+0]; .quad pc                    back
//
// A thread that was stopped inside a system call is sent back to the call itself, as the kernel
// would do (arch/x86/kernel/signal.c, arch_do_signal_or_restart).
#pragma once

#include <sys/user.h>

#include <span>
#include <vector>

#include "process/remote_call.h"

namespace geist::process {

// The registers a stopped thread must get so that, when it runs, it does what it would have done:
// an interrupted system call is made again. `regs` are those that ptrace gives at the stop.
user_regs_struct resumed_registers(const user_regs_struct& regs);

// The exit status of a copy of the process that nobody traces any more: the code ends it.
constexpr int kUntracedChildStatus = 0x67;

struct SelfRestoringCode {
  std::vector<u8> bytes;
  std::vector<u64> behind_call;  // for each call, the address behind its SYSCALL
};

// The code for these calls at address `at`, ending at `then` (a result of resumed_registers). A
// clone must be one that copies the process; what it makes ends at once when it runs.
SelfRestoringCode emit_self_restoring_code(u64 at, std::span<const RemoteCall> calls,
                                           const user_regs_struct& then);

}  // namespace geist::process
