// Producer side of the shared ring, the attention budget, and the gates at the program's end. See
// abi/ring.h for the protocol; everything in the shared page may be changed by somebody else at any
// time.
#include "runtime/runtime.h"
#include "runtime/sys.h"

namespace geist::runtime {

using abi::Control;
using abi::Event;
using abi::Site;
using abi::Slot;
using abi::State;

// The P of this thread begins a new time slice, as it does whenever it takes up a goroutine. Else
// the runtime counts what is waited here as the goroutine's own computing, preempts it after 10 ms,
// and where others compute, too, its turn comes again much later. Only the thread that has a P
// writes its schedtick. Source: runtime/proc.go execute, retake (go1.21 to go1.27).
void begin_time_slice(const Control* control, uint64_t m) {
  constexpr uint32_t kPRunning = 1;  // runtime/runtime2.go _Prunning
  uint32_t offset = __atomic_load_n(&control->m_p, __ATOMIC_ACQUIRE);
  if (offset == 0 || m == 0) return;
  uint64_t p = load64(m + offset);
  if (p == 0 || load64(p + control->p_m) != m) return;
  if (*reinterpret_cast<const volatile uint32_t*>(p + control->p_status) != kPRunning) return;
  auto* schedtick = reinterpret_cast<volatile uint32_t*>(p + control->p_schedtick);
  *schedtick = *schedtick + 1;
}

namespace {

constexpr int kRsp = 4, kR14 = 14;

void copy_words(uint8_t* to, uint64_t from, uint32_t bytes) {
  uint32_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    *reinterpret_cast<volatile uint64_t*>(to + i) = load64(from + i);
  }
  for (; i < bytes; ++i) to[i] = *reinterpret_cast<const volatile uint8_t*>(from + i);
}

Slot* slot_at(const State* state, uint64_t ticket) {
  return reinterpret_cast<Slot*>(state->slots) + ticket % abi::kSlots;
}

// Claims the next free slot, or nothing when the ring is full.
Slot* claim(const State* state, Control* control, uint64_t* ticket) {
  uint64_t head = __atomic_load_n(&control->head, __ATOMIC_RELAXED);
  for (uint32_t attempts = 0; attempts < 1000; ++attempts) {
    Slot* slot = slot_at(state, head);
    uint64_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    if (sequence == head) {
      if (__atomic_compare_exchange_n(&control->head, &head, head + 1, true, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED)) {
        *ticket = head;
        return slot;
      }
    } else if (static_cast<int64_t>(sequence - head) < 0) {
      return nullptr;
    } else {
      head = __atomic_load_n(&control->head, __ATOMIC_RELAXED);
    }
  }
  return nullptr;
}

// The upper half of the ring is kept for sites outside the standard library.
bool is_half_full(const State* state, const Control* control) {
  uint64_t ahead = __atomic_load_n(&control->head, __ATOMIC_RELAXED) + abi::kSlots / 2;
  return __atomic_load_n(&slot_at(state, ahead)->sequence, __ATOMIC_RELAXED) != ahead;
}

void fill(Event* event, const Control* control, const Site* site, const Saved* saved,
          const Telling& telling) {
  event->detector = site->detector;
  event->site = site->id;
  uint64_t g = saved->regs[kR14];
  uint64_t sp = saved->regs[kRsp];
  event->g = g;
  event->goid = g != 0 ? load64(g + control->g_goid) : 0;
  uint64_t m = g != 0 ? load64(g + control->g_m) : 0;
  event->procid = m != 0 ? load64(m + control->m_procid) : 0;
  event->facts_size = telling.facts_size;
  for (uint32_t i = 0; i < abi::kMaxFacts; ++i)
    event->facts[i] = i < telling.facts_size / 8 ? telling.facts[i] : 0;
  event->other_g = telling.other_g;
  event->other_site = telling.other_site;
  event->reserved = 0;
  event->context = telling.context;
  event->hit = telling.hit;
  for (int r = 0; r < 16; ++r) event->regs[r] = saved->regs[r];
  event->stack_lo = g != 0 ? load64(g) : 0;
  event->stack_hi = g != 0 ? load64(g + 8) : 0;
  event->old_size = telling.old_size < abi::kMaxOldBytes ? telling.old_size : abi::kMaxOldBytes;
  copy_words(event->old_bytes, telling.old_from, event->old_size);
  event->stack_size = 0;
  if (event->stack_lo <= sp && sp < event->stack_hi) {
    uint64_t above = event->stack_hi - sp;
    event->stack_size =
        above < abi::kMaxStackBytes ? static_cast<uint32_t>(above) : abi::kMaxStackBytes;
    copy_words(event->stack, sp, event->stack_size);
  }
}

void publish_and_wake(Control* control) {
  __atomic_add_fetch(&control->published, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&control->tool_sleeps, __ATOMIC_SEQ_CST) != 0)
    futex_wake(&control->published);
}

