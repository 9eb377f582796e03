// See process_copy.h.
#include "target/process_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "target/inject.h"
#include "target/process_info.h"

namespace geist::target {
namespace {

using Clock = std::chrono::steady_clock;
constexpr u64 kPageBytes = 4096;
// A page that is copied costs as much as the page tables of some dozen: what is written more is
// not worth parts.
constexpr u64 kMaxWrittenShare = 32;
// Between two pauses the process runs this many times as long as it stood still.
constexpr double kRunsPerPause = 2;

void wait_for_stop_or_end(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
  }
}

// On a busy machine most of a pause would be our waiting for a processor while the process stands
// still. Without the right to it, it stays as it was.
class Haste {
 public:
  Haste() : before_(::getpriority(PRIO_PROCESS, 0)) { ::setpriority(PRIO_PROCESS, 0, -20); }
  ~Haste() { ::setpriority(PRIO_PROCESS, 0, before_); }
  Haste(const Haste&) = delete;
  Haste& operator=(const Haste&) = delete;

 private:
  int before_;
};

// One pause, and the calls that are made in the name of the process meanwhile.
class Stop {
 public:
  static Result<Stop> begin(int pid, TargetAddr syscall_at) {
    Clock::time_point start = Clock::now();
    GEIST_TRY(frozen, FrozenProcess::freeze(pid));
    return Stop(std::move(frozen), syscall_at, start);
  }
  // Lets the process go on, and says for how many milliseconds it did not.
  double end() {
    frozen_.thaw();
    return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
  }

  const std::vector<FrozenThread>& threads() const { return frozen_.threads(); }

  Result<InjectedCall> call(long number, const std::array<u64, 6>& args) {
    GEIST_TRY(call, inject_syscall(tid(), syscall_at_, number, args));
    for (int signal : call.signals) frozen_.deliver(tid(), signal);
    return call;
  }

  Status advise(const AddressRange& range, int advice) {
    GEIST_TRY(done, call(SYS_madvise,
                         {range.begin.value, range.size_bytes, static_cast<u64>(advice), 0, 0, 0}));
    if (done.result == 0) return Done{};
    return Error(fmt::format("madvise: {}", std::strerror(static_cast<int>(-done.result))),
                 ErrorKind::kSystem);
  }

  // A copy of the process, stopped before its first instruction.
  Result<int> make_child() {
    u64 mask = 0;
    const u64 kAll = ~u64{0};
    bool is_ready =
        ptrace(PTRACE_GETSIGMASK, tid(), sizeof mask, &mask) == 0 &&
        ptrace(PTRACE_SETSIGMASK, tid(), sizeof kAll, &kAll) == 0 &&
        ptrace(PTRACE_SETOPTIONS, tid(), 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK) == 0;
    if (!is_ready)
      return Error(fmt::format("ptrace: {}", std::strerror(errno)), ErrorKind::kSystem);
    auto made = call(SYS_clone, {CLONE_FILES | CLONE_FS | CLONE_IO, 0, 0, 0, 0, 0});
    ptrace(PTRACE_SETOPTIONS, tid(), 0, 0);
    ptrace(PTRACE_SETSIGMASK, tid(), sizeof mask, &mask);
    if (!made.ok()) return made.take_error();
    if (made->child != 0) return made->child;
    return Error(fmt::format("the kernel refuses a copy of the process: {}",
                             std::strerror(static_cast<int>(-made->result))),
                 ErrorKind::kSystem);
  }

  // The same, without the large mappings, but for `part` where there is one.
  Result<int> make_child_without(const std::vector<AddressRange>& large, const AddressRange* part) {
    Status hidden = Done{};
    for (const AddressRange& range : large) {
      if (hidden.ok()) hidden = advise(range, MADV_DONTFORK);
    }
    if (hidden.ok() && part != nullptr) hidden = advise(*part, MADV_DOFORK);
    Result<int> child = hidden.ok() ? make_child() : Result<int>(hidden.take_error());
    // Where something is not mapped any more, both fail, and what is left is done all the same.
    for (const AddressRange& range : large) (void)advise(range, MADV_DOFORK);
    return child;
  }

 private:
  Stop(FrozenProcess frozen, TargetAddr syscall_at, Clock::time_point start)
      : frozen_(std::move(frozen)), syscall_at_(syscall_at), start_(start) {}
  int tid() const { return frozen_.threads().front().tid; }

