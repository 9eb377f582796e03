// See launch.h. What holds when the program starts: text patched, region r-x but for the site records, ring shared and
// armed, no file descriptor of ours left in it, no tracer.
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "target/launch.h"
#include "target/tracee.h"

namespace geist::target {
namespace {

constexpr u64 kReach = 0x7ff00000;     // of a rel32 branch, with room for the region itself
constexpr u64 kLowestAddress = 0x10000;  // vm.mmap_min_addr
constexpr u64 kPageBytes = 4096;

Error system_error(const std::string& what, int error) {
  return Error(what + ": " + std::strerror(error), ErrorKind::kSystem);
}

// In the child, up to exec. Its errno comes back through the pipe.
[[noreturn]] void become(const LaunchRequest& request, int error_pipe) {
  std::vector<char*> argv;
  for (const std::string& arg : request.command) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  for (int fd = 0; fd < 3; ++fd) {
    if (request.stdio[static_cast<usize>(fd)] >= 0) ::dup2(request.stdio[static_cast<usize>(fd)], fd);
  }
  if (request.dies_with_us) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::sigprocmask(SIG_SETMASK, &request.signal_mask, nullptr);
  ::execv(request.path.c_str(), argv.data());
  int error = errno;
  ssize_t ignored = ::write(error_pipe, &error, sizeof error);
  (void)ignored;
  ::_exit(127);
}

// The child waits until it is traced (end of file: we are gone, and so must it be).
[[noreturn]] void run_child(const LaunchRequest& request, int go_pipe, int error_pipe) {
  char go = 0;
  while (::read(go_pipe, &go, 1) < 0 && errno == EINTR) {
  }
  if (go != 1) ::_exit(127);
  become(request, error_pipe);
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

}  // namespace

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

namespace {

// A gap of `size` bytes that every part of [text, etext) reaches with a rel32, as far up as possible: brk grows from just
// behind .bss, at a random distance.
Result<TargetAddr> find_gap(const std::vector<MapEntry>& maps, u64 text, u64 etext, u64 size) {
  u64 top = text + kReach - size;
  u64 bottom = etext > kReach ? etext - kReach : kLowestAddress;
  bottom = std::max(bottom, kLowestAddress);
  u64 end = top & ~(kPageBytes - 1);
  for (usize i = maps.size() + 1; i-- > 0;) {
    // The gap below maps[i] (or below the top, for i == size).
    u64 gap_end = i == maps.size() ? end : std::min(end, maps[i].begin);
    u64 gap_begin = i == 0 ? bottom : std::max(bottom, maps[i - 1].end);
    if (gap_end > gap_begin && gap_end - gap_begin >= size + 2 * kPageBytes) {
      return TargetAddr((gap_end - size - kPageBytes) & ~(kPageBytes - 1));
    }
  }
  return Error("no free memory within 2 GiB of the code", ErrorKind::kSystem);
}

class Preparation {
 public:
  Preparation(Tracee& tracee, const read::GoBinary& binary, program::SiteTable& table, const LaunchRequest& request)
      : tracee_(tracee), binary_(binary), table_(table), request_(request) {}

  Result<std::unique_ptr<ProbedProcess>> run();

 private:
  Status reach_entry();
  Result<u64> map(u64 at, u64 size, int protection, int flags, i64 fd, u64 offset = 0);
  Result<u64> make_region();
  Result<SharedRing> make_ring(const probe::PatchPlan& plan);
  Status write_region(const probe::PatchPlan& plan);
  // All or nothing.
  Status patch(const probe::PatchPlan& plan);
  Status patch_one(const probe::CodePatch& patch);

