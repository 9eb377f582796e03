// Watcher: hardware breakpoints on words of a running process, through perf_event_open: who read or
// wrote a word, when, with registers and stack, and the target never stops.
//
//   word ─▶ one PERF_TYPE_BREAKPOINT event per thread
//        ─▶ the thread's ring (a dummy event's buffer) ─▶ samples by time
//
// A thread has four debug registers, so four words at a time. Threads that come later are found by
// refresh(). A word that is accessed all the time would stop the program at each: after as many
// accesses as a ring holds the kernel disarms it, and drain() arms it again. What was not seen
// meanwhile or dropped is counted: after a loss nobody may claim that something did *not* happen.
// Source: perf_event_open(2), linux/hw_breakpoint.h. A data breakpoint reports after
// the access: the sampled IP is that of the next instruction.
#pragma once

#include <sys/types.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/fd.h"

namespace geist::process {

inline constexpr usize kWatchedWords = 4;

struct WatchSample {
  u64 time = 0;     // CLOCK_MONOTONIC, ns
  TargetAddr word;  // the watched address
  TargetAddr ip;    // behind the access; a kernel address when in_kernel
  bool in_kernel = false;
  int tid = 0;
  std::array<u64, 16> regs{};  // hardware numbering, user mode
  TargetAddr user_ip;
  std::vector<u8> stack;  // from regs[rsp] up
};

// What one sample takes of the program's time, and how much longer for each watched byte in its
// copy of the stack: the copy trips over the breakpoint.
struct SampleCost {
  double sample_s = 0, stack_byte_s = 0;
};

class Watcher {
 public:
  // Without a cost it is measured, once a process, when the first sample comes.
  explicit Watcher(int pid, std::optional<SampleCost> cost = std::nullopt)
      : pid_(pid), cost_(cost) {}

  // Makes the per-thread buffers ready; false when perf is not allowed here, with the reason in
  // why_not().
  bool start();
  const std::string& why_not() const { return why_not_; }
  bool available() const { return available_; }

  // Watches `size` bytes (1, 2, 4 or 8, aligned to the size) at `word` in every thread. False when
  // four places are watched already or the kernel refuses. A place added twice is watched once,
  // until it was removed as often. The kernel's own accesses are left out for words on a stack:
  // sampling itself reads the stack and would see itself.
  bool add(TargetAddr word, u32 size, bool on_stack);
  void remove(TargetAddr word);
  usize free_words() const { return kWatchedWords - words_.size(); }
  bool watches(TargetAddr word) const { return words_.count(word.value) != 0; }
  // Looks for new threads and lets them watch too, and forgets those that have ended: a later one
  // may have the same number. What they have seen comes with the next drain().
  void refresh();
  // Samples since the last call, in time order. Where a word was disarmed they end with its last
  // access: what they say holds, but something behind them was not seen.
  std::vector<WatchSample> drain();
  // Nothing was missing behind the samples of the last drain().
  bool saw_all() const { return unseen_ == 0; }
  // For when the samples of drain() have been used: counts what was not seen behind them as lost.
  // True when there was such a thing.
  bool note_unseen() {
    lost_samples_ += unseen_;
    return std::exchange(unseen_, 0) != 0;
  }
  // Samples so far, the dropped ones included, and how long they have kept the program.
  u64 all_samples() const { return samples_ + lost_samples_; }
  double seconds() const { return seconds_; }
  // Samples the kernel had to drop so far and times that it disarmed a word, and threads that could
  // not be watched.
  u64 lost_samples() const { return lost_samples_; }
  u64 unwatched_threads() const { return unwatched_threads_; }
  // Threads that were found while something was watched: what they did in their first moments was
  // not seen.
  u64 late_threads() const { return late_threads_; }

 private:
  struct Breakpoint {
    Fd event;
    u64 accesses = 0;  // so far, at least
    u64 granted = 0;   // it is disarmed when it has so many
  };
  struct Thread {
    Fd buffer_event;
    void* buffer = nullptr;
    std::map<u64, Breakpoint> breakpoints;  // by word
  };
  bool add_thread(int tid);
  void retire_ended();
  static bool grant(Breakpoint& breakpoint, u64 more);
  static bool renew(Breakpoint& breakpoint, bool are_all);
  u64 renew_all(int tid, Thread& thread, std::span<const WatchSample> samples);
  static bool count_accesses(Breakpoint& breakpoint);
  struct Place {
    u32 size = 8;
    bool on_stack = false;
    u32 users = 1;  // how often it was added
  };
  static SampleCost measure_cost();
  static std::optional<double> measure_sample(volatile u8* byte);
  void charge(u64 samples);
  bool arm(int tid, Thread& thread, u64 word, Place place);
  // False when there was nothing.
  bool drain_thread(Thread& thread, std::vector<WatchSample>& out);
  static void unmap(Thread& thread);

  int pid_;
  bool available_ = false;
  bool include_kernel_ = true;
  std::string why_not_;
  std::map<u64, Place> words_;  // by address
  std::map<int, Thread> threads_;
  std::vector<std::pair<int, Thread>> ended_;  // not drained yet
  std::optional<SampleCost> cost_;
  double seconds_ = 0;
  u64 samples_ = 0;
  u64 lost_samples_ = 0;
  u64 unseen_ = 0;  // times that a word was disarmed, not yet counted as lost
  u64 unwatched_threads_ = 0;
  u64 late_threads_ = 0;

 public:
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();
};

}  // namespace geist::process