  FrozenProcess frozen_;
  TargetAddr syscall_at_;
  Clock::time_point start_;
};

// A userfaultfd of the process, which it has no descriptor of.
Result<Fd> take_userfaultfd(Stop& stop, int pid) {
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  GEIST_TRY(made, stop.call(SYS_userfaultfd, {O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0, 0, 0, 0}));
  if (!process.valid() || made.result < 0)
    return Error("there is no userfaultfd to be had", ErrorKind::kSystem);
  Fd ours(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), made.result, 0)));
  GEIST_TRY(closed, stop.call(SYS_close, {static_cast<u64>(made.result), 0, 0, 0, 0, 0}));
  if (!ours.valid() || closed.result != 0)
    return Error("the userfaultfd cannot be taken over", ErrorKind::kSystem);
  return ours;
}

// Mappings worth copying in parts: anonymous, of the process alone, and with nothing special about
// them that a copy would not have or that we would undo (proc_pid_smaps(5), VmFlags).
std::vector<MapUsage> find_large_mappings(int pid, u64 least_bytes) {
  std::vector<MapUsage> usages = read_map_usage(pid);
  std::erase_if(usages, [&](const MapUsage& usage) {
    bool is_plain = usage.entry.permissions == "rw-p" && usage.entry.path.empty();
    for (const char* flag : {"dc", "wf", "ht", "io", "pf", "lo", "um", "uw", "gd"}) {
      is_plain = is_plain && !usage.has_flag(flag);
    }
    return !is_plain || usage.resident_bytes < least_bytes;
  });
  return usages;
}

std::vector<AddressRange> split(const std::vector<MapUsage>& large, const CopyLimits& limits) {
  u64 resident = 0;
  for (const MapUsage& usage : large) resident += usage.resident_bytes;
  u64 part_bytes = std::max(limits.part_bytes, resident / std::max<u64>(limits.max_parts, 1));
  std::vector<AddressRange> parts;
  for (const MapUsage& usage : large) {
    u64 size = usage.entry.end - usage.entry.begin;
    u64 count = std::max<u64>((usage.resident_bytes + part_bytes / 2) / part_bytes, 1);
    u64 step = (size / count + kPageBytes - 1) / kPageBytes * kPageBytes;
    for (u64 at = usage.entry.begin; at < usage.entry.end; at += step) {
      parts.push_back({TargetAddr(at), std::min(step, usage.entry.end - at)});
    }
  }
  return parts;
}

u64 count_written(const std::vector<WrittenPages::Change>& changes) {
  u64 bytes = 0;
  for (const WrittenPages::Change& change : changes) {
    if (!change.is_gone) bytes += change.range.size_bytes;
  }
  return bytes;
}

// The written pages one behind the other, in few calls.
bool read_written(int pid, const std::vector<WrittenPages::Change>& changes, std::span<u8> out) {
  constexpr usize kMostRanges = 1024;  // IOV_MAX
  std::vector<iovec> remote;
  u64 wanted = 0;
  auto read = [&] {
    iovec local{out.data(), wanted};
    ssize_t got =
        wanted == 0 ? 0 : ::process_vm_readv(pid, &local, 1, remote.data(), remote.size(), 0);
    if (got != static_cast<ssize_t>(wanted)) return false;
    out = out.subspan(wanted);
    remote.clear();
    wanted = 0;
    return true;
  };
  for (const WrittenPages::Change& change : changes) {
    if (change.is_gone) continue;
    remote.push_back({reinterpret_cast<void*>(change.range.begin.value), change.range.size_bytes});
    wanted += change.range.size_bytes;
    if (remote.size() == kMostRanges && !read()) return false;
  }
  return read();
}

Error writes_too_much() {
  return Error("the process writes too much to be copied in parts", ErrorKind::kSystem);
}

}  // namespace

void Pauses::add(double ms) {
  longest_ms = std::max(longest_ms, ms);
  total_ms += ms;
  ++count;
}

Result<ProcessCopy> ProcessCopy::make(int pid, TargetAddr syscall_at, const CopyLimits& limits) {
  Haste haste;
  ProcessCopy copy(pid, syscall_at);
  if (copy.take_in_parts(limits).ok()) return copy;
  // A process of some megabytes, a kernel that cannot do it, or one that writes too much.
  copy.kill_children();
  GEIST_TRY_STATUS(copy.take_whole());
  return copy;
}

Status ProcessCopy::take_whole() {
  GEIST_TRY(stop, Stop::begin(pid_, syscall_at_));
  GEIST_TRY(child, stop.make_child());
  children_.push_back(child);
  threads_ = stop.threads();
  pauses_.add(stop.end());
  wait_for_stop_or_end(child);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL);
  memory_ = std::make_unique<PartedMemory>(std::make_unique<ProcessMemory>(child));
  parts_.clear();
  return Done{};
}

