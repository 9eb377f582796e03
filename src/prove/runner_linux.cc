// Runs with memory files in the place of standard output and error; see runner.h. A run may be
// stopped from here for taking too long or writing too much, and it dies with us.
#include "prove/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

namespace geist::prove {
namespace {

constexpr u64 kMaxOutputBytes = u64{256} << 20;
constexpr int kLookMs = 100;  // between two looks at how much was written

Error system_error(const std::string& what) {
  return Error(what + ": " + std::strerror(errno), ErrorKind::kSystem);
}

Result<Fd> make_memory_file(const char* name) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return system_error("memfd_create");
  return fd;
}

// Whole content; nothing when it cannot be read or is larger than what a run may write.
std::optional<std::string> read_whole(int fd) {
  std::string text;
  char buffer[65536];
  for (off_t offset = 0;;) {
    ssize_t got = ::pread(fd, buffer, sizeof buffer, offset);
    if (got < 0 || text.size() > kMaxOutputBytes) return std::nullopt;
    if (got == 0) return text;
    text.append(buffer, static_cast<usize>(got));
    offset += got;
  }
}

u64 size_of(const Fd& fd) {
  struct stat info {};
  return ::fstat(fd.get(), &info) == 0 ? static_cast<u64>(info.st_size) : 0;
}

// Copies what is left of a pipe.
Result<Fd> keep_rest(int from) {
  GEIST_TRY(copy, make_memory_file("geist-input"));
  char buffer[65536];
  u64 total = 0;
  for (;;) {
    ssize_t got = ::read(from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read the standard input");
    if (got == 0) return copy;
    total += static_cast<u64>(got);
    if (total > kMaxOutputBytes)
      return Error("the standard input is too large to be kept for several runs");
    if (::write(copy.get(), buffer, static_cast<usize>(got)) != got)
      return system_error("cannot keep the standard input");
  }
}

}  // namespace

Result<Runner> Runner::create(const read::GoBinary& binary, const sites::SiteTable& table,
                              Command command) {
  Runner runner(binary, table, std::move(command));
  struct stat info {};
  if (!runner.command_.has_our_input) return runner;
  if (::fstat(STDIN_FILENO, &info) != 0 || S_ISCHR(info.st_mode))
    return runner;  // closed, a terminal, /dev/null
  if (S_ISREG(info.st_mode)) {
    runner.input_ = Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    runner.input_start_ = std::max<i64>(0, ::lseek(STDIN_FILENO, 0, SEEK_CUR));
    return runner;
  }
  GEIST_TRY(kept, keep_rest(STDIN_FILENO));
  runner.input_ = std::move(kept);
  return runner;
}

// A descriptor of its own for each run: with dup() the runs would share one position.
Result<Fd> Runner::open_input() const {
  std::string path = input_.valid() ? fmt::format("/proc/self/fd/{}", input_.get()) : "/dev/null";
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return system_error("cannot open the standard input again");
  if (input_start_ != 0) (void)::lseek(fd.get(), input_start_, SEEK_SET);
  return fd;
}

Status Runner::give_input() {
  if (!input_.valid()) return Done{};
  GEIST_TRY(fd, open_input());
  if (::dup2(fd.get(), STDIN_FILENO) < 0) return system_error("cannot hand on the standard input");
  return Done{};
}

Result<Runner::Captured> Runner::open_files() const {
  GEIST_TRY(in, open_input());
  GEIST_TRY(out, make_memory_file("geist-stdout"));
  GEIST_TRY(err, make_memory_file("geist-stderr"));
  return Captured{std::move(in), std::move(out), std::move(err)};
}

process::LaunchRequest Runner::make_request(const Captured& files) const {
  process::LaunchRequest request;
  request.path = command_.path;
  request.command = command_.argv;
  request.folder = command_.folder;
  request.environment = command_.environment;
  request.signal_mask = command_.signal_mask;
  request.stdio = {files.in.get(), files.out.get(), files.err.get()};
  request.dies_with_us = true;
  request.plan.only_healed = true;
  request.plan.with_hooks = false;
  return request;
}

// Waits for the end of the run, which is cut short when it takes or writes too much.
Result<Outcome> Runner::finish(int pid, const Captured& files) const {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(command_.timeout_ms);
  Outcome outcome;
  bool wrote_too_much = false;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    outcome.timed_out = std::chrono::steady_clock::now() > deadline;
    wrote_too_much = size_of(files.out) > kMaxOutputBytes || size_of(files.err) > kMaxOutputBytes;
    if (outcome.timed_out || wrote_too_much) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      break;
    }
    pollfd wait{pidfd.get(), POLLIN, 0};
    (void)::poll(&wait, 1, pidfd.valid() ? kLookMs : 1);
  }
  if (wrote_too_much) return Error("the program writes more than can be compared (256 MiB)");
  outcome.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.out = read_whole(files.out.get()).value_or("");
  outcome.err = read_whole(files.err.get()).value_or("");
  for (const std::string& path : command_.watched_files) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    outcome.files[path] = fd.valid() ? read_whole(fd.get()) : std::nullopt;
  }
  return outcome;
}

Result<Outcome> Runner::run_plain() {
  ++runs_;
  GEIST_TRY(files, open_files());
  GEIST_TRY(pid, process::start_plain(make_request(files)));
  return finish(pid, files);
}

Result<Outcome> Runner::run_other(const std::string& path, const std::vector<std::string>& argv) {
  GEIST_TRY(files, open_files());
  process::LaunchRequest request = make_request(files);
  request.path = path;
  request.command = argv;
  GEIST_TRY(pid, process::start_plain(request));
  return finish(pid, files);
}

Result<Outcome> Runner::run_control() {
  GEIST_TRY(run, run_changed({}));
  return std::move(run.outcome);
}

Result<ChangedOutcome> Runner::run_changed(const Changes& changes) {
  ++runs_;
  GEIST_TRY(files, open_files());
  process::LaunchRequest request = make_request(files);
  request.plan.modes = changes.modes;
  request.plan.points = changes.points;
  GEIST_TRY(process, process::launch(*binary_, *table_, request));
  GEIST_TRY(outcome, finish(process->pid, files));
  ChangedOutcome run{std::move(outcome), {}, {}};
  for (const probe::ProbedSite& site : process->plan.sites) {
    if (u64 count = process->ring.healed(site.record); count != 0)
      run.healed[site.site.call] += count;
  }
  for (const probe::PlannedPoint& point : process->plan.points) {
    // Slices that move off the stack keep their room where their CALL has no place for a patch.
    if (point.refused && point.point.kind != program::PointKind::kCall)
      return Error(fmt::format("the program cannot be changed at {:#x}: {}", point.point.at.value,
                               program::refusal_help(*point.refused)));
    run.passes.push_back(point.refused ? 0 : process->ring.passes(point.record));
  }
  return run;
}

}  // namespace geist::prove
