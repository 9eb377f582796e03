// Children with memory files in the place of standard output and error, as in prove/runner_linux.cc;
// a pipe would have to be emptied while they run.
#include "run/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/fd.h"
#include "base/system_error.h"

extern char** environ;

namespace geist::run {
namespace {

constexpr u64 kMostOutput = u64{16} << 20;
constexpr int kLookMs = 50;

Result<Fd> make_memory_file(const char* name) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return system_error("memfd_create");
  return fd;
}

u64 size_of(const Fd& fd) {
  struct stat info {};
  return ::fstat(fd.get(), &info) == 0 ? static_cast<u64>(info.st_size) : 0;
}

std::string read_whole(const Fd& fd) {
  std::string text(std::min(size_of(fd), kMostOutput), '\0');
  usize have = 0;
  while (have < text.size()) {
    ssize_t got =
        ::pread(fd.get(), text.data() + have, text.size() - have, static_cast<off_t>(have));
    if (got <= 0) break;
    have += static_cast<usize>(got);
  }
  text.resize(have);
  return text;
}

// Ours, with what is asked for in the place of what has its name.
std::vector<std::string> make_environment(const std::vector<std::string>& changes) {
  std::vector<std::string> out;
  for (char** one = environ; *one != nullptr; ++one) {
    std::string_view text(*one);
    std::string_view name = text.substr(0, text.find('=') + 1);
    if (std::ranges::none_of(changes, [&](const std::string& c) { return c.starts_with(name); }))
      out.emplace_back(text);
  }
  out.insert(out.end(), changes.begin(), changes.end());
  return out;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

Result<int> start(const ChildRequest& request, const Fd& out, const Fd& err, const sigset_t& mask) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.get(), STDERR_FILENO);
  if (!request.folder.empty())
    posix_spawn_file_actions_addchdir_np(&actions, request.folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &mask);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const std::vector<std::string> environment = make_environment(request.environment);
  pid_t pid = 0;
  int error = posix_spawnp(&pid, request.argv[0].c_str(), &actions, &attributes,
                           pointers(request.argv).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return system_error(request.argv[0], error);
  return pid;
}

}  // namespace

std::string ChildResult::last_line() const {
  std::string_view rest = out;
  while (!rest.empty()) {
    while (rest.ends_with('\n')) rest.remove_suffix(1);
    usize start = rest.rfind('\n') + 1;
    std::string_view line = rest.substr(start);
    if (!line.starts_with("fact ") && !line.starts_with("cannot ")) return std::string(line);
    rest = rest.substr(0, start);
  }
  return "";
}

Result<ChildResult> run_child(const ChildRequest& request, const ChildSignals& signals) {
  using Clock = std::chrono::steady_clock;
  GEIST_TRY(out, make_memory_file("geist-stdout"));
  GEIST_TRY(err, make_memory_file("geist-stderr"));
  const Clock::time_point begin = Clock::now();
  GEIST_TRY(pid, start(request, out, err, signals.child_mask()));
  ChildResult result;
  bool writes_too_much = false;
  bool is_interrupted = false;
  std::optional<ExitStatus> exit;
  while (!(exit = find_exit(pid))) {
    result.timed_out = Clock::now() - begin > std::chrono::seconds(request.timeout_s);
    writes_too_much = size_of(out) > kMostOutput || size_of(err) > kMostOutput;
    is_interrupted = signals.asked_to_end();
    if (result.timed_out || writes_too_much || is_interrupted) {
      ::kill(-pid, SIGKILL);
      exit = wait_for_exit(pid, signals);
      break;
    }
    signals.wait(kLookMs);
  }
  result.wall_ms = static_cast<u64>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count());
  ::kill(-pid, SIGKILL);  // what it started and left behind
  if (is_interrupted) return Error("ended by a signal", ErrorKind::kSystem);
  if (writes_too_much) return Error(fmt::format("{} writes more than 16 MiB", request.argv[0]));
  result.code = exit->code;
  result.signal = exit->signal;
  result.out = read_whole(out);
  result.err = read_whole(err);
  return result;
}

}  // namespace geist::run