Status ProcessCopy::take_in_parts(const CopyLimits& limits) {
  std::vector<MapUsage> usages = find_large_mappings(pid_, limits.part_bytes);
  std::vector<AddressRange> large;
  u64 resident = 0;
  for (const MapUsage& usage : usages) {
    large.push_back({TargetAddr(usage.entry.begin), usage.entry.end - usage.entry.begin});
    resident += usage.resident_bytes;
  }
  if (resident < 2 * limits.part_bytes) return Error("not worth it", ErrorKind::kSystem);
  GEIST_TRY(stop, Stop::begin(pid_, syscall_at_));
  Result<Fd> uffd = take_userfaultfd(stop, pid_);
  pauses_.add(stop.end());
  if (!uffd.ok()) return uffd.take_error();
  GEIST_TRY(written, WrittenPages::watch(pid_, std::move(uffd).value(), large));
  u64 written_bytes = 0;
  for (const AddressRange& part : split(usages, limits)) {
    double before = pauses_.total_ms;
    GEIST_TRY_STATUS(take_part(large, part));
    double rest_ms = (pauses_.total_ms - before) * kRunsPerPause;
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(rest_ms));
    GEIST_TRY(changes, written.changes());
    written_bytes = count_written(changes);
    if (written_bytes > resident / kMaxWrittenShare) return writes_too_much();
  }
  // With room for more of them until the process stands still; touched now, not then.
  written_bytes_.assign(2 * written_bytes + 256 * kPageBytes, 1);
  return take_rest(large, written);
}

Status ProcessCopy::take_part(const std::vector<AddressRange>& large, const AddressRange& part) {
  GEIST_TRY(stop, Stop::begin(pid_, syscall_at_));
  Result<int> child = stop.make_child_without(large, &part);
  pauses_.add(stop.end());
  if (!child.ok()) return child.take_error();
  children_.push_back(child.value());
  parts_.push_back(part);
  wait_for_stop_or_end(child.value());
  ptrace(PTRACE_SETOPTIONS, child.value(), 0, PTRACE_O_EXITKILL);
  return Done{};
}

// From here on all is of one moment.
Status ProcessCopy::take_rest(const std::vector<AddressRange>& large, const WrittenPages& written) {
  GEIST_TRY(stop, Stop::begin(pid_, syscall_at_));
  auto changes = written.changes();
  bool is_read = changes.ok() && count_written(changes.value()) <= written_bytes_.size() &&
                 read_written(pid_, changes.value(), written_bytes_);
  Result<int> child =
      is_read ? stop.make_child_without(large, nullptr) : Result<int>(writes_too_much());
  threads_ = stop.threads();
  pauses_.add(stop.end());
  if (!child.ok()) return child.take_error();
  children_.push_back(child.value());
  wait_for_stop_or_end(child.value());
  ptrace(PTRACE_SETOPTIONS, child.value(), 0, PTRACE_O_EXITKILL);

  memory_ = std::make_unique<PartedMemory>(std::make_unique<ProcessMemory>(child.value()));
  for (usize i = 0; i < parts_.size(); ++i) {
    memory_->add_part(parts_[i].begin, parts_[i].end(),
                      std::make_unique<ProcessMemory>(children_[i]));
  }
  const u8* bytes = written_bytes_.data();
  for (const WrittenPages::Change& change : changes.value()) {
    memory_->add_patch(change.range.begin, change.range.size_bytes,
                       change.is_gone ? nullptr : bytes);
    if (!change.is_gone) bytes += change.range.size_bytes;
  }
  return Done{};
}

ProcessCopy::ProcessCopy(ProcessCopy&& other) noexcept
    : pid_(other.pid_),
      syscall_at_(other.syscall_at_),
      children_(std::exchange(other.children_, {})),
      parts_(std::move(other.parts_)),
      written_bytes_(std::move(other.written_bytes_)),
      memory_(std::move(other.memory_)),
      threads_(std::move(other.threads_)),
      pauses_(other.pauses_) {}

void ProcessCopy::kill_children() {
  for (int child : children_) ::kill(child, SIGKILL);
}

ProcessCopy::~ProcessCopy() {
  if (children_.empty()) return;
  kill_children();
  for (int child : children_) wait_for_stop_or_end(child);
  // What is left are entries in the table of processes; their parent takes them away. Without
  // permission by now, or with the process gone, nothing needs to be done.
  Haste haste;
  auto stop = Stop::begin(pid_, syscall_at_);
  for (usize i = 0; stop.ok() && i < children_.size(); ++i) {
    (void)stop->call(SYS_wait4, {static_cast<u64>(children_[i]), 0, __WALL | WNOHANG, 0, 0, 0});
  }
}

}  // namespace geist::target
