// Seizing threads one by one: new ones may start as long as one of them runs, so the list is read
// again until nothing is new. What wait reported of a thread is kept: a signal that was on its way
// must arrive when the thread goes on.
#include "process/freeze.h"

#include <errno.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/clock.h"
#include "process/process_info.h"

namespace geist::process {
namespace {

constexpr int kNotOurs = -1;        // in place of a signal: known, but not seized
constexpr double kStopSeconds = 3;  // patience with a thread that does not stop
constexpr int kMaxRounds = 1000;    // of looking for threads that started meanwhile

Error ptrace_error(int pid, int error) {
  if (error == ESRCH)
    return Error(fmt::format("there is no process {}", pid), ErrorKind::kBadInput);
  if (error != EPERM && error != EACCES) {
    return Error(fmt::format("ptrace of process {}: {}", pid, std::strerror(error)),
                 ErrorKind::kSystem);
  }
  return Error(fmt::format("no permission to trace process {}", pid), ErrorKind::kNoPermission)
      .with_hint(
          "Be its user and set /proc/sys/kernel/yama/ptrace_scope to 0, or be root, and let no "
          "other debugger trace it.");
}

std::vector<int> list_threads(int pid) {
  std::vector<int> tids;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), ignored)) {
    tids.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return tids;
}

}  // namespace

ThreadWait wait_for_thread(int tid, double patience_s) {
  // A stop comes within some microseconds; then sleep between looks. On a busy machine a turn takes
  // as long as others run.
  constexpr int kBusyTurns = 200;
  constexpr double kBusyS = 0.001;
  constexpr double kAsleepAfterS = 0.02;  // a page that comes from a disk is there by then
  const double begin = monotonic_s();
  for (int turn = 0;; ++turn) {
    int status = 0;
    pid_t got = ::waitpid(tid, &status, __WALL | WNOHANG);
    if (got == tid) return {ThreadWait::End::kStatus, status};
    if (got < 0 && errno != EINTR) return {ThreadWait::End::kGone};
    if (turn < kBusyTurns && monotonic_s() - begin < kBusyS) {
      ::sched_yield();
      continue;
    }
    const std::optional<char> state = find_thread_state(tid, tid);
    if (!state || *state == 'Z' || *state == 'X') return {ThreadWait::End::kGone};
    const double waited = monotonic_s() - begin;
    if (waited > kAsleepAfterS && *state == 'D') return {ThreadWait::End::kAsleep};
    if (waited > patience_s) return {ThreadWait::End::kLate};
    ::usleep(50);
  }
}

Result<FrozenProcess> FrozenProcess::freeze(Tracer& tracer, int pid) {
  std::optional<Result<FrozenProcess>> frozen;
  tracer.run([&] { frozen.emplace(freeze_here(tracer, pid)); });
  return std::move(*frozen);
}

Result<FrozenProcess> FrozenProcess::freeze_here(Tracer& tracer, int pid) {
  FrozenProcess frozen(tracer, pid);
  if (list_threads(pid).empty()) return ptrace_error(pid, ESRCH);
  bool found = true;
  for (int round = 0; found; ++round) {
    if (round == kMaxRounds) {
      return Error(fmt::format("process {} starts threads faster than they can be stopped", pid),
                   ErrorKind::kSystem);
    }
    GEIST_TRY_STATUS(frozen.seize_new_threads(&found));
  }
  if (frozen.threads_.empty()) {
    return Error(fmt::format("process {} ended", pid), ErrorKind::kSystem);
  }
  return frozen;
}

FrozenProcess::FrozenProcess(FrozenProcess&& other) noexcept
    : tracer_(other.tracer_),
      pid_(other.pid_),
      threads_(std::move(other.threads_)),
      pending_(std::exchange(other.pending_, {})),
      late_(std::exchange(other.late_, {})) {}

std::optional<int> FrozenProcess::find_awake() const {
  auto awake = std::ranges::find(threads_, false, &FrozenThread::is_asleep);
  return awake == threads_.end() ? std::nullopt : std::optional<int>(awake->tid);
}

Status FrozenProcess::seize_new_threads(bool* found) {
  *found = false;
  for (int tid : list_threads(pid_)) {
    bool is_known = std::ranges::any_of(pending_, [&](const Pending& p) { return p.tid == tid; });
    if (is_known) continue;
    *found = true;
    GEIST_TRY_STATUS(seize(tid));
  }
  return Done{};
}

Status FrozenProcess::seize(int tid) {
  const bool is_ours = tracer_->take_straggler(tid);
  if (!is_ours && ptrace(PTRACE_SEIZE, tid, 0, 0) != 0) {
    // An exiting thread (and a zombie leader) cannot be seized: nothing of it runs any more.
    if (errno == ESRCH || (tid != pid_ && errno == EPERM && !threads_.empty())) {
      pending_.push_back({.tid = tid, .signal = kNotOurs});
      return Done{};
    }
    return ptrace_error(pid_, errno);
  }
  pending_.push_back({.tid = tid});
  if (!is_ours && ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0) return Done{};
  return hold(tid);
}

// Stopped, with its registers read; a thread that ended meanwhile is no error.
Status FrozenProcess::hold(int tid) {
  const ThreadWait wait = wait_for_thread(tid, kStopSeconds);
  if (wait.end == ThreadWait::End::kAsleep) {
    const std::optional<SleepingAt> at = find_sleeping_at(pid_, tid);
    if (!at)
      return Error(fmt::format("thread {} of process {} sleeps, and does not say where", tid, pid_),
                   ErrorKind::kSystem);
    FrozenThread thread{.tid = tid, .is_asleep = true};
    thread.registers.rip = at->pc.value;
    thread.registers.rsp = at->sp.value;
    threads_.push_back(thread);
    return Done{};
  }
  if (wait.end == ThreadWait::End::kLate) {
    return Error(
        fmt::format("thread {} of process {} did not stop within {} s", tid, pid_, kStopSeconds),
        ErrorKind::kSystem);
  }
  if (!wait.has_stopped()) return Done{};
  pending_.back().is_stopped = true;
  // A signal on its way: it comes when the thread goes on. Event stops carry none.
  const bool is_event = (wait.status >> 16) == PTRACE_EVENT_STOP;
  if (!is_event) pending_.back().signal = WSTOPSIG(wait.status);
  FrozenThread thread{.tid = tid};
  if (ptrace(PTRACE_GETREGS, tid, 0, &thread.registers) == 0) threads_.push_back(thread);
  return Done{};
}

void FrozenProcess::thaw() {
  if (pending_.empty() && late_.empty()) return;
  tracer_->run([this] { thaw_here(); });
}

void FrozenProcess::thaw_here() {
  for (const Pending& late : std::exchange(late_, {})) {
    ::syscall(SYS_tgkill, pid_, late.tid, late.signal);
  }
  for (const Pending& thread : std::exchange(pending_, {})) {
    if (thread.signal == kNotOurs) continue;
    const bool is_let_go = thread.is_stopped && ptrace(PTRACE_DETACH, thread.tid, 0,
                                                       static_cast<long>(thread.signal)) == 0;
    if (!is_let_go) tracer_->add_straggler(thread.tid);
  }
}

}  // namespace geist::process
