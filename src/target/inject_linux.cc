#include <elf.h>
#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "target/freeze.h"
#include "target/inject.h"

namespace geist::target {
namespace {

Error system_error(const char* what) {
  return Error(fmt::format("{}: {}", what, std::strerror(errno)), ErrorKind::kSystem);
}

// Steps over the system call; signals and the birth of a child stop it on the way.
Status step_over(int tid, InjectedCall* call) {
  for (;;) {
    if (ptrace(PTRACE_SINGLESTEP, tid, 0, 0) != 0) return system_error("ptrace: cannot step");
    std::optional<int> waited = wait_for_thread(tid);
    int status = waited.value_or(0);
    if (!waited || !WIFSTOPPED(status)) {
      return Error("the process ended while its memory was being copied", ErrorKind::kSystem);
    }
    int event = status >> 16;
    if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
      unsigned long child = 0;
      if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &child) == 0) call->child = static_cast<pid_t>(child);
    } else if (event == 0 && WSTOPSIG(status) == SIGTRAP) {
      return Done{};
    } else if (event == 0) {
      call->signals.push_back(WSTOPSIG(status));
    }
  }
}

}  // namespace

Result<InjectedCall> inject_syscall(int tid, TargetAddr syscall_at, long number,
                                    std::array<u64, 6> args) {
  user_regs_struct saved{};
  if (ptrace(PTRACE_GETREGS, tid, 0, &saved) != 0)
    return system_error("ptrace: cannot read registers");
  user_regs_struct regs = saved;
  regs.rip = syscall_at.value;
  regs.rax = static_cast<u64>(number);
  regs.orig_rax = ~0ull;
  regs.rdi = args[0];
  regs.rsi = args[1];
  regs.rdx = args[2];
  regs.r10 = args[3];
  regs.r8 = args[4];
  regs.r9 = args[5];
  if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0)
    return system_error("ptrace: cannot set registers");
  InjectedCall call;
  Status stepped = step_over(tid, &call);
  user_regs_struct after{};
  bool is_known = stepped.ok() && ptrace(PTRACE_GETREGS, tid, 0, &after) == 0;
  call.result = static_cast<i64>(after.rax);
  if (ptrace(PTRACE_SETREGS, tid, 0, &saved) != 0)
    return system_error("ptrace: cannot restore registers");
  if (!stepped.ok()) return stepped.take_error();
  if (!is_known || after.rip != syscall_at.value + 2) {
    return Error("a system call made for the process did not come back", ErrorKind::kSystem);
  }
  return call;
}

Result<ImageAddr> find_syscall_instruction(const read::Image& image) {
  const std::array<u8, 4> kSyscall{0x0f, 0x05, 0xcd, 0x03};  // SYSCALL; INT $3
  for (const read::Segment& segment : image.segments()) {
    bool is_code = segment.type == PT_LOAD && (segment.flags & PF_X) != 0;
    std::optional<ByteView> bytes =
        is_code ? image.find_bytes(segment.vaddr, segment.file_size) : std::nullopt;
    if (!bytes) continue;
    auto found = std::ranges::search(*bytes, kSyscall);
    if (!found.empty()) {
      return segment.vaddr + static_cast<u64>(found.begin() - bytes->begin());
    }
  }
  return Error(image.path() +
               ": there is no SYSCALL followed by INT3 in it, as runtime.exitThread has");
}

}  // namespace geist::target
