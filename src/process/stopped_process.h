// StoppedProcess: a running process with all of its threads held for a moment, by ptrace.
// Everything done meanwhile keeps one promise: when we are killed at any instruction, the kernel
// lets the threads go and they run on unharmed.
//
//   seize and interrupt every thread, look for new ones, again until there are none
//   ─▶ work ─▶ let go
//
// Threads that sleep in the kernel wake up for the stop. Their system call is made again when they
// go on, with what was left of its time where the kernel keeps that; see resume(). A thread that
// cannot be woken (it waits for a vforked child, or for a page) cannot come back to user code
// either before it has stopped: it counts as held. Source: ptrace(2), "PTRACE_SEIZE"; signal(7),
// "Interruption of system calls and library functions by stop signals".
#pragma once

#include <sys/user.h>

#include <functional>
#include <vector>

#include "process/remote_call.h"

namespace geist::process {

struct StoppedThread {
  int tid = 0;
  bool asleep = false;  // in the kernel, not to be woken: only its pc is known
  user_regs_struct regs{};
  TargetAddr pc;
};

class StoppedProcess : public RemoteProcess {
 public:
  // Code that the program never runs (again), which calls are made from, and what the file has
  // there: a geist that was killed at it may have left other bytes.
  struct CodeRoom {
    TargetAddr begin;
    ByteView original;
  };
  StoppedProcess(int pid, const WritableMemory& memory, CodeRoom room)
      : pid_(pid), memory_(memory), room_(room) {}
  ~StoppedProcess() override;
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;

  // Holds all threads. Fails when the process ended, somebody else traces it, we are not allowed
  // to, or a thread does not stop in time; whatever was held is then let go.
  Status stop();
  // Lets all go.
  void resume();

  const std::vector<StoppedThread>& threads() const { return threads_; }

  int pid() const override { return pid_; }
  Status call(std::span<const RemoteCall> calls,
              const std::function<Status(usize, i64)>& told) override;
  const WritableMemory& memory() const override { return memory_; }

 private:
  Status seize_new(std::vector<int>* waiting);
  Status wait_for_stops(std::vector<int> waiting);
  // True when `tid` needs no more waiting.
  Result<bool> take_stop(int tid);
  Status run_code(StoppedThread& thread, const std::vector<u64>& stops,
                  const std::function<Status(usize, i64)>& told);
  bool knows(int tid) const;

  int pid_;
  const WritableMemory& memory_;
  CodeRoom room_;
  std::vector<StoppedThread> threads_;
  std::vector<int> seized_;  // not yet held
};

// How long the threads stood still, each time.
struct PauseLog {
  std::vector<double> ms;
};

// Holds the process, calls `work`, lets it go, notes the time. Runs as a thread of its own, whose
// end lets go of everything that ptrace still holds, also a thread that could not be woken.
Status with_process_stopped(int pid, const WritableMemory& memory, StoppedProcess::CodeRoom room,
                            PauseLog& pauses, const std::function<Status(StoppedProcess&)>& work);

// Why PTRACE_SEIZE said no, in words: another tracer by its name, or what permission is missing.
Error explain_refusal(int pid, int error);

}  // namespace geist::process
