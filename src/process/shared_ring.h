// The tool's side of the mapping shared with the target: set-up, heartbeat, budget, and taking
// events out of the ring. The target is hostile: every index and size is copied once and checked
// before use; an event that does not hold together is dropped and counted.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "abi/counters.h"
#include "abi/maps.h"
#include "abi/probe.h"
#include "abi/ring.h"
#include "base/address.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"
#include "read/go/layout.h"

namespace geist::process {

// Most appends to fresh slots are honest and have to be looked at, too.
inline constexpr u64 kThoroughGraceMs = 1000;

struct Budget {
  u64 grace_ms = 120;  // parked time that is always allowed
  u32 share_percent =
      2;  // further share of the elapsed time, for waits, the slow path and watches together
  u32 park_timeout_us = 250000;  // longest wait of one append
  u32 unready_timeout_us = 0;    // the same before SharedRing::ready(), when that is longer
  u64 gate_timeout_ms = 10000;
};

// What lies behind the ring in the shared memory, in this order; bytes.
struct SharedTables {
  u64 sites = 0;            // records, abi::Site
  u64 counters = 0;         // abi/counters.h
  u64 maps = 0;             // abi::MapTable; 0: there is none
  TargetAddr maps_at = {};  // of that in the program
};

// One event, copied out of the ring, sizes checked.
struct RawEvent {
  u64 ticket = 0;
  std::unique_ptr<abi::Event> event;
};

class SharedRing {
 public:
  // Maps the memfd and writes the control page and the slots' first sequence numbers. The site
  // records behind the ring are the caller's to fill.
  static Result<SharedRing> create(Fd memfd, const read::Layout& layout, const Budget& budget,
                                   const SharedTables& tables);
  SharedRing(SharedRing&& other) noexcept;
  SharedRing& operator=(SharedRing&&) = delete;
  ~SharedRing();

  abi::Control& control() { return *control_; }
  const abi::Control& control() const { return *control_; }
  void beat();
  // The tool reads its debug information while the program starts. Appends that come before may
  // wait longer, and this ends it: from now on the budget's times hold, and what was waited before
  // is not charged to it.
  void ready();
  // Threads that wait from now on begin a new time slice, before and behind the wait. For when the
  // layout's offsets of m and p were seen to hold in this process.
  void keep_time_slices(const read::Layout& layout);
  // Grows with everything that is published: events and gates.
  u32 published() const { return __atomic_load_n(&control_->published, __ATOMIC_SEQ_CST); }
  // Sleeps until more than `seen` is published or the time is over.
  void wait(u32 seen, u64 timeout_us);
  // The next event, if one is ready. Its slot stays taken until release(). Damaged ones before it
  // are dropped and counted, at most a ring of them: then nothing, though there may be more.
  std::optional<RawEvent> take(u32 site_count);
  // Takes out what is ready and lets it go, at most a ring of it. How many writes that were; other
  // events are handed to `on_other` before, if there is one.
  u64 drop_all(u32 site_count, const std::function<void(const abi::Event&)>& on_other = nullptr);
  // Is the writer of this event certain to wait still? Not when its patience may have run out.
  bool still_waits(const abi::Event& event) const;
  // A busy machine lets the tool come late; the program's budget is for being looked at, so what an
  // event waited before the tool took it is given back, up to a limit in all.
  void refund_delay(const abi::Event& event);
  // Lets the writer go on, and gives the slot back.
  void release(const RawEvent& event) { release(event.ticket, *event.event); }
  void release(u64 ticket, const abi::Event& event);
  // Does the program wait at this gate?
  static bool is_waited_at(const u32* gate);
  // Opens it. False: nobody waits there, any more.
  bool open_gate(u32* gate);
  void disarm();
  // Has the runtime disarmed itself, which it does when it sees no heartbeat? Nothing was watched
  // from then on.
  bool has_disarmed_itself() const;

