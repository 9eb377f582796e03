// Follower: a command and everything it starts, each Go program among it probed at its exec.
//
//   start ─▶ the command is traced ─▶ exec stop ─▶ recognise(file)? ─▶ prepare
//              └─ its forks, threads and execs are traced too ──▲         │
//                                                     goes on, still traced
//
// Unlike launch(), the tracer stays, for a Go program may fork or exec another. That costs a stop
// for each signal (Go's preemption sends many), so it is asked for with --follow. One thread does
// all of ptrace, answers every stop at once and judges nothing; what happened comes out of next().
// When that thread ends, the kernel lets every process go on untraced, and so it does when the tool
// dies: PTRACE_O_EXITKILL holds only while a program is being prepared. Source: ptrace(2),
// PTRACE_SEIZE and group-stop.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <variant>

#include "process/launch.h"

namespace geist::process {

// What to probe a program with; lives as long as the follower. `tag` comes back with the process
// that was probed.
struct Recognised {
  const read::GoBinary* binary = nullptr;
  const sites::SiteTable* table = nullptr;
  const void* tag = nullptr;
  const std::vector<probe::PointProbe>* points = nullptr;  // of this program; null: none
};

// `path` is the file as the process sees it, `open_path` one that can be opened here. Nothing: not
// to be probed. Called by the tracing thread while that process stands still.
using Recognise =
    std::function<std::optional<Recognised>(const std::string& path, const std::string& open_path)>;

struct Started {
  std::unique_ptr<ProbedProcess> process;
  const void* tag = nullptr;
};
struct Ended {
  int pid = 0;
  std::optional<int> status;  // as from waitpid; nothing: another program took its place by exec
  double cpu_s = 0;           // user and system, its own and of the children it waited for
};
// A Go program that runs unprobed because it could not be prepared.
struct NotPrepared {
  std::string path;
  std::string why;
};
using Notice = std::variant<Started, Ended, NotPrepared>;

class Follower {
 public:
  // SIGCHLD must have a handler, without SA_RESTART: it wakes the tracing thread.
  // Starts the command. `request.plan` and the budget are those of every program. Fails as launch()
  // does.
  static Result<std::unique_ptr<Follower>> start(const LaunchRequest& request, Recognise recognise);
  ~Follower();  // lets everything go on untraced

  int pid() const { return pid_; }  // of the command
  // The next notice, waiting at most so long for one.
  std::optional<Notice> next(u64 timeout_us);
  // Nothing is traced any more, and every notice was taken.
  bool over();

  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

 private:
  Follower(const LaunchRequest& request, Recognise recognise)
      : request_(request), recognise_(std::move(recognise)) {}
  void trace();
  void on_stop(int pid, int status);
  void on_end(int pid, int status, double cpu_s);
  void on_exec(int pid);
  bool probe(int pid);
  void tell(Notice notice);

  LaunchRequest request_;
  Recognise recognise_;
  int pid_ = 0;

  // Of the tracing thread.
  std::set<int> traced_;  // threads and processes
  std::set<int> probed_;  // processes
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<Notice> notices_;  // guarded by mutex_, as what follows
  std::optional<Status> started_;
  bool stopping_ = false;
  bool done_ = false;
};

}  // namespace geist::process
