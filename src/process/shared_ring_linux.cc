// Consumer side of the ring; abi/ring.h has the protocol.
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "process/shared_ring.h"

namespace geist::process {
namespace {

constexpr u64 kHeartbeatLimitSeconds = 2;
constexpr u64 kEndOfUserSpace = u64{1} << 47;

void futex_wake_all(u32* word) {
  ::syscall(SYS_futex, word, FUTEX_WAKE, 1 << 30, nullptr, nullptr, 0);
}

u64 monotonic_ns() {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
  return static_cast<u64>(ts.tv_sec) * 1000000000ull + static_cast<u64>(ts.tv_nsec);
}

}  // namespace

u64 read_tsc() {
  u32 low = 0, high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return (static_cast<u64>(high) << 32) | low;
}

u64 measure_tsc_hz() {
  static const u64 hz = [] {
    u64 ns0 = monotonic_ns();
    u64 tsc0 = read_tsc();
    u64 ns1 = ns0;
    while (ns1 - ns0 < 2000000) ns1 = monotonic_ns();
    u64 ticks = read_tsc() - tsc0;
    return static_cast<u64>(static_cast<double>(ticks) * 1e9 / static_cast<double>(ns1 - ns0));
  }();
  return hz;
}

Result<SharedRing> SharedRing::create(Fd memfd, const read::Layout& layout, const Budget& budget,
                                      const SharedTables& tables) {
  const u64 bytes = abi::kRingBytes + tables.sites + tables.counters + tables.maps;
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd.get(), 0);
  if (at == MAP_FAILED) {
    return Error(
        std::string("cannot map the memory shared with the program: ") + std::strerror(errno),
        ErrorKind::kSystem);
  }
  u8* const behind_ring = static_cast<u8*>(at) + abi::kRingBytes;
  u8* const behind_sites = behind_ring + tables.sites;
  SharedRing ring;
  ring.control_ = static_cast<abi::Control*>(at);
  ring.slots_ = reinterpret_cast<abi::Slot*>(static_cast<u8*>(at) + abi::kControlBytes);
  ring.sites_ = reinterpret_cast<abi::Site*>(behind_ring);
  ring.counters_ = reinterpret_cast<const abi::SiteCounter*>(behind_sites);
  if (tables.maps >= sizeof(abi::MapTable))
    ring.maps_ = reinterpret_cast<abi::MapTable*>(behind_sites + tables.counters);
  ring.tables_ = tables;
  ring.mapped_bytes_ = bytes;
  ring.tsc_hz_ = measure_tsc_hz();
  abi::Control& c = *ring.control_;
  c.magic = abi::kMagic;
  c.version = abi::kVersion;
  c.tsc_hz = ring.tsc_hz_;
  c.start_tsc = read_tsc();
  c.heartbeat_tsc = c.start_tsc;
  c.heartbeat_limit = kHeartbeatLimitSeconds * ring.tsc_hz_;
  c.park_grace_ticks = ring.tsc_hz_ / 1000 * budget.grace_ms;
  c.park_share = budget.share_percent * 65536 / 100;
  ring.park_timeout_us_ = budget.park_timeout_us;
  c.park_timeout_us =
      budget.park_timeout_us == 0 ? 0 : std::max(budget.park_timeout_us, budget.unready_timeout_us);
  c.gate_timeout_us = budget.gate_timeout_ms * 1000;
  c.g_goid = layout.g_goid;
  c.g_m = layout.g_m;
  c.m_procid = layout.m_procid;
  c.m_curg = layout.m_curg;
  c.m_locks = layout.m_locks;
  c.g_go_pc = layout.g_go_pc;
  c.g_parent_goid = layout.g_parent_goid;
  c.tool_pid = static_cast<u32>(::getpid());
  for (u64 i = 0; i < abi::kSlots; ++i) ring.slots_[i].sequence = i;
  c.armed = 1;
  return ring;
}

