// A process with all its threads stopped, for as long as it takes to look. No signal is sent:
// threads are seized and interrupted (ptrace(2) PTRACE_SEIZE, PTRACE_INTERRUPT), which a program
// cannot see; a system call that was waiting is taken up again by the kernel. Signals that arrive
// meanwhile are delivered when it goes on.
#pragma once

#include <sys/user.h>

#include <optional>
#include <vector>

#include "base/result.h"

namespace geist::process {

struct FrozenThread {
  int tid = 0;
  user_regs_struct registers{};
};

// The next stop or end of a thread that we trace, as waitpid gives it; nothing when it has ended
// and cannot say so. The first thread of a process that was killed is such: it is not reported
// before all others were, and they are reported to us alone, so to wait for it would be to wait for
// us.
std::optional<int> wait_for_thread(int tid);

class FrozenProcess {
 public:
  // Stops every thread of the process, those that start meanwhile too. Fails with kNoPermission
  // when ptrace is not allowed, kNotFound when there is no such process; nothing is stopped then.
  static Result<FrozenProcess> freeze(int pid);
  FrozenProcess(FrozenProcess&& other) noexcept;
  FrozenProcess& operator=(FrozenProcess&&) = delete;
  // Lets it go on.
  ~FrozenProcess() { thaw(); }

  const std::vector<FrozenThread>& threads() const { return threads_; }
  void thaw();
  // When it goes on, the thread gets this signal, which was kept from it.
  void deliver(int tid, int signal) { late_.push_back({tid, signal}); }

 private:
  struct Pending {
    int tid = 0;
    int signal = 0;  // to be delivered when it goes on
  };
  explicit FrozenProcess(int pid) : pid_(pid) {}
  Status seize_new_threads(bool* found);
  Status seize(int tid);
  int pid_;
  std::vector<FrozenThread> threads_;
  std::vector<Pending> pending_;
  std::vector<Pending> late_;
};

}  // namespace geist::process
