// See launch.h. What holds when the program starts: text patched, ring shared and armed, no tracer.
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "target/install.h"
#include "target/launch.h"
#include "target/tracee.h"

namespace geist::target {
namespace {

Error system_error(const std::string& what, int error) {
  return Error(what + ": " + std::strerror(error), ErrorKind::kSystem);
}

// The child's way to exec: it waits until it is traced (end of file: we are gone, and so must it be); its errno comes back
// through the other pipe.
[[noreturn]] void run_child(const LaunchRequest& request, int go_pipe, int error_pipe) {
  std::vector<char*> argv;
  for (const std::string& arg : request.command) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  char go = 0;
  while (::read(go_pipe, &go, 1) < 0 && errno == EINTR) {
  }
  if (go != 1) ::_exit(127);
  ::sigprocmask(SIG_SETMASK, &request.signal_mask, nullptr);
  ::execv(request.path.c_str(), argv.data());
  int error = errno;
  ssize_t ignored = ::write(error_pipe, &error, sizeof error);
  (void)ignored;
  ::_exit(127);
}

Error ptrace_error(int error) {
  return Error("ptrace is not allowed here: " + std::string(std::strerror(error)), ErrorKind::kNoPermission)
      .with_hint("in a container add --cap-add=SYS_PTRACE, or allow ptrace in its seccomp profile; geist doctor says more");
}

Error exec_error(const std::string& path, int error) {
  if (error == ENOENT) return Error(path + ": no such file or directory", ErrorKind::kNotFound);
  return Error(path + ": " + std::strerror(error), ErrorKind::kNotRunnable);
}

// Waits for the stop at the exec; false when the child ended before.
bool wait_for_exec(int pid) {
  for (;;) {
    int status = 0;
    if (::waitpid(pid, &status, 0) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (!WIFSTOPPED(status)) return false;
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8))) return true;
    ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
  }
}

// From PTRACE_SEIZE on the child dies with us: there is no moment in which it could run half prepared.
Result<int> start_stopped(const LaunchRequest& request) {
  int go_fds[2];
  int error_fds[2];
  if (::pipe2(go_fds, O_CLOEXEC) != 0) return system_error("pipe", errno);
  Fd go_read(go_fds[0]);
  Fd go_write(go_fds[1]);
  if (::pipe2(error_fds, O_CLOEXEC) != 0) return system_error("pipe", errno);
  Fd error_read(error_fds[0]);
  Fd error_write(error_fds[1]);
  pid_t pid = ::fork();
  if (pid < 0) return system_error("fork", errno);
  if (pid == 0) {
    go_write.reset();
    run_child(request, go_read.get(), error_write.get());
  }
  error_write.reset();
  if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC) != 0) {
    int error = errno;
    go_write.reset();
    ::waitpid(pid, nullptr, 0);
    return ptrace_error(error);
  }
  const char go = 1;
  ssize_t put = ::write(go_write.get(), &go, 1);
  (void)put;
  if (wait_for_exec(pid)) return static_cast<int>(pid);
  int error = ENOEXEC;
  ssize_t got = ::read(error_read.get(), &error, sizeof error);
  if (got != static_cast<ssize_t>(sizeof error)) {
    return Error(request.path + ": ended before it could be prepared", ErrorKind::kNotRunnable);
  }
  return exec_error(request.path, error);
}

class Preparation {
 public:
  Preparation(Tracee& tracee, const read::GoBinary& binary, program::SiteTable& table, const LaunchRequest& request)
      : tracee_(tracee), binary_(binary), table_(table), request_(request) {}

  Result<std::unique_ptr<ProbedProcess>> run();

 private:
  Status reach_entry();
  Status patch(const probe::PatchPlan& plan);
  Status patch_one(const probe::CodePatch& patch);

  Tracee& tracee_;
  const read::GoBinary& binary_;
  program::SiteTable& table_;
  const LaunchRequest& request_;
  LoadBias bias_;
};

Status Preparation::reach_entry() {
  GEIST_TRY(entry, read_auxv(tracee_.pid(), AT_ENTRY));
  bias_.bytes = entry - binary_.image().entry().value;
  if (!binary_.image().is_pie() && bias_.bytes != 0) return Error("the program was not loaded where it was linked");
  // The dynamic linker runs first and relocates. Static programs are run there too: at its exec a process is still inside
  // that system call, which would overwrite RAX on its way out.
  return tracee_.run_to(TargetAddr(entry));
}

Status Preparation::patch_one(const probe::CodePatch& patch) {
  std::vector<u8> found(patch.original.size());
  GEIST_TRY_STATUS(tracee_.memory().read(patch.addr, found));
  if (found != patch.original) {
    return Error(fmt::format("the code at {:#x} differs from the file: packed, or changed while loading", patch.addr.value));
  }
  return tracee_.memory().write(patch.addr, patch.replacement);
}

Status Preparation::patch(const probe::PatchPlan& plan) {
  for (const probe::CodePatch& hook : plan.hooks) GEIST_TRY_STATUS(patch_one(hook));
  for (const probe::ProbedSite& site : plan.sites) GEIST_TRY_STATUS(patch_one(site.patch));
  return Done{};
}

Result<std::unique_ptr<ProbedProcess>> Preparation::run() {
  GEIST_TRY_STATUS(reach_entry());
  const read::ModuleData& module = binary_.module();
  const probe::RegionShape shape = probe::region_shape(static_cast<usize>(table_.count(program::SiteBucket::kProbed)));
  GEIST_TRY(maps, read_maps(tracee_.pid()));
  GEIST_TRY(gap, find_gap(maps, bias_.to_target(module.text), bias_.to_target(module.etext), shape.size));
  Footprint footprint;
  footprint.region = gap;
  GEIST_TRY_STATUS(map_code_and_state(tracee_, shape, footprint));
  probe::PatchPlan plan = probe::plan_patches(binary_, table_, bias_, footprint.region, request_.plan);
  GEIST_TRY(ring, map_ring(tracee_, footprint, binary_.layout(), request_.budget));
  GEIST_TRY_STATUS(write_region(tracee_.memory(), plan, footprint));
  GEIST_TRY_STATUS(patch(plan));
  ring.beat();
  GEIST_TRY_STATUS(tracee_.detach());
  return std::unique_ptr<ProbedProcess>(new ProbedProcess{tracee_.pid(), bias_, std::move(plan), std::move(ring),
                                                          ProcessMemory(tracee_.pid())});
}

}  // namespace

Result<std::unique_ptr<ProbedProcess>> launch(const read::GoBinary& binary, program::SiteTable& table,
                                              const LaunchRequest& request) {
  GEIST_TRY(pid, start_stopped(request));
  auto tracee = Tracee::adopt(pid);
  if (!tracee.ok()) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return tracee.take_error();
  }
  auto process = Preparation(tracee.value(), binary, table, request).run();
  if (!process.ok()) tracee.value().kill();
  return process;
}

}  // namespace geist::target
