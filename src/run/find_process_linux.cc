// See find_process.h. Source: proc(5).
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "process/process_info.h"
#include "run/find_process.h"

namespace geist::run {
namespace {

constexpr usize kMaxListed = 20;

std::vector<std::string> read_command(int pid) {
  std::ifstream in(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  std::vector<std::string> words;
  std::string word;
  while (std::getline(in, word, '\0')) words.push_back(word);
  return words;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::optional<std::string> read_link(const std::string& path) {
  char target[4096];
  ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  if (size < 0) return std::nullopt;
  std::string text(target, static_cast<usize>(size));
  constexpr std::string_view kDeleted = " (deleted)";
  if (text.ends_with(kDeleted)) text.resize(text.size() - kDeleted.size());
  return text;
}

// The main thread, unless it has left the others.
int find_living_thread(int pid) {
  auto lives = [pid](int tid) {
    char state = process::find_thread_state(pid, tid).value_or('X');
    return state != 'Z' && state != 'X';
  };
  if (lives(pid)) return pid;
  std::vector<int> threads = process::threads_of(pid);
  auto found = std::find_if(threads.begin(), threads.end(), lives);
  return found == threads.end() ? pid : *found;
}

Result<FoundProcess> look_at(int pid) {
  std::optional<i64> leader = process::find_status_number(pid, "Tgid");
  if (!leader) return Error(fmt::format("there is no process {}", pid));
  if (*leader != pid) {
    return Error(fmt::format("{} is a thread of process {}", pid, *leader))
        .with_hint(fmt::format("geist attach {}", *leader));
  }
  if (pid == ::getpid()) return Error(fmt::format("process {} is this geist itself", pid));
  FoundProcess found;
  found.pid = pid;
  found.thread = find_living_thread(pid);
  found.command = read_command(found.thread);
  std::optional<std::string> executable = read_link(found.program_link());
  if (executable) {
    found.executable = *executable;
    found.name = base_name(*executable);
    return found;
  }
  int error = errno;
  std::string name = process::find_status_line(pid, "Name").value_or("?");
  char state = process::find_thread_state(pid, pid).value_or('X');
  if (state == 'Z' || state == 'X')
    return Error(
        fmt::format("process {} ({}) has ended and waits for its parent to notice", pid, name));
  if (error == ENOENT)
    return Error(
        fmt::format("process {} ({}) is a kernel thread, which has no program", pid, name));
  return Error(fmt::format("process {} ({}): {}", pid, name, std::strerror(error)),
               ErrorKind::kNoPermission)
      .with_hint("It takes the same user, or CAP_SYS_PTRACE: sudo geist attach ...");
}

std::vector<int> all_processes() {
  std::vector<int> pids;
  DIR* dir = ::opendir("/proc");
  if (dir == nullptr) return pids;
  while (const dirent* entry = ::readdir(dir)) {
    int pid = std::atoi(entry->d_name);
    if (pid > 0 && pid != ::getpid()) pids.push_back(pid);
  }
  ::closedir(dir);
  std::sort(pids.begin(), pids.end());
  return pids;
}

// By the program's file, by the word it was started with, or by the name it has given itself.
bool has_name(int pid, const std::string& name) {
  std::optional<std::string> executable = read_link(fmt::format("/proc/{}/exe", pid));
  if (executable && base_name(*executable) == name) return true;
  std::vector<std::string> command = read_command(pid);
  if (!command.empty() && base_name(command[0]) == name) return true;
  return executable && process::find_status_line(pid, "Name") == name;
}

}  // namespace

std::string FoundProcess::program_link() const {
  return fmt::format("/proc/{}/exe", thread);
}

Result<FoundProcess> find_process(const std::string& pid_or_name) {
  if (::access("/proc/self/status", R_OK) != 0) {
    return Error("/proc is not mounted, and another process cannot be looked at without it")
        .with_hint("mount -t proc proc /proc");
  }
  int pid = 0;
  auto [stop, error] =
      std::from_chars(pid_or_name.data(), pid_or_name.data() + pid_or_name.size(), pid);
  bool is_number = error == std::errc() && stop == pid_or_name.data() + pid_or_name.size();
  if (is_number && pid <= 0) return Error(fmt::format("there is no process {}", pid));
  if (is_number) return look_at(pid);
  std::vector<int> matches;
  for (int candidate : all_processes()) {
    if (has_name(candidate, pid_or_name)) matches.push_back(candidate);
  }
  if (matches.empty()) return Error(fmt::format("no process has the name \"{}\"", pid_or_name));
  if (matches.size() == 1) return look_at(matches[0]);
  std::string list;
  for (usize i = 0; i < matches.size() && i < kMaxListed; ++i) {
    list +=
        fmt::format("{}{:>8}  {}", i == 0 ? "" : "\n", matches[i], join(read_command(matches[i])));
  }
  if (matches.size() > kMaxListed)
    list += fmt::format("\n          and {} more", matches.size() - kMaxListed);
  return Error(fmt::format("{} processes have the name \"{}\": give the number of one",
                           matches.size(), pid_or_name))
      .with_hint(list);
}

}  // namespace geist::run