SharedRing::SharedRing(SharedRing&& other) noexcept
    : control_(std::exchange(other.control_, nullptr)),
      slots_(other.slots_),
      sites_(other.sites_),
      counters_(other.counters_),
      maps_(other.maps_),
      tables_(other.tables_),
      mapped_bytes_(other.mapped_bytes_),
      next_(other.next_),
      lost_damaged_(other.lost_damaged_),
      tsc_hz_(other.tsc_hz_),
      park_timeout_us_(other.park_timeout_us_),
      refunded_ticks_(other.refunded_ticks_),
      disarmed_by_us_(other.disarmed_by_us_),
      disarmed_itself_(other.disarmed_itself_) {}

SharedRing::~SharedRing() {
  if (control_ != nullptr) ::munmap(control_, mapped_bytes_);
}

void SharedRing::beat() {
  __atomic_store_n(&control_->heartbeat_tsc, read_tsc(), __ATOMIC_RELAXED);
}

void SharedRing::ready() {
  // Appends that wait now keep the longer time, and say so in their event.
  __atomic_store_n(&control_->park_timeout_us, park_timeout_us_, __ATOMIC_RELAXED);
  u64 waited = __atomic_load_n(&control_->parked_ticks, __ATOMIC_RELAXED);
  __atomic_store_n(&control_->park_grace_ticks, control_->park_grace_ticks + waited,
                   __ATOMIC_RELAXED);
}

void SharedRing::keep_time_slices(const read::Layout& layout) {
  control_->p_status = layout.p_status;
  control_->p_schedtick = layout.p_schedtick;
  control_->p_m = layout.p_m;
  __atomic_store_n(&control_->m_p, layout.m_p, __ATOMIC_RELEASE);
}

void SharedRing::wait(u32 seen, u64 timeout_us) {
  __atomic_store_n(&control_->tool_sleeps, 1u, __ATOMIC_SEQ_CST);
  bool ready = __atomic_load_n(&slot(next_)->sequence, __ATOMIC_ACQUIRE) == next_ + 1;
  if (!ready) {
    timespec timeout{static_cast<time_t>(timeout_us / 1000000),
                     static_cast<long>(timeout_us % 1000000) * 1000};
    ::syscall(SYS_futex, &control_->published, FUTEX_WAIT, seen, &timeout, nullptr, 0);
  }
  __atomic_store_n(&control_->tool_sleeps, 0u, __ATOMIC_SEQ_CST);
}

void SharedRing::free_slot(u64 ticket) {
  __atomic_store_n(&slot(ticket)->sequence, ticket + abi::kSlots, __ATOMIC_RELEASE);
}

bool append_holds_together(const abi::Event& event) {
  constexpr u64 kMostElemSize = u64{1} << 31;
  const abi::AppendFacts& e = event.append;
  const bool is_append = event.facts_size == sizeof e && e.num != 0 && e.num <= e.new_len &&
                         e.new_len <= e.cap && e.elem_size != 0 && e.elem_size < kMostElemSize &&
                         e.old_ptr != 0 && e.old_ptr < kEndOfUserSpace;
  const std::optional<u64> bytes = is_append ? checked_mul(e.cap, e.elem_size) : std::nullopt;
  if (!bytes || *bytes > kEndOfUserSpace - e.old_ptr) return false;
  // Of parts of that sum, so they do not overflow either.
  return e.dest == e.old_ptr + (e.new_len - e.num) * e.elem_size &&
         e.dest_size == e.num * e.elem_size &&
         event.old_size == std::min<u64>(e.dest_size, abi::kMaxOldBytes);
}

