// A process with all its threads stopped, for as long as it takes to look. No signal is sent:
// threads are seized and interrupted (ptrace(2) PTRACE_SEIZE, PTRACE_INTERRUPT), which a program
// cannot see; a system call that was waiting is taken up again by the kernel. Signals that arrive
// meanwhile are delivered when it goes on.
#pragma once

#include <sys/user.h>

#include <optional>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "process/tracer.h"

namespace geist::process {

struct FrozenThread {
  int tid = 0;
  user_regs_struct registers{};
  // It sleeps in the kernel where nothing can wake it, and stops before it runs an instruction. Of
  // its registers only rip and rsp are known.
  bool is_asleep = false;
};

// What became of a thread that we trace and wait for.
struct ThreadWait {
  enum class End : u8 {
    kStatus,  // it stopped or ended: `status`, as waitpid gives it
    kGone,    // it has ended and cannot say so. The first thread of a process that was killed is
              // such: it is not reported before all others were, and they are reported to us alone,
              // so to wait for it would be to wait for us
    kAsleep,  // it sleeps where nothing can wake it (state D)
    kLate,    // it does not stop within `patience_s`
  };
  End end = End::kLate;
  int status = 0;
  bool has_stopped() const { return end == End::kStatus && (status & 0xff) == 0x7f; }
};
ThreadWait wait_for_thread(int tid, double patience_s);

class FrozenProcess {
 public:
  // Stops every thread of the process, those that start meanwhile too. Fails with kNoPermission
  // when ptrace is not allowed, kNotFound when there is no such process, kSystem when a thread does
  // not stop within some seconds; nothing is stopped then. The tracer must outlive it.
  static Result<FrozenProcess> freeze(Tracer& tracer, int pid);
  FrozenProcess(FrozenProcess&& other) noexcept;
  FrozenProcess& operator=(FrozenProcess&&) = delete;
  // Lets it go on.
  ~FrozenProcess() { thaw(); }

  const std::vector<FrozenThread>& threads() const { return threads_; }
  // One that calls can be made in; nothing when all sleep in the kernel.
  std::optional<int> find_awake() const;
  void thaw();
  // When it goes on, the thread gets this signal, which was kept from it.
  void deliver(int tid, int signal) { late_.push_back({tid, signal}); }

 private:
  struct Pending {
    int tid = 0;
    int signal = 0;  // to be delivered when it goes on
    bool is_stopped = false;
  };
  FrozenProcess(Tracer& tracer, int pid) : tracer_(&tracer), pid_(pid) {}
  static Result<FrozenProcess> freeze_here(Tracer& tracer, int pid);
  void thaw_here();
  Status seize_new_threads(bool* found);
  Status seize(int tid);
  Status hold(int tid);
  Tracer* tracer_;
  int pid_;
  std::vector<FrozenThread> threads_;
  std::vector<Pending> pending_;
  std::vector<Pending> late_;
};

}  // namespace geist::process
