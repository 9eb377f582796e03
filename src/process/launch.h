// Launching a program probed: start it under ptrace, and before its first instruction of Go code
// map the runtime, write the trampolines, patch the sites, and let it go. ptrace is gone before
// main runs.
//
//   fork ─▶ seized ─▶ exec stop ─▶ [dynamic linker] ─▶ entry ─▶ mmap, memfd, write, patch
//   └───── PTRACE_O_EXITKILL: dies with us, half patched states never run ────┘
//   ─▶ detach ─▶ the program runs
#pragma once

#include <signal.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/patch_plan.h"
#include "process/memory.h"
#include "process/shared_ring.h"

namespace geist::process {

struct LaunchRequest {
  std::string path;                  // of the executable
  std::vector<std::string> command;  // argv, [0] as the user gave it
  std::string folder;                // to start in, which must be there; empty: ours
  std::optional<std::vector<std::string>> environment;  // "KEY=value"; nothing: ours
  Budget budget;
  sigset_t signal_mask{};                // of the program
  std::array<int, 3> stdio{-1, -1, -1};  // descriptors for its 0, 1 and 2; -1: ours
  bool dies_with_us = false;             // also later, when it does not need us any more
  probe::PlanOptions plan;
};

// A running program with its probes. The process is our child; wait for it with waitpid.
struct ProbedProcess {
  int pid = 0;
  LoadBias bias;
  probe::PatchPlan plan;
  SharedRing ring;
  ProcessMemory memory;
};

// Starts the command as it is, without probes; the pid. Fails as launch() does.
Result<int> start_plain(const LaunchRequest& request);

class Tracee;

// The two halves of a launch, for who does something between them or goes on tracing. All of it
// belongs to one thread. Starts the command traced, and stops it at its exec, with
// PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC.
Result<int> start_stopped(const LaunchRequest& request);
// Probes a process that stopped at its exec; it stays stopped and traced. On failure its code is as
// it was.
Result<std::unique_ptr<ProbedProcess>> prepare(Tracee& tracee, const read::GoBinary& binary,
                                               const sites::SiteTable& table,
                                               const LaunchRequest& request);

// Starts the command. `table` gets the final bucket of every site. Fails with kNotFound /
// kNotRunnable when exec fails, kNoPermission when ptrace is not allowed; in every failure the
// process has been ended before it ran.
Result<std::unique_ptr<ProbedProcess>> launch(const read::GoBinary& binary,
                                              const sites::SiteTable& table,
                                              const LaunchRequest& request);

}  // namespace geist::process