bool map_event_holds_together(const abi::Event& e) {
  const abi::MapFacts& facts = e.map;
  if (e.facts_size != sizeof facts || e.old_size > abi::kMaxOldBytes) return false;
  if (facts.kind == abi::kMapDies) return facts.operation == abi::kMapFatal;
  if (facts.kind >= abi::kMapWalked && facts.kind <= abi::kMapAgain)
    return facts.map != 0 && e.old_size % 8 == 0 && facts.operation == abi::kMapIterate;
  return facts.kind == abi::kMapMet && facts.map != 0 && e.old_size % 8 == 0 && e.old_size != 0 &&
         facts.operation < abi::kMapOperations && facts.other_operation < abi::kMapOperations &&
         facts.other_goid != e.goid;
}

bool list_event_holds_together(const abi::Event& e) {
  const abi::ListFacts& facts = e.list;
  const bool is_known_kind = facts.kind == abi::kListStale || facts.kind == abi::kListTorn ||
                             facts.kind == abi::kListForeign;
  return e.facts_size == sizeof facts && is_known_kind && facts.operation < abi::kListOperations &&
         facts.element != 0 && facts.has_removal <= (facts.kind == abi::kListStale ? 1 : 0) &&
         e.old_size % 8 == 0 && e.old_size <= abi::kRemovalFrames * 8;
}

bool holds_together(const abi::Event& e, u32 site_count) {
  constexpr int kRsp = 4;
  const bool is_write =
      e.detector == abi::kRefill || e.detector == abi::kStale ||
      (e.detector == abi::kAppend && e.site < site_count);
  const bool is_sound = is_write                      ? append_holds_together(e)
                        : e.detector == abi::kMaps    ? map_event_holds_together(e)
                        : e.detector == abi::kLists && list_event_holds_together(e);
  if (!is_sound) return false;
  if (e.stack_size == 0) return true;
  const u64 sp = e.regs[kRsp];
  return e.stack_size <= abi::kMaxStackBytes && e.stack_lo <= sp && sp < e.stack_hi &&
         e.stack_hi <= kEndOfUserSpace && e.stack_size <= e.stack_hi - sp;
}

std::optional<RawEvent> SharedRing::take(u32 site_count) {
  // The program can fill a slot anew as soon as it is free: more than there are slots is not asked.
  for (u32 looks = 0; looks < abi::kSlots; ++looks) {
    abi::Slot* s = slot(next_);
    if (__atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE) != next_ + 1) return std::nullopt;
    RawEvent raw;
    raw.ticket = next_++;
    raw.event = std::make_unique<abi::Event>();
    std::memcpy(raw.event.get(), &s->event, sizeof(abi::Event));
    if (holds_together(*raw.event, site_count)) return raw;
    ++lost_damaged_;
    release(raw);
  }
  return std::nullopt;
}

u64 SharedRing::drop_all(u32 site_count, const std::function<void(const abi::Event&)>& on_other) {
  u64 writes = 0;
  for (u32 n = 0; n < abi::kSlots; ++n) {
    std::optional<RawEvent> raw = take(site_count);
    if (!raw) break;
    if (raw->event->detector == abi::kAppend || raw->event->detector == abi::kRefill ||
        raw->event->detector == abi::kStale)
      ++writes;
    else if (on_other)
      on_other(*raw->event);
    release(*raw);
  }
  return writes;
}

bool SharedRing::still_waits(const abi::Event& event) const {
  // The wait is measured from event.tsc; a tenth of it is left as a margin.
  u64 waited_us = (read_tsc() - event.tsc) / (tsc_hz_ / 1000000 + 1);
  return waited_us < u64{event.parked} * 9 / 10;
}

void SharedRing::refund_delay(const abi::Event& event) {
  constexpr u64 kUsualDelayMs = 2, kMostRefundedMs = 1000;
  const u64 ticks_per_ms = tsc_hz_ / 1000;
  const u64 usual = kUsualDelayMs * ticks_per_ms;
  const u64 waited = read_tsc() - event.tsc;
  const u64 patience = u64{event.parked} * ticks_per_ms / 1000;
  // A counter of another core may be ahead, a hostile one anywhere.
  if (event.parked == 0 || waited <= usual || waited > patience) return;
  const u64 left = kMostRefundedMs * ticks_per_ms - refunded_ticks_;
  const u64 refund = std::min(waited - usual, left);
  refunded_ticks_ += refund;
  __atomic_store_n(&control_->refunded_ticks, refunded_ticks_, __ATOMIC_RELAXED);
}

