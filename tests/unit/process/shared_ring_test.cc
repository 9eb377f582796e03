// The tool's side of the ring against a program that writes what it likes into it: what an event
// says twice must agree, and nothing that the tool does takes longer because the program goes on
// writing.
#include "process/shared_ring.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <future>
#include <optional>

#include "base/check.h"
#include "read/go/layout.h"

namespace geist::process {
namespace {

constexpr u32 kSites = 3;

// An append of two elements of 8 bytes to a slice of one, with a stack of 64 bytes.
abi::Event sound_event() {
  abi::Event e{};
  e.detector = abi::kAppend;
  e.facts_size = sizeof(abi::AppendFacts);
  e.site = 1;
  e.append.old_ptr = 0xc000010000;
  e.append.new_len = 3;
  e.append.cap = 4;
  e.append.num = 2;
  e.append.elem_size = 8;
  e.append.dest = e.append.old_ptr + 8;
  e.append.dest_size = 16;
  e.old_size = 16;
  e.stack_lo = 0xc000020000;
  e.stack_hi = 0xc000021000;
  e.regs[4] = e.stack_hi - 64;
  e.stack_size = 64;
  return e;
}

class Ring : public testing::Test {
 protected:
  Ring() {
    Fd file(static_cast<int>(::memfd_create("ring", MFD_CLOEXEC)));
    GEIST_CHECK(file.valid() && ::ftruncate(file.get(), abi::kRingBytes) == 0);
    bytes_ = static_cast<u8*>(
        ::mmap(nullptr, abi::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    GEIST_CHECK(bytes_ != MAP_FAILED);
    ring.emplace(
        std::move(SharedRing::create(std::move(file), *read::find_layout(26), {}, {})).value());
  }
  ~Ring() override { ::munmap(bytes_, abi::kRingBytes); }

  abi::Slot& slot(u64 ticket) {
    return reinterpret_cast<abi::Slot*>(bytes_ + abi::kControlBytes)[ticket % abi::kSlots];
  }
  void publish(u64 ticket, const abi::Event& event) {
    slot(ticket).event = event;
    __atomic_store_n(&slot(ticket).sequence, ticket + 1, __ATOMIC_RELEASE);
  }
  // Is it taken? A damaged one is counted.
  bool takes(const abi::Event& event) {
    publish(next_++, event);
    const u64 damaged = ring->lost_damaged();
    std::optional<RawEvent> raw = ring->take(kSites);
    if (raw) ring->release(*raw);
    EXPECT_EQ(ring->lost_damaged(), damaged + (raw ? 0 : 1));
    return raw.has_value();
  }

  std::optional<SharedRing> ring;

 private:
  u8* bytes_ = nullptr;
  u64 next_ = 0;
};

TEST_F(Ring, ASoundEventIsTaken) {
  EXPECT_TRUE(takes(sound_event()));
}

// Each of these says of one thing what another field says otherwise.
TEST_F(Ring, AnEventWhoseFieldsDisagreeIsDamaged) {
  using Change = void (*)(abi::Event&);
  constexpr std::pair<const char*, Change> kChanges[] = {
      {"kind", [](abi::Event& e) { e.detector = 77; }},
      {"no detector", [](abi::Event& e) { e.detector = abi::kNoDetector; }},
      {"facts of another size", [](abi::Event& e) { e.facts_size -= 8; }},
      {"site", [](abi::Event& e) { e.site = kSites; }},
      {"dest", [](abi::Event& e) { e.append.dest += 1; }},
      {"dest_size", [](abi::Event& e) { e.append.dest_size = 15; }},
      {"old bytes of less than the destination", [](abi::Event& e) { e.old_size = 15; }},
      {"old bytes of more than the destination", [](abi::Event& e) { e.old_size = 17; }},
      {"256 old bytes of one",
       [](abi::Event& e) {
         e.append.elem_size = e.append.num = e.append.dest_size = 1;
         e.append.dest = e.append.old_ptr + 2;
         e.old_size = 256;
       }},
      {"nothing added", [](abi::Event& e) { e.append.num = e.append.dest_size = e.old_size = 0; }},
      {"more added than there is", [](abi::Event& e) { e.append.num = 4; }},
      {"longer than its capacity", [](abi::Event& e) { e.append.cap = 2; }},
      {"no operand", [](abi::Event& e) { e.append.old_ptr = 0, e.append.dest = 8; }},
      {"an operand of the kernel's",
       [](abi::Event& e) {
         e.append.old_ptr = ~u64{0} << 47, e.append.dest = e.append.old_ptr + 8;
       }},
      {"an array that ends beyond all addresses",
       [](abi::Event& e) { e.append.cap = u64{1} << 46; }},
      {"a capacity whose bytes overflow",
       [](abi::Event& e) {
         e.append.elem_size = u64{1} << 30;
         e.append.cap = u64{1} << 40;
         e.append.dest = e.append.old_ptr + e.append.elem_size;
         e.append.dest_size = 2 * e.append.elem_size;
         e.old_size = 256;
       }},
      {"more stack than there is", [](abi::Event& e) { e.stack_size = 72; }},
      {"a stack of another goroutine", [](abi::Event& e) { e.regs[4] = e.stack_lo - 8; }},
      {"more stack than there is room for", [](abi::Event& e) { e.stack_size = ~u32{0}; }},
  };
  for (const auto& [what, change] : kChanges) {
    abi::Event event = sound_event();
    change(event);
    EXPECT_FALSE(takes(event)) << what;
  }
}

TEST_F(Ring, AnAppendOutsideOfAGoStackHasNone) {
  abi::Event event = sound_event();
  event.stack_size = 0;
  event.stack_lo = event.stack_hi = 0;
  EXPECT_TRUE(takes(event));
}

// Publishes again what the tool has let go of, as fast as if the program had a processor of its
// own, however busy the machine is: a timer interrupts the thread that takes, every few events.
// With `damage` nothing of it holds together.
class BusyWriter {
 public:
  BusyWriter(const std::function<abi::Slot&(u64)>& slot, bool damage) {
    for (u64 i = 0; i < abi::kSlots; ++i) {
      slot(i).event = sound_event();
      if (damage) slot(i).event.detector = 77;
      __atomic_store_n(&slot(i).sequence, i + 1, __ATOMIC_RELEASE);
      sequences_[i] = &slot(i).sequence;
    }
    struct sigaction action {};
    action.sa_handler = publish_again;
    action.sa_flags = SA_RESTART;
    GEIST_CHECK(::sigaction(SIGALRM, &action, nullptr) == 0);
  }
  // Interrupts the calling thread, a few times on its way through the ring: more often, and on a busy
  // machine it would come to nothing else.
  void begin() {
    constexpr long kEveryNs = 100000;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event._sigev_un._tid = ::gettid();
    const itimerspec times{{0, kEveryNs}, {0, kEveryNs}};
    GEIST_CHECK(::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0 &&
                ::timer_settime(timer_, 0, &times, nullptr) == 0);
    is_begun_ = true;
  }
  void end() {
    if (is_begun_.exchange(false)) ::timer_delete(timer_);
  }
  ~BusyWriter() {
    end();
    ::signal(SIGALRM, SIG_IGN);
  }

 private:
  static void publish_again(int) {
    for (u64 i = 0; i < abi::kSlots; ++i) {
      const u64 now = __atomic_load_n(sequences_[i], __ATOMIC_ACQUIRE);
      if (now % abi::kSlots == i) __atomic_store_n(sequences_[i], now + 1, __ATOMIC_RELEASE);
    }
  }
  static inline std::array<decltype(abi::Slot::sequence)*, abi::kSlots> sequences_{};
  timer_t timer_{};
  std::atomic<bool> is_begun_ = false;
};

// Does it come back, though the writer goes on? Nothing could end it otherwise, but the writer.
template <typename Work>
bool comes_back(BusyWriter& writer, Work work) {
  std::future<void> done = std::async(std::launch::async, [&] {
    writer.begin();
    work();
    writer.end();
  });
  const bool is_back = done.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
  writer.end();
  return is_back;
}

TEST_F(Ring, AProgramThatPublishesDamagedEventsForEverIsNotListenedToForEver) {
  BusyWriter writer([this](u64 i) -> abi::Slot& { return slot(i); }, true);
  EXPECT_TRUE(comes_back(writer, [&] { EXPECT_FALSE(ring->take(kSites)); }));
  EXPECT_EQ(ring->lost_damaged(), u64{abi::kSlots});
}

TEST_F(Ring, TheLastLookTakesNoMoreThanARing) {
  BusyWriter writer([this](u64 i) -> abi::Slot& { return slot(i); }, false);
  u64 dropped = 0;
  EXPECT_TRUE(comes_back(writer, [&] { dropped = ring->drop_all(kSites); }));
  EXPECT_EQ(dropped, u64{abi::kSlots});
}

TEST_F(Ring, AGateThatNobodyWaitsAtIsNotOpened) {
  u32& gate = ring->control().main_gate;
  EXPECT_FALSE(ring->open_gate(&gate));
  EXPECT_EQ(gate, u32{abi::kGateIdle});
  gate = abi::kGateWaiting;
  EXPECT_TRUE(ring->open_gate(&gate));
  EXPECT_EQ(gate, u32{abi::kGateOpen});
}

// As the runtime does without a heartbeat; what the tool does itself is another thing.
TEST_F(Ring, ThatTheRuntimeDisarmedItselfIsNoted) {
  EXPECT_FALSE(ring->has_disarmed_itself());
  ring->control().armed = 0;
  EXPECT_TRUE(ring->has_disarmed_itself());
  ring->disarm();
  EXPECT_TRUE(ring->has_disarmed_itself());
}

TEST_F(Ring, ToBeDisarmedByTheToolIsNoLoss) {
  ring->disarm();
  EXPECT_FALSE(ring->has_disarmed_itself());
  ring->disarm();
  EXPECT_FALSE(ring->has_disarmed_itself());
}

}  // namespace
}  // namespace geist::process