uint64_t budget_so_far(const Control* control, uint64_t now) {
  uint64_t elapsed = now - control->start_tsc;
  return control->park_grace_ticks + (elapsed >> 16) * control->park_share;
}

uint64_t spent_so_far(const Control* control) {
  // What is refunded may not have been charged yet.
  uint64_t refunded = __atomic_load_n(&control->refunded_ticks, __ATOMIC_RELAXED);
  uint64_t parked = __atomic_load_n(&control->parked_ticks, __ATOMIC_RELAXED);
  refunded += __atomic_load_n(&control->woken_late_ticks, __ATOMIC_RELAXED);
  return (parked > refunded ? parked - refunded : 0) +
         __atomic_load_n(&control->slow_path_ticks, __ATOMIC_RELAXED) +
         __atomic_load_n(&control->map_ticks, __ATOMIC_RELAXED) +
         __atomic_load_n(&control->watch_ticks, __ATOMIC_RELAXED);
}

// Nearly all honest reuse is in the standard library, nearly all bugs are not: its sites may use an
// eighth of the budget. What it fills again and again are bytes; sites of other elements may use
// half, as they would find nothing left after a TLS handshake. Longest wait in µs, 0: none.
uint32_t patience_for(const Control* control, uint16_t in_library, uint64_t now) {
  if (in_library != 0 && __atomic_load_n(&control->library_rests, __ATOMIC_RELAXED) != 0) return 0;
  uint64_t allowance = budget_so_far(control, now);
  if (in_library != 0) allowance >>= in_library == 1 ? 3 : 1;
  if (spent_so_far(control) >= allowance) return 0;
  return __atomic_load_n(&control->park_timeout_us, __ATOMIC_RELAXED);
}

// Threads move, and the time-stamp counters of two processors may differ: a wait that ends before
// it began took no time, rather than all there is.
uint64_t ticks_since(uint64_t start) {
  uint64_t now = read_tsc();
  return static_cast<int64_t>(now - start) < 0 ? 0 : now - start;
}

// Waits until the word's value is over, at most `patience_us` from `start` on; the time is charged
// to the budget. `m` is the thread's. Gives how long that was.
template <typename IsOver>
uint64_t park(Control* control, uint64_t m, uint32_t* word, uint64_t start, uint32_t patience_us,
              IsOver is_over) {
  begin_time_slice(control, m);
  uint64_t ticks_per_us = control->tsc_hz / 1000000;
  if (ticks_per_us == 0) ticks_per_us = 1;
  uint64_t limit = patience_us * ticks_per_us;
  uint64_t elapsed = 0;
  for (;;) {
    uint32_t value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    if (is_over(value)) break;
    uint64_t left_us = (limit - elapsed) / ticks_per_us;
    futex_wait(word, value, left_us == 0 ? 1 : left_us);
    elapsed = ticks_since(start);
    if (elapsed >= limit) break;
  }
  uint64_t waited = ticks_since(start);
  __atomic_add_fetch(&control->parked_ticks, waited, __ATOMIC_RELAXED);
  // On a busy machine a thread that may go on gets a processor much later. That is others' doing,
  // and counts an eighth: the budget is for being looked at.
  uint64_t looked = __atomic_load_n(&control->released_tsc, __ATOMIC_RELAXED) - start;
  if (looked < waited) {
    uint64_t late = (waited - looked) - (waited - looked) / 8;
    __atomic_add_fetch(&control->woken_late_ticks, late, __ATOMIC_RELAXED);
  }
  begin_time_slice(control, m);
  return waited;
}

// Waits at a gate until the tool opens it. The wait goes on only while the tool shows signs of
// life. Whoever goes on without it says so: the tool must not judge as if somebody stood here
// still.
void wait_at_gate(Control* control, uint32_t* gate) {
  uint64_t start = read_tsc();
  uint64_t ticks_per_us = control->tsc_hz / 1000000;
  __atomic_store_n(gate, static_cast<uint32_t>(abi::kGateWaiting), __ATOMIC_SEQ_CST);
  publish_and_wake(control);
  constexpr uint64_t kStepUs = 20000;
  while (__atomic_load_n(gate, __ATOMIC_ACQUIRE) == abi::kGateWaiting) {
    futex_wait(gate, abi::kGateWaiting, kStepUs);
    uint64_t now = read_tsc();
    if (__atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0 || !tool_is_alive(control, now))
      break;
    if (ticks_since(start) > control->gate_timeout_us * ticks_per_us) break;
  }
  uint32_t waiting = abi::kGateWaiting;
  __atomic_compare_exchange_n(gate, &waiting, static_cast<uint32_t>(abi::kGateIdle), false,
                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&control->gate_ticks, ticks_since(start), __ATOMIC_RELAXED);
}