void SharedRing::note_release() {
  __atomic_store_n(&control_->released_tsc, read_tsc(), __ATOMIC_RELAXED);
}

void SharedRing::release(u64 ticket, const abi::Event& event) {
  abi::Slot* s = slot(ticket);
  note_release();
  __atomic_store_n(&s->ack, static_cast<u32>(ticket + 1), __ATOMIC_RELEASE);
  if (event.parked != 0) futex_wake_all(&s->ack);
  free_slot(ticket);
}

bool SharedRing::is_waited_at(const u32* gate) {
  return __atomic_load_n(gate, __ATOMIC_ACQUIRE) == abi::kGateWaiting;
}

bool SharedRing::open_gate(u32* gate) {
  u32 waiting = abi::kGateWaiting;
  const bool waited = __atomic_compare_exchange_n(gate, &waiting, static_cast<u32>(abi::kGateOpen),
                                                  false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  if (waited) futex_wake_all(gate);
  return waited;
}

// A goroutine keeps its gate as long as it is wanted: its thread may stand there.
void SharedRing::set_stack_gates(std::vector<TargetAddr> goroutines) {
  for (abi::StackGate& gate : control_->stack_gates) {
    const TargetAddr now(__atomic_load_n(&gate.g, __ATOMIC_RELAXED));
    if (std::erase(goroutines, now) != 0 || !now) continue;
    __atomic_store_n(&gate.g, u64{0}, __ATOMIC_RELEASE);
    open_gate(&gate.gate);
  }
  for (abi::StackGate& gate : control_->stack_gates) {
    if (goroutines.empty()) return;
    if (__atomic_load_n(&gate.g, __ATOMIC_RELAXED) != 0) continue;
    __atomic_store_n(&gate.g, goroutines.back().value, __ATOMIC_RELEASE);
    goroutines.pop_back();
  }
}

std::optional<TargetAddr> SharedRing::find_moved_stack() const {
  for (const abi::StackGate& gate : control_->stack_gates) {
    if (is_waited_at(&gate.gate)) return TargetAddr(__atomic_load_n(&gate.g, __ATOMIC_RELAXED));
  }
  return std::nullopt;
}

bool SharedRing::open_stack_gate(TargetAddr g) {
  note_release();
  for (abi::StackGate& gate : control_->stack_gates) {
    if (__atomic_load_n(&gate.g, __ATOMIC_RELAXED) == g.value && open_gate(&gate.gate)) return true;
  }
  return false;
}

void SharedRing::watch_copies(std::span<const u32> records, std::span<const TargetAddr> words) {
  abi::CopyGate& gate = control_->copy_gate;
  u64 lowest = ~u64{0}, highest = 0;
  for (usize i = 0; i < std::size(gate.words); ++i) {
    const u64 word = i < words.size() ? words[i].value : 0;
    __atomic_store_n(&gate.words[i], word, __ATOMIC_RELAXED);
    if (word == 0) continue;
    lowest = std::min(lowest, word);
    highest = std::max(highest, word);
  }
  for (u32 record : records) {
    if (find_record(record) == nullptr) continue;
    __atomic_store_n(&sites_[record].period, lowest, __ATOMIC_RELAXED);
    __atomic_store_n(&sites_[record].healed, highest, __ATOMIC_RELEASE);
  }
}

std::optional<SharedRing::Copy> SharedRing::find_copy() const {
  const abi::CopyGate& gate = control_->copy_gate;
  if (__atomic_load_n(&gate.gate, __ATOMIC_ACQUIRE) != abi::kGateWaiting) return std::nullopt;
  return Copy{TargetAddr(__atomic_load_n(&gate.to, __ATOMIC_RELAXED)),
              TargetAddr(__atomic_load_n(&gate.from, __ATOMIC_RELAXED)),
              __atomic_load_n(&gate.bytes, __ATOMIC_RELAXED),
              __atomic_load_n(&gate.keeps, __ATOMIC_RELAXED) != 0};
}

bool SharedRing::open_copy_gate() {
  note_release();
  u32 waiting = abi::kGateWaiting;
  u32* gate = &control_->copy_gate.gate;
  const bool waited = __atomic_compare_exchange_n(gate, &waiting, static_cast<u32>(abi::kGateOpen),
                                                  false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  if (waited) futex_wake_all(gate);
  return waited;
}

const abi::Site* SharedRing::find_record(u32 record) const {
  return record < tables_.sites / sizeof(abi::Site) ? &sites_[record] : nullptr;
}

u64 SharedRing::passes(u32 record) const {
  const abi::Site* site = find_record(record);
  return site != nullptr ? __atomic_load_n(&site->seen, __ATOMIC_RELAXED) : 0;
}

u64 SharedRing::healed(u32 record) const {
  const abi::Site* site = find_record(record);
  return site != nullptr ? __atomic_load_n(&site->healed, __ATOMIC_RELAXED) : 0;
}

u64 SharedRing::overwrites(u32 record) const {
  const abi::Site* site = find_record(record);
  return site != nullptr ? __atomic_load_n(&site->seen, __ATOMIC_RELAXED) : 0;
}

u64 SharedRing::thinned_out(u32 record) const {
  const abi::Site* site = find_record(record);
  return site != nullptr ? __atomic_load_n(&site->thinned_out, __ATOMIC_RELAXED) : 0;
}

abi::SiteCounter SharedRing::counts(u32 record) const {
  abi::SiteCounter sum{};
  if (record >= tables_.counters / abi::kCounterPageBytes) return sum;
  const abi::SiteCounter* page = counters_ + u64{record} * abi::kCounterShards;
  for (u32 i = 0; i < abi::kCounterShards; ++i) {
    for (const u64& turn : page[i].in_place)
      sum.in_place[0] += __atomic_load_n(&turn, __ATOMIC_RELAXED);
    sum.grows += __atomic_load_n(&page[i].grows, __ATOMIC_RELAXED);
    sum.bytes += __atomic_load_n(&page[i].bytes, __ATOMIC_RELAXED);
  }
  return sum;
}

void SharedRing::look_at_maps(TargetAddr first_record, u32 records, u32 hold_us, bool counts) {
  if (maps_ == nullptr) return;
  maps_->sites = first_record.value;
  maps_->site_count = records;
  maps_->hold_us = hold_us;
  maps_->counts = counts ? 1 : 0;
  __atomic_store_n(&control_->map_table, tables_.maps_at.value, __ATOMIC_RELEASE);
}

std::unique_ptr<abi::MapTable> SharedRing::map_table() const {
  if (maps_ == nullptr) return nullptr;
  auto copy = std::make_unique<abi::MapTable>();
  std::memcpy(copy.get(), maps_, sizeof *copy);
  return copy;
}

void SharedRing::charge_watches(double seconds) {
  const u64 ticks = static_cast<u64>(seconds * static_cast<double>(tsc_hz_));
  __atomic_store_n(&control_->watch_ticks, ticks, __ATOMIC_RELAXED);
}

bool SharedRing::has_disarmed_itself() const {
  const bool is_armed = __atomic_load_n(&control_->armed, __ATOMIC_RELAXED) != 0;
  return disarmed_itself_ || (!disarmed_by_us_ && !is_armed);
}

void SharedRing::disarm() {
  disarmed_itself_ = has_disarmed_itself();
  disarmed_by_us_ = true;
  __atomic_store_n(&control_->armed, 0u, __ATOMIC_RELAXED);
  futex_wake_all(&control_->exit_gate);
  futex_wake_all(&control_->main_gate);
}

}  // namespace geist::process
