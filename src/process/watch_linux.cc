// perf_event_open for data breakpoints; see watch.h. Every record from the buffer is checked
// against its stated size.
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/page.h"
#include "process/process_info.h"
#include "process/shared_ring.h"
#include "process/watch.h"

namespace geist::process {
namespace {

constexpr u64 kBufferPages =
    64;  // a power of two: 256 KiB a thread, about 30 samples with their stacks
constexpr u32 kStackDumpBytes = 8192;
// Of one word by one thread between two looks at its buffer, which has no room for more. Each costs
// the program a trap, also when its sample finds no room: so the kernel disarms the word then.
constexpr u64 kMaxAccesses = 30;
// What a sample is charged where none of this process's own can be measured. Measured elsewhere: 12
// to 24 µs on a virtual machine, less on others.
constexpr double kUnmeasuredSampleSeconds = 20e-6;

// asm/perf_regs.h: AX BX CX DX SI DI BP SP IP are bits 0-8, R8-R15 bits 16-23.
constexpr u64 kRegisterMask = 0x1ff | (0xffull << 16);
constexpr usize kSampledRegisters = 17;
constexpr std::array<u8, 8> kLowRegisters{0, 3, 1, 2, 6, 7, 5, 4};  // perf order → hardware number

long perf_event_open(perf_event_attr* attr, int tid) {
  return ::syscall(SYS_perf_event_open, attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

// All events of one buffer have the same clock.
void use_clock(perf_event_attr& attr) {
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
}

perf_event_attr dummy_attr() {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.sample_period = 1;
  attr.exclude_kernel = 1;
  attr.exclude_hv = 1;
  use_clock(attr);
  return attr;
}

perf_event_attr breakpoint_attr(u64 word, u32 size, bool include_kernel) {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_BREAKPOINT;
  attr.bp_type = HW_BREAKPOINT_RW;
  attr.bp_addr = word;
  attr.bp_len = size;  // HW_BREAKPOINT_LEN_n is n
  attr.sample_period = 1;
  attr.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR |
                     PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
  attr.sample_regs_user = kRegisterMask;
  attr.sample_stack_user = kStackDumpBytes;
  attr.disabled = 1;  // until it was granted accesses
  attr.exclude_kernel = include_kernel ? 0 : 1;
  attr.exclude_hv = 1;
  use_clock(attr);
  return attr;
}

// One PERF_RECORD_SAMPLE body in the order of the sample_type bits; nothing when it is shorter than
// it says.
std::optional<WatchSample> parse_sample(ByteView body, u16 misc) {
  ByteReader in(body);
  WatchSample sample;
  sample.ip = TargetAddr(in.read_u64());
  in.read_u32();  // pid
  sample.tid = in.read_i32();
  sample.time = in.read_u64();
  sample.word = TargetAddr(in.read_u64());
  sample.in_kernel = (misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
  u64 abi = in.read_u64();
  if (abi != PERF_SAMPLE_REGS_ABI_NONE) {
    std::array<u64, kSampledRegisters> raw{};
    for (u64& r : raw) r = in.read_u64();
    for (usize i = 0; i < kLowRegisters.size(); ++i) sample.regs[kLowRegisters[i]] = raw[i];
    sample.user_ip = TargetAddr(raw[8]);
    for (usize i = 0; i < 8; ++i) sample.regs[8 + i] = raw[9 + i];
  }
  u64 size = in.read_u64();
  if (size != 0) {
    if (size > in.remaining()) return std::nullopt;
    ByteView stack = in.read_bytes(size);
    u64 used = std::min(in.read_u64(), size);
    sample.stack.assign(stack.begin(), stack.begin() + static_cast<i64>(used));
  }
  if (in.failed()) return std::nullopt;
  return sample;
}

}  // namespace

Watcher::~Watcher() {
  for (auto& [tid, thread] : threads_) unmap(thread);
  for (auto& [tid, thread] : ended_) unmap(thread);
}

void Watcher::unmap(Thread& thread) {
  thread.breakpoints.clear();
  if (thread.buffer != nullptr) ::munmap(thread.buffer, (kBufferPages + 1) * kPageBytes);
  thread.buffer = nullptr;
}

bool Watcher::start() {
  refresh();
  if (threads_.empty()) {
    if (why_not_.empty()) why_not_ = "no thread of the program can be watched";
    return false;
  }
  // The address of a word of ours: only whether the kernel would let us is asked here.
  alignas(8) static u64 probe_word = 0;
  for (bool include_kernel : {true, false}) {
    perf_event_attr attr = breakpoint_attr(reinterpret_cast<u64>(&probe_word), 8, include_kernel);
    Fd fd(static_cast<int>(perf_event_open(&attr, 0)));
    include_kernel_ = include_kernel;
    if (fd.valid()) {
      available_ = true;
      return true;
    }
    why_not_ = fmt::format("perf_event_open: {}", std::strerror(errno));
  }
  return false;
}

bool Watcher::add_thread(int tid) {
  perf_event_attr attr = dummy_attr();
  Thread thread;
  thread.buffer_event = Fd(static_cast<int>(perf_event_open(&attr, tid)));
  if (!thread.buffer_event.valid()) {
    if (errno != ESRCH) why_not_ = fmt::format("perf_event_open: {}", std::strerror(errno));
    return errno == ESRCH;
  }
  void* buffer = ::mmap(nullptr, (kBufferPages + 1) * kPageBytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED, thread.buffer_event.get(), 0);
  if (buffer == MAP_FAILED) {
    why_not_ = fmt::format("perf buffer: {} (kernel.perf_event_mlock_kb)", std::strerror(errno));
    return false;
  }
  thread.buffer = buffer;
  bool armed = true;
  for (const auto& [word, place] : words_) armed &= arm(tid, thread, word, place);
  threads_.emplace(tid, std::move(thread));
  return armed;
}

bool Watcher::arm(int tid, Thread& thread, u64 word, Place place) {
  perf_event_attr attr = breakpoint_attr(word, place.size, include_kernel_ && !place.on_stack);
  Fd fd(static_cast<int>(perf_event_open(&attr, tid)));
  if (!fd.valid()) return errno == ESRCH;  // a thread that ended does nothing any more
  if (::ioctl(fd.get(), PERF_EVENT_IOC_SET_OUTPUT, thread.buffer_event.get()) != 0) return false;
  Breakpoint& breakpoint =
      thread.breakpoints.insert_or_assign(word, Breakpoint{std::move(fd)}).first->second;
  return grant(breakpoint, kMaxAccesses);
}

// Lets the word be accessed so many times more before the kernel disarms it. perf_event_open(2),
// PERF_EVENT_IOC_REFRESH.
bool Watcher::grant(Breakpoint& breakpoint, u64 more) {
  breakpoint.granted += more;
  return ::ioctl(breakpoint.event.get(), PERF_EVENT_IOC_REFRESH, more) == 0;
}

// Lets a word be accessed kMaxAccesses times from now on. False when the kernel disarmed it, or may
// have before it was told of more: what has been disarmed once is not armed again by that, linux
// 6.18 leaves it stopped. To read the kernel's count interrupts the program where it runs, so it is
// not asked while the samples, when `are_all` can have been read, say that much is left.
bool Watcher::renew(Breakpoint& breakpoint, bool are_all) {
  if (are_all && breakpoint.accesses + kMaxAccesses / 2 < breakpoint.granted) return true;
  const u64 granted = breakpoint.granted;
  return count_accesses(breakpoint) && breakpoint.accesses < granted &&
         grant(breakpoint, breakpoint.accesses + kMaxAccesses - granted) &&
         count_accesses(breakpoint) && breakpoint.accesses < granted;
}

// Takes the kernel's own count, which has the accesses whose samples are not read yet or found no
// room.
bool Watcher::count_accesses(Breakpoint& breakpoint) {
  return ::read(breakpoint.event.get(), &breakpoint.accesses, sizeof breakpoint.accesses) ==
         sizeof breakpoint.accesses;
}

// Arms again what was disarmed in this thread. Whether there were more accesses since nobody knows:
// gives the time up to which all were seen. `samples` are this thread's since the last time.
u64 Watcher::renew_all(int tid, Thread& thread, std::span<const WatchSample> samples) {
  u64 complete_until = ~u64{0};
  const bool had_room = samples.size() < kMaxAccesses / 2;
  for (const auto& [word, place] : words_) {
    auto found = thread.breakpoints.find(word);
    if (found == thread.breakpoints.end()) continue;
    u64 last = samples.empty() ? 0 : samples.back().time;
    for (const WatchSample& sample : samples) {
      if (sample.word.value != word) continue;
      last = sample.time;
      ++found->second.accesses;
    }
    if (renew(found->second, had_room)) continue;
    complete_until = std::min(complete_until, last);
    thread.breakpoints.erase(found);
    if (!arm(tid, thread, word, place)) ++unwatched_threads_;
  }
  return complete_until;
}

// An event whose thread has ended hangs up (kernel/events/core.c, perf_poll). The number of the
// thread tells nothing: the next one may have it already.
void Watcher::retire_ended() {
  std::vector<pollfd> events;
  for (const auto& [tid, thread] : threads_) events.push_back({thread.buffer_event.get(), 0, 0});
  if (::poll(events.data(), events.size(), 0) <= 0) return;
  auto event = events.begin();
  for (auto thread = threads_.begin(); thread != threads_.end(); ++event) {
    const bool has_ended = (event->revents & POLLHUP) != 0;
    if (has_ended) ended_.emplace_back(thread->first, std::move(thread->second));
    thread = has_ended ? threads_.erase(thread) : std::next(thread);
  }
}

void Watcher::refresh() {
  retire_ended();
  for (int tid : threads_of(pid_)) {
    if (threads_.count(tid) != 0) continue;
    if (!words_.empty()) ++late_threads_;
    if (!add_thread(tid)) ++unwatched_threads_;
  }
}

bool Watcher::add(TargetAddr word, u32 size, bool on_stack) {
  if (!available_) return false;
  if (auto known = words_.find(word.value); known != words_.end()) {
    if (known->second.size != size) return false;
    ++known->second.users;
    return true;
  }
  if (words_.size() >= kWatchedWords) return false;
  refresh();
  const Place place{size, on_stack, 1};
  words_.emplace(word.value, place);
  bool all = true;
  for (auto& [tid, thread] : threads_) all &= arm(tid, thread, word.value, place);
  if (!all) remove(word);
  return all;
}

void Watcher::remove(TargetAddr word) {
  auto known = words_.find(word.value);
  if (known == words_.end() || --known->second.users != 0) return;
  words_.erase(known);
  for (auto& [tid, thread] : threads_) thread.breakpoints.erase(word.value);
  for (auto& [tid, thread] : ended_) thread.breakpoints.erase(word.value);
}

bool Watcher::drain_thread(Thread& thread, std::vector<WatchSample>& out) {
  auto* page = static_cast<perf_event_mmap_page*>(thread.buffer);
  const u8* data = static_cast<const u8*>(thread.buffer) + kPageBytes;
  constexpr u64 kDataBytes = kBufferPages * kPageBytes;
  u64 head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
  u64 tail = page->data_tail;
  if (head == tail) return false;
  std::vector<u8> record;
  while (head - tail >= sizeof(perf_event_header) && head - tail <= kDataBytes) {
    perf_event_header header;
    for (usize i = 0; i < sizeof header; ++i)
      reinterpret_cast<u8*>(&header)[i] = data[(tail + i) % kDataBytes];
    if (header.size < sizeof header || header.size > head - tail) break;
    record.resize(header.size - sizeof header);
    u64 from = (tail + sizeof header) % kDataBytes;
    usize first = std::min<usize>(record.size(), kDataBytes - from);
    std::memcpy(record.data(), data + from, first);
    std::memcpy(record.data() + first, data, record.size() - first);
    if (header.type == PERF_RECORD_SAMPLE) {
      std::optional<WatchSample> sample = parse_sample(record, header.misc);
      if (sample)
        out.push_back(std::move(*sample));
      else
        ++lost_samples_;
    } else if (header.type == PERF_RECORD_THROTTLE) {
      ++lost_samples_;
    } else if (header.type == PERF_RECORD_LOST) {
      lost_samples_ += find_int<u64>(record, 8).value_or(1);
    }
    tail += header.size;
  }
  __atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
  return true;
}

std::vector<WatchSample> Watcher::drain() {
  std::vector<WatchSample> samples;
  u64 complete_until = ~u64{0};
  auto take = [&](int tid, Thread& thread) {
    const usize before = samples.size();
    if (!drain_thread(thread, samples)) return;
    const std::span<const WatchSample> own = std::span(samples).subspan(before);
    complete_until = std::min(complete_until, renew_all(tid, thread, own));
  };
  for (auto& [tid, thread] : threads_) take(tid, thread);
  for (auto& [tid, thread] : ended_) {
    take(tid, thread);
    unmap(thread);
  }
  ended_.clear();
  samples_ += samples.size();
  charge(samples.size());
  std::stable_sort(samples.begin(), samples.end(),
                   [](const WatchSample& a, const WatchSample& b) { return a.time < b.time; });
  if (complete_until == ~u64{0}) return samples;
  ++unseen_;
  std::erase_if(samples, [&](const WatchSample& sample) { return sample.time > complete_until; });
  return samples;
}

void Watcher::charge(u64 samples) {
  if (samples == 0) return;
  u32 stack_bytes = 0;
  for (const auto& [word, place] : words_) stack_bytes += place.on_stack ? place.size : 0;
  if (!cost_) {
    static const SampleCost measured = measure_cost();  // once for all watchers
    cost_ = measured;
  }
  seconds_ += static_cast<double>(samples) * (cost_->sample_s + stack_bytes * cost_->stack_byte_s);
}

// What an access to this byte, which nobody else watches, takes of this thread's time: the quickest
// of some, for others may have lost the processor in between. Nothing when it cannot be watched.
std::optional<double> Watcher::measure_sample(volatile u8* byte) {
  constexpr u32 kAccesses = 6;
  static_assert(kAccesses < kMaxAccesses);
  Watcher self(::gettid());
  if (!self.add_thread(0) || self.threads_.empty()) return std::nullopt;
  if (!self.arm(0, self.threads_.at(0), reinterpret_cast<u64>(byte), {1, true, 1})) {
    return std::nullopt;
  }
  u64 least = ~u64{0};
  for (u32 i = 0; i < kAccesses; ++i) {
    const u64 begin = read_tsc();
    *byte = static_cast<u8>(i);
    least = std::min(least, read_tsc() - begin);
  }
  return static_cast<double>(least) / static_cast<double>(measure_tsc_hz());
}

// An access traps into the kernel, which copies registers and stack. How long that takes depends on
// the machine most of all: a virtual one may take ten times as long. Both are measured by turns,
// for a machine may be slow for longer than one of them takes. Where the two cannot be told apart,
// a watched byte on the stack is charged as the trap that it is: as much as a sample.
SampleCost Watcher::measure_cost() {
  constexpr u32 kTurns = 6;
  static volatile u8 elsewhere = 0;
  volatile u8 on_stack = 0;
  constexpr double kNone = std::numeric_limits<double>::infinity();
  double least = kNone, least_on_stack = kNone;
  for (u32 i = 0; i < kTurns; ++i) {
    least = std::min(least, measure_sample(&elsewhere).value_or(kNone));
    least_on_stack = std::min(least_on_stack, measure_sample(&on_stack).value_or(kNone));
  }
  if (least == kNone) least = kUnmeasuredSampleSeconds;
  if (least_on_stack == kNone) least_on_stack = least;
  const double more = least_on_stack - least;
  return {.sample_s = least, .stack_byte_s = more > 0 ? more : least};
}

}  // namespace geist::process
