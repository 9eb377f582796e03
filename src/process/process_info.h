// What /proc tells of a process: its mappings, threads, auxiliary vector and status lines.
// Everything is text made by the kernel about a process that may end at any moment: each answer may
// be missing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace geist::process {

struct MapEntry {
  u64 begin = 0;
  u64 end = 0;
  std::string permissions;  // "r-xp"
  std::string path;         // empty, or "[anon...]": memory without a file
  bool is_anonymous() const { return path.empty() || path.starts_with("[anon"); }
  bool holds(u64 addr, u64 size) const { return addr >= begin && addr < end && size <= end - addr; }
};

// /proc/PID/maps, ascending. Fails when the process is gone or hidden from us.
Result<std::vector<MapEntry>> read_maps(int pid);

// What /proc/PID/smaps says beyond that.
struct MapUsage {
  MapEntry entry;
  u64 resident_bytes = 0;
  std::string flags = {};  // " rd wr mr ... ", proc_pid_smaps(5)
  bool has_flag(const std::string& two) const { return flags.contains(" " + two + " "); }
};
// Ascending; none when the process is gone or hidden from us. The kernel counts every page for it.
std::vector<MapUsage> read_map_usage(int pid);
// The value of an auxiliary vector entry (AT_ENTRY, ...), from /proc/PID/auxv.
Result<u64> read_auxv(int pid, u64 type);
// The threads there are now; none when the process is gone.
std::vector<int> threads_of(int pid);
// The value of a line of /proc/PID/status ("TracerPid", "Seccomp_filters"); works with thread ids
// too.
std::optional<std::string> find_status_line(int pid, const std::string& name);
// The same as a number.
std::optional<i64> find_status_number(int pid, const std::string& name);
// R, S, D, T, t, Z, X; nothing when the thread is gone.
std::optional<char> find_thread_state(int pid, int tid);
// The processes whose parent this one is, those that have ended and were not waited for too.
std::vector<int> children_of(int pid);
// How a process that was not waited for has ended; nothing of any other.
struct EndedProcess {
  int exit_signal = 0;  // that its parent got
  int wait_status = 0;
};
std::optional<EndedProcess> find_ended(int pid);
// Where a thread that sleeps in the kernel will go on in user mode, from
// /proc/PID/task/TID/syscall.
struct SleepingAt {
  TargetAddr pc, sp;
};
std::optional<SleepingAt> find_sleeping_at(int pid, int tid);

}  // namespace geist::process
