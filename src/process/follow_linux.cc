// See follow.h. Every stop is one of five: a thread or process is new, an exec, a group-stop,
// another event, or a signal on its way. Only the exec is of interest; the others are answered so
// that the process notices nothing.
#include <fcntl.h>
#include <linux/limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/start_thread.h"
#include "process/follow.h"
#include "process/tracee.h"

namespace geist::process {
namespace {

constexpr long kFollowOptions =
    PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
// While a program is prepared: it must not run half patched when we die. No events of its dynamic
// linker's doing.
constexpr long kPrepareOptions = PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;

bool is_stop_signal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

// The file a process runs: by its name when that names the same file here, else by /proc, as behind
// a chroot.
struct ExeFile {
  std::string name;
  std::string open_path;
};

ExeFile find_exe(int pid) {
  ExeFile file;
  file.open_path = fmt::format("/proc/{}/exe", pid);
  char buffer[PATH_MAX];
  ssize_t size = ::readlink(file.open_path.c_str(), buffer, sizeof buffer);
  file.name = size > 0 ? std::string(buffer, static_cast<usize>(size)) : file.open_path;
  struct stat here, there;
  bool same = ::stat(file.name.c_str(), &here) == 0 &&
              ::stat(file.open_path.c_str(), &there) == 0 && here.st_dev == there.st_dev &&
              here.st_ino == there.st_ino;
  if (same) file.open_path = file.name;
  return file;
}

}  // namespace

Result<std::unique_ptr<Follower>> Follower::start(const LaunchRequest& request,
                                                  Recognise recognise) {
  std::unique_ptr<Follower> follower(new Follower(request, std::move(recognise)));
  std::optional<std::thread> thread = start_thread([f = follower.get()] { f->trace(); });
  if (!thread)
    return Error("no thread can be started to trace the program: see ulimit -u",
                 ErrorKind::kSystem);
  follower->thread_ = std::move(*thread);
  std::unique_lock lock(follower->mutex_);
  follower->told_.wait(lock, [&] { return follower->started_.has_value(); });
  if (!follower->started_->ok()) return follower->started_->take_error();
  return follower;
}

Follower::~Follower() {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    // The thread waits in waitpid, which a signal cuts short; it may come a moment too early, so
    // again.
    while (!done_) {
      ::pthread_kill(thread_.native_handle(), SIGCHLD);
      told_.wait_for(lock, std::chrono::milliseconds(2));
    }
  }
  thread_.join();
}

std::optional<Notice> Follower::next(u64 timeout_us) {
  std::unique_lock lock(mutex_);
  told_.wait_for(lock, std::chrono::microseconds(timeout_us),
                 [&] { return !notices_.empty() || done_; });
  if (notices_.empty()) return std::nullopt;
  Notice notice = std::move(notices_.front());
  notices_.pop_front();
  return notice;
}

bool Follower::over() {
  std::unique_lock lock(mutex_);
  return done_ && notices_.empty();
}

void Follower::tell(Notice notice) {
  std::unique_lock lock(mutex_);
  notices_.push_back(std::move(notice));
  told_.notify_all();
}

// The tracing thread, from the start of the command until nothing is traced.
void Follower::trace() {
  Result<int> pid = start_stopped(request_);
  if (pid.ok()) {
    pid_ = pid.value();
    traced_.insert(pid_);
    on_exec(pid_);
  }
  {
    std::unique_lock lock(mutex_);
    started_ = pid.ok() ? Status(Done{}) : Status(pid.take_error());
    told_.notify_all();
  }
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (stopping_ || traced_.empty()) break;
    }
    int status = 0;
    rusage used{};
    int got = ::wait4(-1, &status, __WALL | __WNOTHREAD, &used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;  // ECHILD: nobody is left
    if (WIFSTOPPED(status))
      on_stop(got, status);
    else
      on_end(got, status, seconds(used.ru_utime) + seconds(used.ru_stime));
  }
  std::unique_lock lock(mutex_);
  done_ = true;
  told_.notify_all();
}

void Follower::on_end(int pid, int status, double cpu_s) {
  traced_.erase(pid);
  if (probed_.erase(pid) != 0 || pid == pid_) tell(Ended{pid, status, cpu_s});
}

void Follower::on_stop(int pid, int status) {
  int signal = WSTOPSIG(status);
  int event = status >> 16;
  traced_.insert(pid);  // the child of a fork may stop before its parent tells of it
  if (event == PTRACE_EVENT_EXEC) {
    unsigned long former =
        0;  // the thread that called exec; it goes by the process's number from now on
    if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &former) == 0 && static_cast<int>(former) != pid)
      traced_.erase(static_cast<int>(former));
    on_exec(pid);
    return;
  }
  if (event == PTRACE_EVENT_STOP && is_stop_signal(signal)) {
    ptrace(PTRACE_LISTEN, pid, 0, 0);  // stays stopped until SIGCONT, as it would without us
    return;
  }
  ptrace(PTRACE_CONT, pid, 0, event != 0 ? 0 : signal);
}

void Follower::on_exec(int pid) {
  if (probed_.erase(pid) != 0) tell(Ended{pid, std::nullopt, 0});
  bool lives = probe(pid);
  if (!lives) return;
  ptrace(PTRACE_SETOPTIONS, pid, 0, kFollowOptions);
  ptrace(PTRACE_CONT, pid, 0, 0);
}

// False: the process has ended meanwhile.
bool Follower::probe(int pid) {
  ExeFile file = find_exe(pid);
  std::optional<Recognised> known = recognise_(file.name, file.open_path);
  if (!known) return true;
  auto tracee = Tracee::adopt(pid);
  if (!tracee.ok()) {
    tell(NotPrepared{file.name, tracee.error().message()});
    return true;
  }
  ptrace(PTRACE_SETOPTIONS, pid, 0, kPrepareOptions);
  LaunchRequest request = request_;
  if (known->points != nullptr) request.plan.points = *known->points;
  auto process = prepare(tracee.value(), *known->binary, *known->table, request);
  if (process.ok()) {
    probed_.insert(pid);
    tell(Started{std::move(process).value(), known->tag});
    return true;
  }
  if (std::optional<int> status = tracee->ended()) {
    on_end(pid, *status, 0);
    return false;
  }
  tell(NotPrepared{file.name, process.error().message()});
  return true;
}

}  // namespace geist::process