  Tracee& tracee_;
  const read::GoBinary& binary_;
  program::SiteTable& table_;
  const LaunchRequest& request_;
  LoadBias bias_;
  u64 ring_in_target_ = 0;
  u64 state_in_target_ = 0;
};

Status Preparation::reach_entry() {
  GEIST_TRY(entry, tracee_.auxv(AT_ENTRY));
  bias_.bytes = entry - binary_.image().entry().value;
  if (!binary_.image().is_pie() && bias_.bytes != 0) return Error("the program was not loaded where it was linked");
  // The dynamic linker runs first and relocates. Static programs are run there too: at its exec a process is still inside
  // that system call, which would overwrite RAX on its way out.
  return tracee_.run_to(TargetAddr(entry));
}

Result<u64> Preparation::map(u64 at, u64 size, int protection, int flags, i64 fd, u64 offset) {
  GEIST_TRY(result, tracee_.syscall(SYS_mmap, {at, size, static_cast<u64>(protection), static_cast<u64>(flags),
                                               static_cast<u64>(fd), offset}));
  if (result < 0 && result > -4096) return system_error("mmap in the program", static_cast<int>(-result));
  return static_cast<u64>(result);
}

Result<u64> Preparation::make_region() {
  const read::ModuleData& module = binary_.module();
  u64 size = probe::region_size(static_cast<usize>(table_.count(program::SiteBucket::kProbed)));
  GEIST_TRY(maps, tracee_.maps());
  GEIST_TRY(gap, find_gap(maps, bias_.to_target(module.text).value, bias_.to_target(module.etext).value, size));
  return map(gap.value, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
}

// The memfd is made by the target (so that it needs no file of ours), opened here through /proc, and closed there:
// the program's file descriptors stay what they would be.
Result<SharedRing> Preparation::make_ring(const probe::PatchPlan& plan) {
  static const char name[] = "geist-ring";
  GEIST_TRY(regs, tracee_.registers());
  TargetAddr scratch((regs.rsp - 512) & ~u64{15});
  std::array<u8, sizeof name> saved{};
  GEIST_TRY_STATUS(tracee_.read(scratch, saved));
  GEIST_TRY_STATUS(tracee_.write(scratch, {reinterpret_cast<const u8*>(name), sizeof name}));
  GEIST_TRY(fd, tracee_.syscall(SYS_memfd_create, {scratch.value, MFD_CLOEXEC, 0, 0, 0, 0}));
  GEIST_TRY_STATUS(tracee_.write(scratch, saved));
  if (fd < 0) return system_error("memfd_create in the program", static_cast<int>(-fd));
  GEIST_TRY(truncated, tracee_.syscall(SYS_ftruncate, {static_cast<u64>(fd), abi::kRingBytes + plan.site_table_size, 0, 0, 0, 0}));
  if (truncated < 0) return system_error("ftruncate in the program", static_cast<int>(-truncated));
  GEIST_TRY(at, map(0, abi::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd));
  ring_in_target_ = at;
  GEIST_TRY(records, map(plan.region.value + plan.site_table_offset, plan.site_table_size, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_FIXED, fd, abi::kRingBytes));
  (void)records;
  Fd ours(::open(fmt::format("/proc/{}/fd/{}", tracee_.pid(), fd).c_str(), O_RDWR | O_CLOEXEC));
  if (!ours.valid()) return system_error("cannot open the memory shared with the program", errno);
  GEIST_TRY(closed, tracee_.syscall(SYS_close, {static_cast<u64>(fd), 0, 0, 0, 0, 0}));
  if (closed < 0) return system_error("close in the program", static_cast<int>(-closed));
  return SharedRing::create(std::move(ours), binary_.layout(), request_.budget, plan.site_table_size);
}

Status Preparation::write_region(const probe::PatchPlan& plan) {
  GEIST_TRY(state, map(0, sizeof(abi::State), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
  state_in_target_ = state;
  std::vector<u8> bytes = plan.region_bytes;
  std::memcpy(bytes.data() + offsetof(abi::BlobHeader, state), &state_in_target_, sizeof state_in_target_);
  GEIST_TRY_STATUS(tracee_.write(plan.region, bytes));
  const u64 first[4] = {~u64{0}, ring_in_target_, ring_in_target_ + abi::kControlBytes, 0};
  return tracee_.write(TargetAddr(state), {reinterpret_cast<const u8*>(first), sizeof first});
}

Status Preparation::patch_one(const probe::CodePatch& patch) {
  std::vector<u8> found(patch.original.size());
  GEIST_TRY_STATUS(tracee_.read(patch.addr, found));
  if (found != patch.original) {
    return Error(fmt::format("the code at {:#x} differs from the file: packed, or changed while loading", patch.addr.value));
  }
  return tracee_.write(patch.addr, patch.replacement);
}

Status Preparation::patch(const probe::PatchPlan& plan) {
  std::vector<const probe::CodePatch*> done;
  auto apply = [&](const probe::CodePatch& patch) -> Status {
    Status status = patch_one(patch);
    if (status.ok()) done.push_back(&patch);
    return status;
  };
  Status status = Done{};
  for (usize i = 0; status.ok() && i < plan.hooks.size(); ++i) status = apply(plan.hooks[i]);
  for (usize i = 0; status.ok() && i < plan.sites.size(); ++i) status = apply(plan.sites[i].patch);
  if (status.ok()) return status;
  for (const probe::CodePatch* patch : done) GEIST_TRY_STATUS(tracee_.write(patch->addr, patch->original));
  return status;
}

Result<std::unique_ptr<ProbedProcess>> Preparation::run() {
  GEIST_TRY_STATUS(reach_entry());
  GEIST_TRY(region, make_region());
  probe::PatchPlan plan = probe::plan_patches(binary_, table_, bias_, TargetAddr(region), request_.plan);
  GEIST_TRY(ring, make_ring(plan));
  GEIST_TRY_STATUS(write_region(plan));
  GEIST_TRY_STATUS(patch(plan));
  ring.beat();
  return std::unique_ptr<ProbedProcess>(new ProbedProcess{tracee_.pid(), bias_, std::move(plan), std::move(ring),
                                                          ProcessMemory(tracee_.pid())});
}

}  // namespace

Result<int> start_plain(const LaunchRequest& request) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return system_error("pipe", errno);
  Fd error_read(fds[0]);
  Fd error_write(fds[1]);
  pid_t pid = ::fork();
  if (pid < 0) return system_error("fork", errno);
  if (pid == 0) become(request, error_write.get());
  error_write.reset();
  int error = 0;
  ssize_t got = ::read(error_read.get(), &error, sizeof error);  // end of file: the exec went well
  if (got != static_cast<ssize_t>(sizeof error)) return static_cast<int>(pid);
  ::waitpid(pid, nullptr, 0);
  return exec_error(request.path, error);
}

Result<std::unique_ptr<ProbedProcess>> prepare(Tracee& tracee, const read::GoBinary& binary, program::SiteTable& table,
                                               const LaunchRequest& request) {
  return Preparation(tracee, binary, table, request).run();
}

Result<std::unique_ptr<ProbedProcess>> launch(const read::GoBinary& binary, program::SiteTable& table,
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

}  // namespace geist::target