// Waits until the tool has moved its watches. Should it come after all, it finds nobody waiting.
void wait_until_moved(Control* control, uint64_t m, uint32_t* gate, uint64_t start,
                      uint32_t patience_us) {
  uint32_t waiting = abi::kGateWaiting;
  __atomic_store_n(gate, waiting, __ATOMIC_SEQ_CST);
  publish_and_wake(control);
  park(control, m, gate, start, patience_us,
       [](uint32_t value) { return value != abi::kGateWaiting; });
  __atomic_compare_exchange_n(gate, &waiting, static_cast<uint32_t>(abi::kGateIdle), false,
                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

}  // namespace

bool is_half_budget_left(const Control* control, uint64_t now) {
  return spent_so_far(control) < budget_so_far(control, now) / 2;
}

uint64_t record(State* state, Control* control, const Site* site, const Saved* saved,
                const Telling& telling, uint64_t now) {
  uint64_t ticket = 0;
  Slot* slot = site->in_library != 0 && is_half_full(state, control)
                   ? nullptr
                   : claim(state, control, &ticket);
  if (slot == nullptr) {
    __atomic_add_fetch(&control->lost_ring_full, 1, __ATOMIC_RELAXED);
    return 0;
  }
  Event* event = &slot->event;
  fill(event, control, site, saved, telling);
  event->tsc = now;
  uint32_t patience_us = patience_for(control, site->in_library, now);
  event->parked = patience_us;
  __atomic_add_fetch(&control->recorded, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&slot->sequence, ticket + 1, __ATOMIC_RELEASE);
  publish_and_wake(control);
  if (patience_us == 0) return 0;
  uint32_t wanted = static_cast<uint32_t>(ticket + 1);
  uint64_t g = saved->regs[kR14];  // not event->g: the slot may be another's by now
  uint64_t m = g != 0 ? load64(g + control->g_m) : 0;
  return park(control, m, &slot->ack, now, patience_us,
              [wanted](uint32_t ack) { return static_cast<int32_t>(ack - wanted) >= 0; });
}

extern "C" void geist_on_exit(Site*, const Saved*, State* state) {
  Control* control = reinterpret_cast<Control*>(state->control);
  if (control == nullptr || __atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0) return;
  wait_at_gate(control, &control->exit_gate);
}

extern "C" void geist_on_main_return(Site*, const Saved* saved, State* state) {
  Control* control = reinterpret_cast<Control*>(state->control);
  if (control == nullptr || __atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0) return;
  control->main_gate_sp = saved->regs[kRsp];
  control->main_gate_g = saved->regs[kR14];
  wait_at_gate(control, &control->main_gate);
}

extern "C" void geist_on_stack_moved(Site* site, const Saved* saved, State* state) {
  Control* control = reinterpret_cast<Control*>(state->control);
  if (control == nullptr || __atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0) return;
  uint64_t g0 = saved->regs[kR14];
  uint64_t m = g0 != 0 ? load64(g0 + control->g_m) : 0;
  uint64_t g = m != 0 ? load64(m + control->m_curg) : 0;
  if (g == 0) return;
  for (abi::StackGate& gate : control->stack_gates) {
    if (__atomic_load_n(&gate.g, __ATOMIC_ACQUIRE) != g) continue;
    uint64_t now = read_tsc();
    uint32_t patience_us = patience_for(control, site->in_library, now);
    if (patience_us != 0 && tool_is_alive(control, now))
      wait_until_moved(control, m, &gate.gate, now, patience_us);
    return;
  }
}

static bool copies_watched_word(const abi::CopyGate& gate, uint64_t from, uint64_t bytes) {
  for (const uint64_t& watched : gate.words) {
    uint64_t word = __atomic_load_n(&watched, __ATOMIC_RELAXED);
    if (word != 0 && word - from < bytes) return true;
  }
  return false;
}

extern "C" void geist_on_copy(Site* site, const Saved* saved, State* state) {
  constexpr int kRax = 0, kRcx = 1, kRbx = 3;
  Control* control = reinterpret_cast<Control*>(state->control);
  if (control == nullptr || __atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0) return;
  abi::CopyGate& gate = control->copy_gate;
  if (!copies_watched_word(gate, saved->regs[kRbx], saved->regs[kRcx])) return;
  uint64_t g = saved->regs[kR14];
  uint64_t m = g != 0 ? load64(g + control->g_m) : 0;
  uint64_t now = read_tsc();
  uint32_t patience_us = patience_for(control, 0, now);
  uint32_t nobody = 0;
  if (patience_us == 0 || !tool_is_alive(control, now) ||
      !__atomic_compare_exchange_n(&gate.claimed, &nobody, 1u, false, __ATOMIC_SEQ_CST,
                                   __ATOMIC_SEQ_CST))
    return;
  gate.to = saved->regs[kRax];
  gate.from = saved->regs[kRbx];
  gate.bytes = saved->regs[kRcx];
  gate.keeps = site->reserved;
  wait_until_moved(control, m, &gate.gate, now, patience_us);
  __atomic_store_n(&gate.gate, static_cast<uint32_t>(abi::kGateIdle), __ATOMIC_SEQ_CST);
  __atomic_store_n(&gate.claimed, 0u, __ATOMIC_SEQ_CST);
}

}  // namespace geist::runtime
