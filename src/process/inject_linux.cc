// See inject.h. The thread stops on its way into each call and out of it (PTRACE_SYSCALL), so
// nothing of it is lost when we end in between: the code goes on.
#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/system_error.h"
#include "process/inject.h"
#include "process/self_restoring_code.h"

namespace geist::process {
namespace {

// A call may sleep in the kernel for a while, but not for ever: a copy of a process of some hundred
// GiB takes seconds.
ThreadWait wait_for_call(int tid) {
  constexpr auto kPatience = std::chrono::seconds(60);
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const double left =
        std::chrono::duration<double>(begin + kPatience - std::chrono::steady_clock::now()).count();
    const ThreadWait wait = wait_for_thread(tid, std::max(left, 0.0));
    if (wait.end != ThreadWait::End::kAsleep) return wait;
    if (left <= 0) return {ThreadWait::End::kLate};
  }
}

// Lets the thread run from one of the calls to the next: it stops on the way into each and on the
// way out. Signals are kept from it, since a handler might wait for threads that are stopped.
Status run_code(int tid, const std::vector<u64>& behind_call, const std::function<void(i64)>& first,
                InjectedCalls* done) {
  bool is_inside = false;
  while (done->results.size() < behind_call.size()) {
    if (ptrace(PTRACE_SYSCALL, tid, 0, 0) != 0) return system_error("ptrace: cannot go on");
    const ThreadWait waited = wait_for_call(tid);
    if (waited.end == ThreadWait::End::kLate)
      return Error("a system call made for the process does not come back", ErrorKind::kSystem);
    if (!waited.has_stopped()) {
      return Error("the process ended while its memory was being copied", ErrorKind::kSystem);
    }
    const int status = waited.status;
    int event = status >> 16;
    if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
      unsigned long child = 0;
      if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &child) == 0) done->child = static_cast<pid_t>(child);
    } else if (event == 0 && WSTOPSIG(status) == (SIGTRAP | 0x80)) {  // PTRACE_O_TRACESYSGOOD
      user_regs_struct regs{};
      if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0)
        return system_error("ptrace: cannot read registers");
      if (regs.rip != behind_call[done->results.size()]) {
        return Error("a system call made for the process did not come back", ErrorKind::kSystem);
      }
      if (is_inside) done->results.push_back(static_cast<i64>(regs.rax));
      if (is_inside && done->results.size() == 1 && first) first(done->results.front());
      is_inside = !is_inside;
    } else if (event == 0) {
      done->signals.push_back(WSTOPSIG(status));
    }
  }
  return Done{};
}

}  // namespace

Result<FrozenProcess> freeze_outside(Tracer& tracer, int pid,
                                     const StoppedProcess::CodeRoom& room) {
  constexpr int kTries = 500;
  constexpr useconds_t kBetweenUs = 2000;
  for (int i = 0; i < kTries; ++i) {
    GEIST_TRY(frozen, FrozenProcess::freeze(tracer, pid));
    bool is_inside = std::ranges::any_of(frozen.threads(), [&](const FrozenThread& thread) {
      u64 pc = thread.registers.rip;
      return pc >= room.begin.value && pc - room.begin.value < room.original.size();
    });
    if (!is_inside) return frozen;
    frozen.thaw();
    ::usleep(kBetweenUs);
  }
  return Error(fmt::format("process {} does not come out of its start-up code", pid),
               ErrorKind::kSystem);
}

Result<InjectedCalls> inject_calls(int tid, const WritableMemory& memory,
                                   const StoppedProcess::CodeRoom& room,
                                   std::span<const RemoteCall> calls,
                                   const std::function<void(i64)>& first) {
  user_regs_struct saved{};
  if (ptrace(PTRACE_GETREGS, tid, 0, &saved) != 0)
    return system_error("ptrace: cannot read registers");
  const user_regs_struct then = resumed_registers(saved);
  SelfRestoringCode code = emit_self_restoring_code(room.begin.value, calls, then);
  if (code.bytes.size() > room.original.size())
    return Error("the program has no room for the code that makes calls", ErrorKind::kSystem);
  GEIST_TRY_STATUS(memory.write(room.begin, code.bytes));
  constexpr int kOptions =
      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
  user_regs_struct regs = then;
  regs.rip = room.begin.value;
  if (ptrace(PTRACE_SETOPTIONS, tid, 0, kOptions) != 0 ||
      ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0) {
    return system_error("ptrace: cannot set registers");
  }
  InjectedCalls done;
  Status ran = run_code(tid, code.behind_call, first, &done);
  // Wherever in the code it stands: it is back where it was, as the code itself would have done.
  if (ptrace(PTRACE_SETREGS, tid, 0, &then) != 0 || ptrace(PTRACE_SETOPTIONS, tid, 0, 0) != 0) {
    return ran.ok() ? system_error("ptrace: cannot restore registers") : ran.take_error();
  }
  Status restored = memory.write(room.begin, room.original);
  if (!ran.ok()) return ran.take_error();
  if (!restored.ok()) return restored.take_error();
  return done;
}

Result<StoppedProcess::CodeRoom> find_code_room(const read::GoBinary& binary, LoadBias bias) {
  std::optional<read::Function> start = binary.pclntab().find_function_named("runtime.rt0_go");
  std::optional<ByteView> code =
      start ? binary.image().find_bytes(start->entry, start->end - start->entry) : std::nullopt;
  if (!code)
    return Error("the program has no function runtime.rt0_go, where calls could be made from");
  return StoppedProcess::CodeRoom{bias.to_target(start->entry), *code};
}

}  // namespace geist::process
