// See process_info.h. Source: proc(5).
#include <dirent.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "process/process_info.h"

namespace geist::process {
namespace {

std::optional<u64> parse_hex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  u64 value = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> read_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  return line;
}

// A line of maps, which smaps has above each mapping's counts.
std::optional<MapEntry> parse_map_line(const std::string& line) {
  std::istringstream fields(line);
  std::string range, permissions, offset, device, inode, path;
  fields >> range >> permissions >> offset >> device >> inode;
  std::getline(fields >> std::ws, path);
  usize dash = range.find('-');
  if (dash == std::string::npos) return std::nullopt;
  std::optional<u64> begin = parse_hex(std::string_view(range).substr(0, dash));
  std::optional<u64> end = parse_hex(std::string_view(range).substr(dash + 1));
  if (!begin || !end) return std::nullopt;
  return MapEntry{*begin, *end, permissions, path};
}

}  // namespace

Result<std::vector<MapEntry>> read_maps(int pid) {
  std::ifstream in(fmt::format("/proc/{}/maps", pid));
  if (!in)
    return Error(fmt::format("cannot read /proc/{}/maps: {}", pid, std::strerror(errno)),
                 ErrorKind::kSystem);
  std::vector<MapEntry> entries;
  std::string line;
  while (std::getline(in, line)) {
    std::optional<MapEntry> entry = parse_map_line(line);
    if (!entry) return Error("/proc/PID/maps: a line without a range: " + line);
    entries.push_back(std::move(*entry));
  }
  return entries;
}

std::vector<MapUsage> read_map_usage(int pid) {
  std::ifstream in(fmt::format("/proc/{}/smaps", pid));
  std::vector<MapUsage> usages;
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    if (!name.ends_with(':')) {
      std::optional<MapEntry> entry = parse_map_line(line);
      if (!entry) break;
      usages.push_back({.entry = std::move(*entry)});
    } else if (name == "Rss:" && !usages.empty()) {
      u64 kib = 0;
      fields >> kib;
      usages.back().resident_bytes = kib * 1024;
    } else if (name == "VmFlags:" && !usages.empty()) {
      std::getline(fields, usages.back().flags);
      usages.back().flags += ' ';
    }
  }
  return usages;
}

Result<u64> read_auxv(int pid, u64 type) {
  std::ifstream in(fmt::format("/proc/{}/auxv", pid), std::ios::binary);
  u64 entry[2];
  while (in.read(reinterpret_cast<char*>(entry), sizeof entry)) {
    if (entry[0] == type) return entry[1];
  }
  return Error(fmt::format("the auxiliary vector of the process has no entry of type {}", type),
               ErrorKind::kSystem);
}

std::vector<int> threads_of(int pid) {
  std::vector<int> tids;
  DIR* dir = ::opendir(fmt::format("/proc/{}/task", pid).c_str());
  if (dir == nullptr) return tids;
  while (const dirent* entry = ::readdir(dir)) {
    int tid = std::atoi(entry->d_name);
    if (tid > 0) tids.push_back(tid);
  }
  ::closedir(dir);
  return tids;
}

std::optional<std::string> find_status_line(int pid, const std::string& name) {
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with(name + ":")) continue;
    usize begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return std::nullopt;
}

std::optional<i64> find_status_number(int pid, const std::string& name) {
  std::optional<std::string> text = find_status_line(pid, name);
  i64 value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

std::optional<char> find_thread_state(int pid, int tid) {
  std::optional<std::string> line = read_line(fmt::format("/proc/{}/task/{}/stat", pid, tid));
  usize behind =
      line ? line->rfind(')') : std::string::npos;  // the name in front may hold anything
  if (behind == std::string::npos || behind + 2 >= line->size()) return std::nullopt;
  return (*line)[behind + 2];
}

std::vector<int> children_of(int pid) {
  std::vector<int> children;
  for (int tid : threads_of(pid)) {
    std::ifstream in(fmt::format("/proc/{}/task/{}/children", pid, tid));
    for (int child = 0; in >> child;) children.push_back(child);
  }
  return children;
}

// proc_pid_stat(5): state, exit_signal and exit_code are fields 3, 38 and 52.
std::optional<EndedProcess> find_ended(int pid) {
  std::optional<std::string> line = read_line(fmt::format("/proc/{}/stat", pid));
  usize behind = line ? line->rfind(')') : std::string::npos;
  if (behind == std::string::npos) return std::nullopt;
  std::istringstream fields(line->substr(behind + 1));
  EndedProcess ended;
  std::string field;
  for (int number = 3; number <= 52 && fields >> field; ++number) {
    if (number == 3 && field != "Z") return std::nullopt;
    if (number == 38) ended.exit_signal = std::atoi(field.c_str());
    if (number == 52) ended.wait_status = std::atoi(field.c_str());
  }
  return ended;
}

std::optional<SleepingAt> find_sleeping_at(int pid, int tid) {
  std::optional<std::string> line = read_line(fmt::format("/proc/{}/task/{}/syscall", pid, tid));
  const usize last = line ? line->rfind(' ') : std::string::npos;
  if (last == std::string::npos || last == 0) return std::nullopt;
  const usize before = line->rfind(' ', last - 1);
  if (before == std::string::npos) return std::nullopt;
  const std::string_view text = *line;
  std::optional<u64> pc = parse_hex(text.substr(last + 1));
  std::optional<u64> sp = parse_hex(text.substr(before + 1, last - before - 1));
  if (!pc || !sp) return std::nullopt;
  return SleepingAt{TargetAddr(*pc), TargetAddr(*sp)};
}

}  // namespace geist::process
