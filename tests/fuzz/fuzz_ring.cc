// A ring written by a hostile program: whatever the shared page and the slots hold, and however
// they change between two looks, what the tool takes out of it is in range, and it never waits or
// loops without end.
//
//   input:  u32 number of sites, then writes into the shared memory:
//           u8 what, u8 slot, u16 offset, u8 count, bytes
//           what 0: control page  1: slot  2: slot, and make it look published  3: take and release
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "process/shared_ring.h"
#include "read/go/layout.h"

namespace {

using namespace geist;

constexpr u32 kMostSites = 1u << 20;

class Ring {
 public:
  Ring() {
    Fd file(static_cast<int>(::memfd_create("fuzz", MFD_CLOEXEC)));
    GEIST_CHECK(file.valid() && ::ftruncate(file.get(), abi::kRingBytes) == 0);
    bytes_ = static_cast<u8*>(
        ::mmap(nullptr, abi::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    GEIST_CHECK(bytes_ != MAP_FAILED);
    ring_.emplace(
        std::move(process::SharedRing::create(std::move(file), *read::find_layout(26), {}, {}))
            .value());
  }
  void start() {
    // Slots as they were, tickets where the consumer stands.
    for (u64 i = 0; i < abi::kSlots; ++i) {
      u64 ticket = next_ + i;
      slot(ticket).sequence = ticket;
    }
  }
  abi::Slot& slot(u64 ticket) {
    return reinterpret_cast<abi::Slot*>(bytes_ + abi::kControlBytes)[ticket % abi::kSlots];
  }
  void write_control(u16 offset, ByteView value) {
    u64 at = offset % (sizeof(abi::Control) - 8);
    std::memcpy(bytes_ + at, value.data(), std::min<u64>(value.size(), sizeof(abi::Control) - at));
  }
  void write_slot(u64 ticket, u16 offset, ByteView value) {
    u64 at = offset % offsetof(abi::Event, old_bytes);
    std::memcpy(reinterpret_cast<u8*>(&slot(ticket).event) + at, value.data(), value.size());
  }
  void publish(u64 ticket) { slot(ticket).sequence = ticket + 1; }
  u64 next() const { return next_; }

  void take(u32 sites) {
    for (u64 turns = 0; turns <= 2 * abi::kSlots; ++turns) {
      u64 damaged = ring_->lost_damaged();
      std::optional<process::RawEvent> raw = ring_->take(sites);
      next_ += ring_->lost_damaged() - damaged + (raw ? 1 : 0);
      if (!raw) return;
      const abi::Event& e = *raw->event;
      GEIST_CHECK(e.site < sites && e.old_size <= abi::kMaxOldBytes &&
                  e.stack_size <= abi::kMaxStackBytes);
      GEIST_CHECK(e.append.num != 0 && e.append.num <= e.append.new_len &&
                  e.append.new_len <= e.append.cap && e.append.elem_size != 0);
      (void)ring_->still_waits(e);
      ring_->release(*raw);
    }
    GEIST_CHECK(false);  // more events than slots, without a writer
  }

 private:
  u8* bytes_ = nullptr;
  std::optional<process::SharedRing> ring_;
  u64 next_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
  static Ring ring;
  ring.start();
  ByteReader input(ByteView(data, size));
  u32 sites = input.read_u32() % kMostSites;
  while (input.remaining() >= 5) {
    u8 what = input.read_u8() % 4;
    u64 ticket = ring.next() + input.read_u8() % abi::kSlots;
    u16 offset = input.read_u16();
    ByteView value = input.read_bytes(std::min<u64>(input.read_u8() % 64, input.remaining()));
    if (what == 0)
      ring.write_control(offset, value);
    else if (what == 3)
      ring.take(sites);
    else
      ring.write_slot(ticket, offset, value);
    if (what == 2) ring.publish(ticket);
  }
  ring.take(sites);
  return 0;
}
