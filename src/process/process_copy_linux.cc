// See process_copy.h.
#include "process/process_copy.h"

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

#include "base/page.h"
#include "process/inject.h"
#include "process/process_info.h"

namespace geist::process {
namespace {

using Clock = std::chrono::steady_clock;
// A page that is copied costs as much as the page tables of some dozen: what is written more is
// not worth parts.
constexpr u64 kMaxWrittenShare = 32;
// Between two pauses the process runs this many times as long as it stood still.
constexpr double kRunsPerPause = 2;

// Of a child that we trace: when it is born it stops.
void wait_for_birth(int pid) {
  while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL);
}

void end_child(int pid) {
  ::kill(pid, SIGKILL);
  int status = 0;
  for (;;) {
    pid_t got = ::waitpid(pid, &status, __WALL);
    if (got == pid && (WIFEXITED(status) || WIFSIGNALED(status))) return;
    if (got < 0 && errno != EINTR) return;
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
  static Result<Stop> begin(Tracer& tracer, int pid, const WritableMemory& memory,
                            const StoppedProcess::CodeRoom& room) {
    Clock::time_point start = Clock::now();
    GEIST_TRY(frozen, freeze_outside(tracer, pid, room));
    return Stop(std::move(frozen), memory, room, start);
  }
  // Lets the process go on, and says for how many milliseconds it did not.
  double end() {
    frozen_.thaw();
    return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
  }

  const std::vector<FrozenThread>& threads() const { return frozen_.threads(); }

  Result<InjectedCalls> call(std::span<const RemoteCall> calls,
                             const std::function<void(i64)>& first = nullptr) {
    const std::optional<int> tid = frozen_.find_awake();
    if (!tid) return Error("every thread of the process sleeps in the kernel", ErrorKind::kSystem);
    GEIST_TRY(done, inject_calls(*tid, memory_, room_, calls, first));
    for (int signal : done.signals) frozen_.deliver(*tid, signal);
    return done;
  }

  // A copy of the process, stopped before its first instruction: without the mappings in `hidden`,
  // but for `part` where there is one.
  Result<int> make_child(ChildCollector& collector, const std::vector<AddressRange>& hidden = {},
                         const AddressRange* part = nullptr) {
    auto advise = [](const AddressRange& range, int advice) {
      return RemoteCall{.number = SYS_madvise,
                        .args = {range.begin.value, range.size_bytes, static_cast<u64>(advice)},
                        .arg_count = 3};
    };
    std::vector<RemoteCall> calls;
    for (const AddressRange& range : hidden) calls.push_back(advise(range, MADV_DONTFORK));
    if (part != nullptr) calls.push_back(advise(*part, MADV_DOFORK));
    const usize at = calls.size();
    calls.push_back({.number = SYS_clone, .args = {CLONE_FILES | CLONE_FS | CLONE_IO}});
    calls.back().arg_count = 5;
    for (const AddressRange& range : hidden) calls.push_back(advise(range, MADV_DOFORK));
    GEIST_TRY(done, call(calls));
    if (done.child == 0) {
      return Error(fmt::format("the kernel refuses a copy of the process: {}",
                               std::strerror(static_cast<int>(-done.results[at]))),
                   ErrorKind::kSystem);
    }
    collector.add(done.child, static_cast<int>(done.results[at]));
    // Something of them is not mapped any more. The child is not the copy that was wanted.
    done.results.erase(done.results.begin() + static_cast<i64>(at));
    bool is_whole = std::ranges::all_of(done.results, [](i64 result) { return result == 0; });
    if (is_whole) return done.child;
    end_child(done.child);
    return Error("the mappings of the process change", ErrorKind::kSystem);
  }

 private:
  Stop(FrozenProcess frozen, const WritableMemory& memory, const StoppedProcess::CodeRoom& room,
       Clock::time_point start)
      : frozen_(std::move(frozen)), memory_(memory), room_(room), start_(start) {}

  FrozenProcess frozen_;
  const WritableMemory& memory_;
  const StoppedProcess::CodeRoom& room_;
  Clock::time_point start_;
};

// Filters that we have too let us live; another one may kill who makes a call that Go does not
// make.
bool has_foreign_filters(int pid) {
  return find_status_number(pid, "Seccomp_filters").value_or(0) >
         find_status_number(::getpid(), "Seccomp_filters").value_or(0);
}

// A userfaultfd of the process, which it has no descriptor of: it closes the one it made.
Result<Fd> take_userfaultfd(Stop& stop, int pid) {
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid()) return Error("there is no pidfd to be had", ErrorKind::kSystem);
  const RemoteCall calls[] = {
      {.number = SYS_userfaultfd, .args = {O_CLOEXEC | UFFD_USER_MODE_ONLY}, .arg_count = 1},
      {.number = SYS_close, .result_arg = 0, .arg_count = 1}};
  Fd ours;
  GEIST_TRY(done, stop.call(calls, [&](i64 made) {
    if (made >= 0) ours = Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), made, 0)));
  }));
  if (!ours.valid()) return Error("there is no userfaultfd to be had", ErrorKind::kSystem);
  return ours;
}

