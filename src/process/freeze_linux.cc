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
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "process/process_info.h"

namespace geist::process {
namespace {

constexpr int kNotOurs = -1;      // in place of a signal: known, but not seized
constexpr int kMaxRounds = 1000;  // of looking for threads that started meanwhile

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

std::optional<int> wait_for_thread(int tid) {
  constexpr int kBusyTurns =
      200;  // a stop comes within some microseconds; then sleep between looks
  for (int turn = 0;; ++turn) {
    int status = 0;
    pid_t got = ::waitpid(tid, &status, __WALL | WNOHANG);
    if (got == tid) return status;
    if (got < 0 && errno != EINTR) return std::nullopt;
    if (turn < kBusyTurns) {
      ::sched_yield();
      continue;
    }
    std::optional<char> state = find_thread_state(tid, tid);
    if (!state || *state == 'Z' || *state == 'X') return std::nullopt;
    ::usleep(50);
  }
}

Result<FrozenProcess> FrozenProcess::freeze(int pid) {
  FrozenProcess frozen(pid);
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
    : pid_(other.pid_),
      threads_(std::move(other.threads_)),
      pending_(std::exchange(other.pending_, {})),
      late_(std::exchange(other.late_, {})) {}

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

// Stopped, with its registers read; a thread that ended meanwhile is no error.
Status FrozenProcess::seize(int tid) {
  if (ptrace(PTRACE_SEIZE, tid, 0, 0) != 0) {
    // An exiting thread (and a zombie leader) cannot be seized: nothing of it runs any more.
    if (errno == ESRCH || (tid != pid_ && errno == EPERM && !threads_.empty())) {
      pending_.push_back({.tid = tid, .signal = kNotOurs});
      return Done{};
    }
    return ptrace_error(pid_, errno);
  }
  pending_.push_back({.tid = tid, .signal = 0});
  if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0) return Done{};
  std::optional<int> status = wait_for_thread(tid);
  if (!status || !WIFSTOPPED(*status)) return Done{};
  // A signal on its way: it comes when the thread goes on. Event stops carry none.
  bool is_event = (*status >> 16) == PTRACE_EVENT_STOP;
  if (!is_event) pending_.back().signal = WSTOPSIG(*status);
  FrozenThread thread{.tid = tid};
  if (ptrace(PTRACE_GETREGS, tid, 0, &thread.registers) == 0) threads_.push_back(thread);
  return Done{};
}

void FrozenProcess::thaw() {
  for (const Pending& late : std::exchange(late_, {})) {
    ::syscall(SYS_tgkill, pid_, late.tid, late.signal);
  }
  for (const Pending& thread : std::exchange(pending_, {})) {
    if (thread.signal != kNotOurs) {
      ptrace(PTRACE_DETACH, thread.tid, 0, static_cast<long>(thread.signal));
    }
  }
}

}  // namespace geist::process
