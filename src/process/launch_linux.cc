// See launch.h. What holds when the program starts: text patched, ring shared and armed, no tracer
// but who asked to be one.
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/system_error.h"
#include "process/code_patches.h"
#include "process/install.h"
#include "process/launch.h"
#include "process/tracee.h"

namespace geist::process {
namespace {

std::vector<char*> make_vector(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// What exec takes. Made before the fork: another thread may hold the allocator's lock at that
// moment, and in the child nobody lets it go.
struct ExecWords {
  explicit ExecWords(const LaunchRequest& request) : argv(make_vector(request.command)) {
    if (request.environment) envp = make_vector(*request.environment);
  }
  std::vector<char*> argv, envp;
};

// In the child, up to exec. Its errno comes back through the pipe.
[[noreturn]] void become(const LaunchRequest& request, const ExecWords& words, int error_pipe) {
  for (int fd = 0; fd < 3; ++fd) {
    if (request.stdio[static_cast<usize>(fd)] >= 0)
      ::dup2(request.stdio[static_cast<usize>(fd)], fd);
  }
  if (request.dies_with_us) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::sigprocmask(SIG_SETMASK, &request.signal_mask, nullptr);
  bool is_there = request.folder.empty() || ::chdir(request.folder.c_str()) == 0;
  if (is_there)
    ::execve(request.path.c_str(), words.argv.data(),
             request.environment ? words.envp.data() : environ);
  int error = errno;
  ssize_t ignored = ::write(error_pipe, &error, sizeof error);
  (void)ignored;
  ::_exit(127);
}

// The child waits until it is traced (end of file: we are gone, and so must it be).
[[noreturn]] void run_child(const LaunchRequest& request, const ExecWords& words, int go_pipe,
                            int error_pipe) {
  char go = 0;
  while (::read(go_pipe, &go, 1) < 0 && errno == EINTR) {
  }
  if (go != 1) ::_exit(127);
  become(request, words, error_pipe);
}

Error ptrace_error(int error) {
  return Error("ptrace is not allowed here: " + std::string(std::strerror(error)),
               ErrorKind::kNoPermission)
      .with_hint(
          "in a container add --cap-add=SYS_PTRACE, or allow ptrace in its seccomp profile; geist "
          "doctor says more");
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

}  // namespace

// From PTRACE_SEIZE on the child dies with us: there is no moment in which it could run half
// prepared.
Result<int> start_stopped(const LaunchRequest& request) {
  int go_fds[2];
  int error_fds[2];
  if (::pipe2(go_fds, O_CLOEXEC) != 0) return system_error("pipe");
  Fd go_read(go_fds[0]);
  Fd go_write(go_fds[1]);
  if (::pipe2(error_fds, O_CLOEXEC) != 0) return system_error("pipe");
  Fd error_read(error_fds[0]);
  Fd error_write(error_fds[1]);
  const ExecWords words(request);
  pid_t pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0) {
    go_write.reset();
    run_child(request, words, go_read.get(), error_write.get());
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

namespace {

class Preparation {
 public:
  Preparation(Tracee& tracee, const read::GoBinary& binary, const sites::SiteTable& table,
              const LaunchRequest& request)
      : tracee_(tracee), binary_(binary), table_(table), request_(request) {}

  Result<std::unique_ptr<ProbedProcess>> run();

 private:
  Status reach_entry();
  // All or nothing.
  Status patch(const probe::PatchPlan& plan);
  Status write(const Patches& patches);
  Status patch_one(const probe::CodePatch& patch);

  Tracee& tracee_;
  const read::GoBinary& binary_;
  const sites::SiteTable& table_;
  const LaunchRequest& request_;
  LoadBias bias_;
};

Error code_differs(const probe::CodePatch& patch) {
  return Error(
      fmt::format("the code at {:#x} differs from the file: packed, or changed while loading",
                  patch.addr.value));
}

Status Preparation::reach_entry() {
  GEIST_TRY(entry, read_auxv(tracee_.pid(), AT_ENTRY));
  bias_.bytes = entry - binary_.image().entry().value;
  if (!binary_.image().is_pie() && bias_.bytes != 0)
    return Error("the program was not loaded where it was linked");
  // The dynamic linker runs first and relocates. Static programs are run there too: at its exec a
  // process is still inside that system call, which would overwrite RAX on its way out.
  return tracee_.run_to(TargetAddr(entry));
}

Status Preparation::patch_one(const probe::CodePatch& patch) {
  std::vector<u8> found(patch.original.size());
  GEIST_TRY_STATUS(tracee_.memory().read(patch.addr, found));
  if (found != patch.original) return code_differs(patch);
  return tracee_.memory().write(patch.addr, patch.replacement);
}

// Page by page: a large program has tens of thousands of patches. The few whose JMP lies across a
// boundary are written alone.
Status Preparation::write(const Patches& patches) {
  Patches in_pages, alone;
  for (const probe::CodePatch* patch : patches)
    (can_write_patch(*patch) ? in_pages : alone).push_back(patch);
  GEIST_TRY(changed, write_patches(tracee_.memory(), in_pages));
  if (!changed.empty()) return code_differs(*changed[0]);
  for (const probe::CodePatch* patch : alone) GEIST_TRY_STATUS(patch_one(*patch));
  return Done{};
}

Status Preparation::patch(const probe::PatchPlan& plan) {
  Patches patches;
  for (const probe::CodePatch& hook : plan.hooks) patches.push_back(&hook);
  for (const probe::CodePatch& point : plan.point_patches) patches.push_back(&point);
  for (const probe::ProbedSite& site : plan.sites) patches.push_back(&site.patch);
  Status written = write(patches);
  if (written.ok()) return written;
  GEIST_TRY_STATUS(restore_patches(tracee_.memory(), patches));  // what is not ours stays as it is
  return written;
}

Result<std::unique_ptr<ProbedProcess>> Preparation::run() {
  GEIST_TRY_STATUS(reach_entry());
  const read::ModuleData& module = binary_.module();
  const probe::RegionShape shape =
      probe::region_shape(static_cast<usize>(table_.count_probed()), request_.plan);
  GEIST_TRY(maps, read_maps(tracee_.pid()));
  GEIST_TRY(
      gap, find_gap(maps, bias_.to_target(module.text), bias_.to_target(module.etext), shape.size));
  Footprint footprint;
  footprint.region = gap;
  GEIST_TRY_STATUS(map_code_and_state(tracee_, shape, footprint));
  probe::PatchPlan plan =
      probe::plan_patches(binary_, table_, bias_, footprint.region, request_.plan);
  GEIST_TRY(ring, map_ring(tracee_, shape, footprint, binary_.layout(), request_.budget));
  ring.look_at_maps(plan.map_record(0), static_cast<u32>(plan.map_points.size()),
                    request_.plan.map_hold_us, request_.plan.map_counts);
  GEIST_TRY_STATUS(write_region(tracee_.memory(), plan, footprint));
  GEIST_TRY_STATUS(patch(plan));
  ring.beat();
  Fd memory(::open(fmt::format("/proc/{}/mem", tracee_.pid()).c_str(), O_RDONLY | O_CLOEXEC));
  return std::unique_ptr<ProbedProcess>(
      new ProbedProcess{tracee_.pid(), bias_, std::move(plan), std::move(ring),
                        ProcessMemory(tracee_.pid(), std::move(memory))});
}

}  // namespace

Result<int> start_plain(const LaunchRequest& request) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return system_error("pipe");
  Fd error_read(fds[0]);
  Fd error_write(fds[1]);
  const ExecWords words(request);
  pid_t pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0) become(request, words, error_write.get());
  error_write.reset();
  int error = 0;
  ssize_t got = ::read(error_read.get(), &error, sizeof error);  // end of file: the exec went well
  if (got != static_cast<ssize_t>(sizeof error)) return static_cast<int>(pid);
  ::waitpid(pid, nullptr, 0);
  return exec_error(request.path, error);
}

Result<std::unique_ptr<ProbedProcess>> prepare(Tracee& tracee, const read::GoBinary& binary,
                                               const sites::SiteTable& table,
                                               const LaunchRequest& request) {
  return Preparation(tracee, binary, table, request).run();
}

Result<std::unique_ptr<ProbedProcess>> launch(const read::GoBinary& binary,
                                              const sites::SiteTable& table,
                                              const LaunchRequest& request) {
  GEIST_TRY(pid, start_stopped(request));
  auto tracee = Tracee::adopt(pid);
  if (!tracee.ok()) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return tracee.take_error();
  }
  auto process = prepare(tracee.value(), binary, table, request);
  Status let_go = process.ok() ? tracee->detach() : Status(Done{});
  if (!process.ok() || !let_go.ok()) tracee.value().kill();
  if (!let_go.ok()) return let_go.take_error();
  return process;
}

}  // namespace geist::process
