// Signals while a program runs under geist: what somebody sends to geist is meant for the program.
// A terminal's Ctrl-C already reaches both, so only signals that a process sent are passed on.
#pragma once

#include <signal.h>

#include <optional>

#include "base/fd.h"
#include "base/result.h"

namespace geist::run {

class ChildSignals {
 public:
  // Blocks the forwarded signals in this process; the child gets the old mask back through
  // child_mask().
  static Result<ChildSignals> block();
  const sigset_t& child_mask() const { return old_mask_; }
  // From here on a closed pipe of ours must not end us; before, the child would have inherited
  // that.
  void child_started() const;
  // Waits until a signal comes, the child ends or the time is over.
  void wait(int timeout_ms) const;
  // Passes on what has come since the last call.
  void forward_to(int pid) const;
  // For when the child is gone: has anybody, the terminal too, asked geist to end?
  bool asked_to_end() const;
  // Back to how it was.
  void restore() const;

 private:
  Fd fd_;
  sigset_t old_mask_{};
};

// How a process ended.
struct ExitStatus {
  int code = 0;  // 128 + signal when it was killed
  std::optional<int> signal;
  double cpu_s = 0;  // user and system, its own and of the children it waited for
};

// Waits for the end of the child, forwarding signals meanwhile.
ExitStatus wait_for_exit(int pid, const ChildSignals& signals);
// The program was ended by a signal: so are we, that the caller sees what it would have seen.
[[noreturn]] void die_of(int signal, const ChildSignals& signals);

// Has the child ended?
std::optional<ExitStatus> find_exit(int pid);

}  // namespace geist::run
