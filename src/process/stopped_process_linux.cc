// See stopped_process.h.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/start_thread.h"
#include "process/process_info.h"
#include "process/self_restoring_code.h"
#include "process/stopped_process.h"

namespace geist::process {
namespace {

constexpr double kStopSeconds = 3.0;   // patience with a thread that does not stop
constexpr double kAsleepAfter = 0.02;  // then: may it be one that cannot be woken?
constexpr int kMaxScans = 1000;        // for threads that come while we stop the others
constexpr long kPollNs = 30000;

void sleep_a_little() {
  timespec ts{0, kPollNs};
  ::nanosleep(&ts, nullptr);
}

Error gone(int pid) {
  return Error(fmt::format("process {} has ended", pid), ErrorKind::kNotFound);
}

// Waits of epoll end with EINTR at any stop, whatever the program does about signals (signal(7)).
// One without a deadline is made again, so that nobody sees that. One with a deadline keeps its
// EINTR: how much of its time was left is not known.
void remake_endless_wait(StoppedThread& thread) {
  user_regs_struct& regs = thread.regs;
  if (static_cast<i64>(regs.rax) != -EINTR) return;
  bool is_epoll =
      regs.orig_rax == SYS_epoll_wait || (regs.orig_rax == SYS_epoll_pwait && regs.r8 == 0);
  bool is_endless = is_epoll && static_cast<i32>(regs.r10) == -1;
  i64 pending = 0;
  for (const char* line : {"SigPnd", "ShdPnd"}) {
    std::string text = find_status_line(thread.tid, line).value_or("1");
    pending += text.find_first_not_of('0') != std::string::npos ? 1 : 0;
  }
  if (!is_endless || pending != 0) return;
  regs.rax = regs.orig_rax;
  regs.orig_rax = ~u64{0};
  regs.rip -= 2;  // SYSCALL
  (void)ptrace(PTRACE_SETREGS, thread.tid, 0, &regs);
}

}  // namespace

Error explain_refusal(int pid, int error) {
  i64 tracer = find_status_number(pid, "TracerPid").value_or(0);
  if (tracer != 0) {
    std::string name =
        find_status_line(static_cast<int>(tracer), "Name").value_or("another program");
    return Error(fmt::format("process {} is traced by {} (process {}), and a process can have one "
                             "tracer only",
                             pid, name, tracer),
                 ErrorKind::kNoPermission)
        .with_hint("End or detach that one first.");
  }
  if (error == ESRCH) return gone(pid);
  return Error(fmt::format("ptrace of process {}: {}", pid, std::strerror(error)),
               ErrorKind::kNoPermission)
      .with_hint(
          "It takes the same user and kernel.yama.ptrace_scope=0, or CAP_SYS_PTRACE: sudo geist "
          "attach ...; in a container:\n"
          "docker run --cap-add=SYS_PTRACE ...; geist doctor says more.");
}

StoppedProcess::~StoppedProcess() {
  resume();
}

bool StoppedProcess::knows(int tid) const {
  auto is_it = [tid](const StoppedThread& t) { return t.tid == tid; };
  return std::any_of(threads_.begin(), threads_.end(), is_it) ||
         std::find(seized_.begin(), seized_.end(), tid) != seized_.end();
}

// A former stop of ours may still be letting go of a thread that slept: that is a matter of a
// moment.
static int seize(int tid) {
  constexpr int kAttempts = 100;
  for (int attempt = 0;; ++attempt) {
    if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) == 0) return 0;
    int error = errno;
    i64 tracer = error == EPERM ? find_status_number(tid, "TracerPid").value_or(0) : 0;
    bool ours =
        tracer != 0 &&
        find_status_number(static_cast<int>(tracer), "Tgid").value_or(::getpid()) == ::getpid();
    if (!ours || attempt == kAttempts) return error;
    sleep_a_little();
  }
}