// Mappings worth copying in parts: anonymous, of the process alone, and with nothing special about
// them that a copy would not have or that we would undo (proc_pid_smaps(5), VmFlags). Neighbours
// are one; of several, the largest, for which there is room in the code that hides them.
std::vector<MapUsage> find_large_mappings(int pid, u64 least_bytes) {
  constexpr usize kMost = 2;
  std::vector<MapUsage> usages;
  for (MapUsage& usage : read_map_usage(pid)) {
    bool is_plain = usage.entry.permissions == "rw-p" && usage.entry.path.empty();
    for (const char* flag : {"dc", "wf", "ht", "io", "pf", "lo", "um", "uw", "gd"}) {
      is_plain = is_plain && !usage.has_flag(flag);
    }
    if (!is_plain) continue;
    if (!usages.empty() && usages.back().entry.end == usage.entry.begin) {
      usages.back().entry.end = usage.entry.end;
      usages.back().resident_bytes += usage.resident_bytes;
    } else {
      usages.push_back(std::move(usage));
    }
  }
  std::erase_if(usages, [&](const MapUsage& u) { return u.resident_bytes < least_bytes; });
  std::ranges::sort(usages, std::greater(), &MapUsage::resident_bytes);
  if (usages.size() > kMost) usages.resize(kMost);
  std::ranges::sort(usages, {}, [](const MapUsage& u) { return u.entry.begin; });
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

Result<ProcessCopy> ProcessCopy::make(int pid, const StoppedProcess::CodeRoom& room,
                                      const CopyLimits& limits) {
  GEIST_TRY(tracer, Tracer::start());
  std::optional<Result<ProcessCopy>> made;
  tracer->run([&] { made.emplace(make_here(*tracer, pid, room, limits)); });
  if (made->ok()) made->value().owned_tracer_ = std::move(tracer);
  return std::move(*made);
}

// On the tracer's thread.
Result<ProcessCopy> ProcessCopy::make_here(Tracer& tracer, int pid,
                                           const StoppedProcess::CodeRoom& room,
                                           const CopyLimits& limits) {
  Haste haste;
  auto process = WritableMemory::open(pid);
  if (!process.ok()) return process.take_error();
  GEIST_TRY(collector, ChildCollector::start(pid, room));
  ProcessCopy copy(tracer, pid, std::move(process).value(), room);
  copy.collector_.emplace(std::move(collector));
  if (copy.take_in_parts(limits).ok()) return copy;
  // A process of some megabytes, a kernel that cannot do it, or one that writes too much.
  copy.end_children();
  GEIST_TRY_STATUS(copy.take_whole());
  return copy;
}

Status ProcessCopy::take_whole() {
  GEIST_TRY(stop, Stop::begin(*tracer_, pid_, process_, room_));
  GEIST_TRY(child, stop.make_child(*collector_));
  children_.push_back(child);
  threads_ = stop.threads();
  pauses_.add(stop.end());
  wait_for_birth(child);
  memory_ = std::make_unique<PartedMemory>(std::make_unique<ProcessMemory>(child));
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
  if (has_foreign_filters(pid_)) return Error("a sandbox", ErrorKind::kSystem);
  GEIST_TRY(stop, Stop::begin(*tracer_, pid_, process_, room_));
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
  GEIST_TRY(stop, Stop::begin(*tracer_, pid_, process_, room_));
  Result<int> child = stop.make_child(*collector_, large, &part);
  pauses_.add(stop.end());
  if (!child.ok()) return child.take_error();
  children_.push_back(child.value());
  parts_.push_back(part);
  wait_for_birth(child.value());
  return Done{};
}

// From here on all is of one moment.
Status ProcessCopy::take_rest(const std::vector<AddressRange>& large, const WrittenPages& written) {
  GEIST_TRY(stop, Stop::begin(*tracer_, pid_, process_, room_));
  auto changes = written.changes();
  bool is_read = changes.ok() && count_written(changes.value()) <= written_bytes_.size() &&
                 read_written(pid_, changes.value(), written_bytes_);
  Result<int> child =
      is_read ? stop.make_child(*collector_, large) : Result<int>(writes_too_much());
  threads_ = stop.threads();
  pauses_.add(stop.end());
  if (!child.ok()) return child.take_error();
  children_.push_back(child.value());
  wait_for_birth(child.value());

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
    : owned_tracer_(std::move(other.owned_tracer_)),
      tracer_(other.tracer_),
      pid_(other.pid_),
      process_(std::move(other.process_)),
      room_(other.room_),
      collector_(std::exchange(other.collector_, std::nullopt)),
      children_(std::exchange(other.children_, {})),
      parts_(std::move(other.parts_)),
      written_bytes_(std::move(other.written_bytes_)),
      memory_(std::move(other.memory_)),
      threads_(std::move(other.threads_)),
      pauses_(other.pauses_) {}

void ProcessCopy::end_children() {
  for (int child : children_) ::kill(child, SIGKILL);
  for (int child : children_) end_child(child);
  children_.clear();
  parts_.clear();
}

// The collector is given up behind this.
ProcessCopy::~ProcessCopy() {
  end_children();
}

}  // namespace geist::process