  // The goroutines that wait when their stack has grown, at most abi::kStackGates.
  void set_stack_gates(std::vector<TargetAddr> goroutines);
  // The one that waits, if any does.
  std::optional<TargetAddr> find_moved_stack() const;
  // Lets it go on. False: it has gone on by itself meanwhile.
  bool open_stack_gate(TargetAddr g);

  // Do appends of the standard library wait at all?
  void let_library_wait(bool waits) {
    __atomic_store_n(&control_->library_rests, waits ? 0u : 1u, __ATOMIC_RELAXED);
  }
  // Header words whose copies wait, at most four; `records` are PatchPlan::copy_records.
  void watch_copies(std::span<const u32> records, std::span<const TargetAddr> words);
  // The copy that waits, if one does.
  struct Copy {
    TargetAddr to, from;
    u64 bytes = 0;
    bool keeps_source = false;  // and not an array that grows
  };
  std::optional<Copy> find_copy() const;
  // Lets it go on. False: it has gone on by itself meanwhile.
  bool open_copy_gate();

  // How often the appends of the site with this record (ProbedSite::record) were healed so far;
  // also when the target has ended. 0 for an index out of range.
  u64 healed(u32 record) const;
  // How many of its appends went on unseen for the budget's sake, likewise.
  u64 thinned_out(u32 record) const;
  // How many of them found something in the room that they wrote to, likewise; an estimate where
  // not each is looked at.
  u64 overwrites(u32 record) const;
  // What the appends of the site with this record have counted, likewise. The sum of in_place is
  // its first. Zero when nothing counts.
  abi::SiteCounter counts(u32 record) const;
  // How often the point with this record (PlannedPoint::record) was passed, likewise.
  u64 passes(u32 record) const;
  // From now on map functions look, those with these records; `hold_us`: how long one waits for
  // company. Nothing happens where there is no table.
  void look_at_maps(TargetAddr first_record, u32 records, u32 hold_us, bool counts);
  // What is known of the maps, copied; also when the target has ended. Null when there is no table.
  std::unique_ptr<abi::MapTable> map_table() const;
  // What watching words of the program has cost it so far: a part of the budget.
  void charge_watches(double seconds);
  double seconds(u64 ticks) const {
    return static_cast<double>(ticks) / static_cast<double>(tsc_hz_);
  }

  u64 lost_damaged() const { return lost_damaged_; }
  u64 tsc_hz() const { return tsc_hz_; }

 private:
  SharedRing() = default;
  const abi::Site* find_record(u32 record) const;
  abi::Slot* slot(u64 ticket) const { return slots_ + ticket % abi::kSlots; }
  void free_slot(u64 ticket);
  void note_release();

  abi::Control* control_ = nullptr;
  abi::Slot* slots_ = nullptr;
  abi::Site* sites_ = nullptr;
  const abi::SiteCounter* counters_ = nullptr;  // kCounterShards for each site
  abi::MapTable* maps_ = nullptr;
  SharedTables tables_;
  u64 mapped_bytes_ = 0;
  u64 next_ = 0;
  u64 lost_damaged_ = 0;
  u64 tsc_hz_ = 0;
  u32 park_timeout_us_ = 0;  // once ready
  u64 refunded_ticks_ = 0;
  bool disarmed_by_us_ = false, disarmed_itself_ = false;
};

// Of an event of kAppend, kRefill or kStale: do its facts agree with each other?
bool append_holds_together(const abi::Event& event);
// Of an event of kMaps: likewise. Whether there is a record `site` is for the caller to see.
bool map_event_holds_together(const abi::Event& event);
// Does the event say the same wherever it says something twice? What follows from other fields is
// computed again, without overflow: afterwards old_ptr + cap * elem_size is an address, the
// destination lies before it, old_bytes are those of the destination, and the stack lies in
// [regs[rsp], stack_hi).
bool holds_together(const abi::Event& event, u32 site_count);

u64 read_tsc();
// Ticks per second of the time-stamp counter, measured once against CLOCK_MONOTONIC_RAW.
u64 measure_tsc_hz();

}  // namespace geist::process
