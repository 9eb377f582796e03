#include <errno.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <chrono>
#include <cstring>
#include <utility>

#include "target/inject.h"
#include "target/process_copy.h"

namespace geist::target {
namespace {

void wait_for_stop_or_end(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
  }
}

// On a busy machine most of a pause would be our waiting for a processor while the process stands
// still. Without the right to it, it stays as it was.
class Haste {
 public:
  Haste() : before_(::getpriority(PRIO_PROCESS, 0)) { ::setpriority(PRIO_PROCESS, 0, -20); }
  ~Haste() { ::setpriority(PRIO_PROCESS, 0, before_); }
  Haste(const Haste&) = delete;
  Haste& operator=(const Haste&) = delete;

 private:
  int before_;
};

}  // namespace

Result<ProcessCopy> ProcessCopy::make(int pid, TargetAddr syscall_at) {
  Haste haste;
  auto start = std::chrono::steady_clock::now();
  GEIST_TRY(frozen, FrozenProcess::freeze(pid));
  const int tid = frozen.threads().front().tid;
  u64 mask = 0;
  const u64 kAll = ~u64{0};
  bool is_ready = ptrace(PTRACE_GETSIGMASK, tid, sizeof mask, &mask) == 0 &&
                  ptrace(PTRACE_SETSIGMASK, tid, sizeof kAll, &kAll) == 0 &&
                  ptrace(PTRACE_SETOPTIONS, tid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK) == 0;
  if (!is_ready) return Error(fmt::format("ptrace: {}", std::strerror(errno)), ErrorKind::kSystem);
  auto call = inject_syscall(tid, syscall_at, SYS_clone,
                             {CLONE_FILES | CLONE_FS | CLONE_IO, 0, 0, 0, 0, 0});
  ptrace(PTRACE_SETOPTIONS, tid, 0, 0);
  ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask);
  if (!call.ok()) return call.take_error();
  for (int signal : call->signals) frozen.deliver(tid, signal);
  if (call->child == 0) {
    return Error(fmt::format("the kernel refuses a copy of process {}: {}", pid,
                             std::strerror(static_cast<int>(-call->result))),
                 ErrorKind::kSystem);
  }
  ProcessCopy copy(pid, call->child, syscall_at);
  copy.threads_ = frozen.threads();
  frozen.thaw();
  copy.pause_ms_ =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  wait_for_stop_or_end(copy.child_);
  ptrace(PTRACE_SETOPTIONS, copy.child_, 0, PTRACE_O_EXITKILL);
  return copy;
}

ProcessCopy::ProcessCopy(ProcessCopy&& other) noexcept
    : pid_(other.pid_),
      child_(std::exchange(other.child_, 0)),
      syscall_at_(other.syscall_at_),
      memory_(std::move(other.memory_)),
      threads_(std::move(other.threads_)),
      pause_ms_(other.pause_ms_) {}

ProcessCopy::~ProcessCopy() {
  if (child_ == 0) return;
  ::kill(child_, SIGKILL);
  wait_for_stop_or_end(child_);
  // What is left is an entry in the table of processes; its parent takes it away. Without
  // permission by now, or with the process gone, nothing needs to be done.
  Haste haste;
  Result<FrozenProcess> frozen = FrozenProcess::freeze(pid_);
  if (!frozen.ok()) return;
  const int tid = frozen->threads().front().tid;
  auto call = inject_syscall(tid, syscall_at_, SYS_wait4,
                             {static_cast<u64>(child_), 0, __WALL | WNOHANG, 0, 0, 0});
  if (!call.ok()) return;
  for (int signal : call->signals) frozen->deliver(tid, signal);
}

}  // namespace geist::target
