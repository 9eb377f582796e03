// signalfd and waitpid; see child_signals.h.
#include "run/child_signals.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/clock.h"
#include "base/ints.h"
#include "base/system_error.h"

namespace geist::run {
namespace {

constexpr int kForwarded[] = {SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM,
                              SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

void on_child(int) {}

}  // namespace

Result<ChildSignals> ChildSignals::block() {
  ChildSignals signals;
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kForwarded) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, &signals.old_mask_);
  signals.fd_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals.fd_.valid()) return system_error("signalfd");
  // A handler that does nothing: the end of the child then cuts short whatever we wait for.
  struct sigaction action {};
  action.sa_handler = on_child;
  ::sigaction(SIGCHLD, &action, nullptr);
  return signals;
}

void ChildSignals::child_started() const {
  ::signal(SIGPIPE, SIG_IGN);
}

void ChildSignals::wait(int timeout_ms) const {
  pollfd poll_fd{fd_.get(), POLLIN, 0};
  (void)::poll(&poll_fd, 1, timeout_ms);
}

void ChildSignals::forward_to(int pid) const {
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    bool from_terminal = info.ssi_code == SI_KERNEL;
    if (!from_terminal) ::kill(pid, static_cast<int>(info.ssi_signo));
  }
}

bool ChildSignals::asked_to_end() const {
  signalfd_siginfo info;
  bool asked = false;
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    u32 number = info.ssi_signo;
    asked = asked || number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
  }
  return asked;
}

void ChildSignals::restore() const {
  ::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
}

ExitStatus wait_for_exit(int pid, const ChildSignals& signals) {
  constexpr int kPatienceMs =
      50;  // the child's end, coming between the look and the wait, is seen this much later
  for (;;) {
    signals.forward_to(pid);
    if (std::optional<ExitStatus> exit = find_exit(pid)) return *exit;
    signals.wait(kPatienceMs);
  }
}

void die_of(int signal, const ChildSignals& signals) {
  ::prctl(PR_SET_DUMPABLE, 0);  // the program may have left a core, we shall not
  ::signal(signal, SIG_DFL);
  signals.restore();
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

std::optional<ExitStatus> find_exit(int pid) {
  int status = 0;
  rusage used{};
  pid_t got = ::wait4(pid, &status, WNOHANG, &used);
  if (got != pid) return std::nullopt;
  double cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime);
  if (WIFEXITED(status)) return ExitStatus{WEXITSTATUS(status), std::nullopt, cpu_s};
  if (WIFSIGNALED(status)) return ExitStatus{128 + WTERMSIG(status), WTERMSIG(status), cpu_s};
  return std::nullopt;
}

}  // namespace geist::run