Status StoppedProcess::seize_new(std::vector<int>* waiting) {
  for (int tid : threads_of(pid_)) {
    if (knows(tid)) continue;
    if (int error = seize(tid); error != 0) {
      char state = find_thread_state(pid_, tid).value_or('X');
      if (error == ESRCH || state == 'Z' || state == 'X')
        continue;  // ended, or a main thread that left the others
      return explain_refusal(tid, error);
    }
    seized_.push_back(tid);
    (void)ptrace(PTRACE_INTERRUPT, tid, 0, 0);
    waiting->push_back(tid);
  }
  return Done{};
}

Result<bool> StoppedProcess::take_stop(int tid) {
  int status = 0;
  pid_t got = ::waitpid(tid, &status, __WALL | WNOHANG);
  if (got == 0) return false;
  if (got < 0 && errno == EINTR) return false;
  auto forget = [&] { std::erase(seized_, tid); };
  if (got < 0 || WIFEXITED(status) || WIFSIGNALED(status)) {
    forget();
    return true;
  }
  if (status >> 16 != PTRACE_EVENT_STOP) {
    // About to take a signal: it gets it, and stops behind that.
    (void)ptrace(PTRACE_CONT, tid, 0, WSTOPSIG(status));
    return false;
  }
  StoppedThread thread;
  thread.tid = tid;
  forget();
  if (ptrace(PTRACE_GETREGS, tid, 0, &thread.regs) != 0)
    return errno == ESRCH ? Result<bool>(true) : explain_refusal(tid, errno);
  thread.pc = TargetAddr(thread.regs.rip);
  threads_.push_back(thread);
  return true;
}

Status StoppedProcess::wait_for_stops(std::vector<int> waiting) {
  const double begin = monotonic_s();
  while (!waiting.empty()) {
    for (usize i = waiting.size(); i-- > 0;) {
      GEIST_TRY(over, take_stop(waiting[i]));
      if (over) waiting.erase(waiting.begin() + static_cast<i64>(i));
    }
    if (waiting.empty()) break;
    double waited = monotonic_s() - begin;
    for (usize i = waiting.size(); waited > kAsleepAfter && i-- > 0;) {
      std::optional<SleepingAt> at = find_sleeping_at(pid_, waiting[i]);
      if (find_thread_state(pid_, waiting[i]) != 'D' || !at) continue;
      threads_.push_back({.tid = waiting[i], .asleep = true, .regs = {}, .pc = at->pc});
      std::erase(seized_, waiting[i]);
      waiting.erase(waiting.begin() + static_cast<i64>(i));
    }
    if (waited > kStopSeconds) {
      return Error(fmt::format("thread {} of process {} did not stop within {} s", waiting[0], pid_,
                               kStopSeconds),
                   ErrorKind::kSystem);
    }
    sleep_a_little();
  }
  return Done{};
}

Status StoppedProcess::stop() {
  for (int scan = 0; scan < kMaxScans; ++scan) {
    std::vector<int> waiting;
    Status seized = seize_new(&waiting);
    if (seized.ok() && waiting.empty())
      return threads_.empty() ? Status(gone(pid_)) : Status(Done{});
    Status waited = wait_for_stops(std::move(waiting));
    if (!seized.ok() || !waited.ok()) {
      resume();
      return seized.ok() ? std::move(waited) : std::move(seized);
    }
  }
  resume();
  return Error(fmt::format("process {} starts threads faster than they can be stopped", pid_),
               ErrorKind::kSystem);
}

void StoppedProcess::resume() {
  for (StoppedThread& thread : threads_) {
    if (thread.asleep) continue;
    remake_endless_wait(thread);
    (void)ptrace(PTRACE_DETACH, thread.tid, 0, 0);
  }
  threads_.clear();
}

