// ptrace by the book: the process is stopped whenever anything here runs; see tracee.h.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/system_error.h"
#include "process/tracee.h"

namespace geist::process {
namespace {}  // namespace

Result<Tracee> Tracee::adopt(int pid) {
  GEIST_TRY(memory, WritableMemory::open(pid));
  return Tracee(pid, std::move(memory));
}

Result<user_regs_struct> Tracee::registers() const {
  user_regs_struct regs{};
  if (ptrace(PTRACE_GETREGS, pid_, 0, &regs) != 0)
    return system_error("ptrace: cannot read registers");
  return regs;
}

Status Tracee::set_registers(const user_regs_struct& regs) const {
  if (ptrace(PTRACE_SETREGS, pid_, 0, &regs) != 0)
    return system_error("ptrace: cannot write registers");
  return Done{};
}

Status Tracee::wait_for_trap() {
  for (;;) {
    int status = 0;
    if (::waitpid(pid_, &status, 0) < 0) {
      if (errno == EINTR) continue;
      return system_error("waitpid");
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      ended_ = status;
      return Error("the process ended before its first instruction of Go code", ErrorKind::kSystem);
    }
    if (!WIFSTOPPED(status)) continue;
    if (WSTOPSIG(status) == SIGTRAP) return Done{};
    if (ptrace(PTRACE_CONT, pid_, 0, WSTOPSIG(status)) != 0)
      return system_error("ptrace: cannot continue");
  }
}

Status Tracee::run_to(TargetAddr addr) {
  u8 original = 0;
  const u8 breakpoint = 0xcc;
  GEIST_TRY_STATUS(memory_.read(addr, {&original, 1}));
  GEIST_TRY_STATUS(memory_.write(addr, {&breakpoint, 1}));
  if (ptrace(PTRACE_CONT, pid_, 0, 0) != 0) return system_error("ptrace: cannot continue");
  GEIST_TRY_STATUS(wait_for_trap());
  GEIST_TRY_STATUS(memory_.write(addr, {&original, 1}));
  GEIST_TRY(regs, registers());
  if (regs.rip != addr.value + 1)
    return Error("the process stopped somewhere else than at its entry", ErrorKind::kSystem);
  regs.rip = addr.value;
  return set_registers(regs);
}

Result<i64> Tracee::syscall(long number, const std::array<u64, 6>& args) {
  GEIST_TRY(saved, registers());
  const std::array<u8, 3> code{0x0f, 0x05, 0xcc};  // SYSCALL; INT3
  std::array<u8, 3> original{};
  TargetAddr at(saved.rip);
  GEIST_TRY_STATUS(memory_.read(at, original));
  GEIST_TRY_STATUS(memory_.write(at, code));
  user_regs_struct regs = saved;
  regs.rax = static_cast<u64>(number);
  regs.orig_rax = ~0ull;  // not inside a system call: nothing to restart
  regs.rdi = args[0];
  regs.rsi = args[1];
  regs.rdx = args[2];
  regs.r10 = args[3];
  regs.r8 = args[4];
  regs.r9 = args[5];
  GEIST_TRY_STATUS(set_registers(regs));
  if (ptrace(PTRACE_CONT, pid_, 0, 0) != 0) return system_error("ptrace: cannot continue");
  GEIST_TRY_STATUS(wait_for_trap());
  GEIST_TRY(after, registers());
  GEIST_TRY_STATUS(memory_.write(at, original));
  GEIST_TRY_STATUS(set_registers(saved));
  if (after.rip != at.value + code.size()) {
    return Error("a system call made for the process did not come back", ErrorKind::kSystem);
  }
  return static_cast<i64>(after.rax);
}

// Texts are put below the stack pointer for the time of their call: the program has not begun to
// use its stack.
Status Tracee::call(std::span<const RemoteCall> calls,
                    const std::function<Status(usize, i64)>& told) {
  constexpr u64 kBelow = 512;
  i64 first = 0;
  for (usize i = 0; i < calls.size(); ++i) {
    std::array<u64, 6> args = calls[i].args;
    std::vector<u8> saved(calls[i].text.empty() ? 0 : calls[i].text.size() + 1);
    TargetAddr scratch;
    if (!saved.empty()) {
      GEIST_TRY(regs, registers());
      scratch = TargetAddr((regs.rsp - kBelow - saved.size()) & ~u64{15});
      GEIST_TRY_STATUS(memory_.read(scratch, saved));
      GEIST_TRY_STATUS(memory_.write(
          scratch, {reinterpret_cast<const u8*>(calls[i].text.c_str()), saved.size()}));
      args[0] = scratch.value;
    }
    if (calls[i].result_arg >= 0)
      args[static_cast<usize>(calls[i].result_arg)] = static_cast<u64>(first);
    GEIST_TRY(result, syscall(calls[i].number, args));
    if (!saved.empty()) GEIST_TRY_STATUS(memory_.write(scratch, saved));
    if (i == 0) first = result;
    GEIST_TRY_STATUS(told(i, result));
  }
  return Done{};
}

Status Tracee::detach() {
  memory_.close();
  if (ptrace(PTRACE_DETACH, pid_, 0, 0) != 0) return system_error("ptrace: cannot detach");
  return Done{};
}

void Tracee::kill() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace geist::process