Status StoppedProcess::call(std::span<const RemoteCall> calls,
                            const std::function<Status(usize, i64)>& told) {
  auto awake = std::find_if(threads_.begin(), threads_.end(),
                            [](const StoppedThread& t) { return !t.asleep; });
  if (awake == threads_.end())
    return Error("every thread of the process sleeps in the kernel", ErrorKind::kSystem);
  StoppedThread& thread = *awake;
  remake_endless_wait(thread);
  const user_regs_struct then = resumed_registers(thread.regs);
  SelfRestoringCode code = emit_self_restoring_code(room_.begin.value, calls, then);
  if (code.bytes.size() > room_.original.size())
    return Error("the program has no room for the code that maps memory", ErrorKind::kSystem);
  GEIST_TRY_STATUS(memory_.write(room_.begin, code.bytes));
  user_regs_struct regs = then;
  regs.rip = room_.begin.value;
  if (ptrace(PTRACE_SETREGS, thread.tid, 0, &regs) != 0) return explain_refusal(thread.tid, errno);
  Status done = run_code(thread, code.behind_call, told);
  // Wherever in the code it stands: it is back where it was, as the code itself would have done.
  // One that still runs in it needs it, and the program does not.
  if (ptrace(PTRACE_SETREGS, thread.tid, 0, &then) != 0)
    return done.ok() ? Status(explain_refusal(thread.tid, errno)) : std::move(done);
  thread.regs = then;
  thread.pc = TargetAddr(then.rip);
  Status restored = memory_.write(room_.begin, room_.original);
  if (!done.ok()) return done;
  return restored;
}

// Lets the thread run from one system call to the next; it stops on the way into each and on the
// way out.
Status StoppedProcess::run_code(StoppedThread& thread, const std::vector<u64>& stops,
                                const std::function<Status(usize, i64)>& told) {
  usize at = 0;
  bool inside = false;
  int signal = 0;
  const double begin = monotonic_s();
  while (at < stops.size()) {
    if (ptrace(PTRACE_SYSCALL, thread.tid, 0, signal) != 0)
      return explain_refusal(thread.tid, errno);
    signal = 0;
    int status = 0;
    for (;;) {
      pid_t got = ::waitpid(thread.tid, &status, __WALL | WNOHANG);
      if (got == thread.tid) break;
      if (got < 0 && errno != EINTR) return gone(pid_);
      if (monotonic_s() - begin > kStopSeconds)
        return Error("a system call made for the program does not come back", ErrorKind::kSystem);
      sleep_a_little();
    }
    if (!WIFSTOPPED(status)) return gone(pid_);
    user_regs_struct regs{};
    if (ptrace(PTRACE_GETREGS, thread.tid, 0, &regs) != 0)
      return explain_refusal(thread.tid, errno);
    if (status >> 8 == (SIGTRAP | 0x80)) {  // PTRACE_O_TRACESYSGOOD
      if (regs.rip != stops[at]) continue;  // a call of a signal's handler
      if (inside) GEIST_TRY_STATUS(told(at, static_cast<i64>(regs.rax)));
      if (inside) ++at;
      inside = !inside;
    } else if (status >> 16 == 0) {
      signal = WSTOPSIG(status);  // its handler runs first, and comes back into the code
    }
  }
  return Done{};
}

Status with_process_stopped(int pid, const WritableMemory& memory, StoppedProcess::CodeRoom room,
                            PauseLog& pauses, const std::function<Status(StoppedProcess&)>& work) {
  std::optional<Status> result;
  std::optional<std::thread> tracer = start_thread([&] {
    StoppedProcess process(pid, memory, room);
    double begin = monotonic_s();
    result = process.stop();
    if (result->ok()) {
      result = work(process);
      process.resume();
      pauses.ms.push_back((monotonic_s() - begin) * 1000);
    }
  });
  if (!tracer)
    return Error("no thread can be started to trace the process: see ulimit -u",
                 ErrorKind::kSystem);
  tracer->join();
  return std::move(*result);
}

}  // namespace geist::process
