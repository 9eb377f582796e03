// The shared mapping between tool and target: one control page, the ring of event slots, and the
// records of the sites.
//
//   memfd:  │ Control (4096) │ Slot 0 │ Slot 1 │ … │ Slot kSlots-1 │ Site 0 │ Site 1 │ …
//                                                                    probe.h; since version 2
//
// The target maps the site records on their own, beside the trampolines that reach them.
//
// The ring is a bounded queue with many producers (threads of the target) and one consumer (the
// tool). Slot i is free for ticket t when sequence == t, filled when sequence == t + 1, and free
// again for t + kSlots after the tool took it. A full ring drops the event and counts it: nothing
// in the target ever waits for room. Who writes a field is in its comment: [tool] or [target]. All
// are accessed with atomic operations.
#pragma once

#include "abi/event.h"
#include "abi/version.h"

namespace geist::abi {

inline constexpr uint64_t kMagic = 0x3130747369656721ull;  // "!geist01"
inline constexpr uint32_t kSlots = 128;
inline constexpr uint32_t kControlBytes = 4096;

enum GateState : uint32_t { kGateIdle = 0, kGateWaiting = 1, kGateOpen = 2 };

// A goroutine on whose stack words are watched: when that stack has grown, and lies elsewhere now,
// its thread waits, within the attention budget, until the watch lies there too.
struct StackGate {
  uint64_t g;     // [tool] 0: nobody waits here
  uint32_t gate;  // [both] GateState; back to kGateIdle by the target when its patience ran out
  uint32_t reserved;
};
inline constexpr uint32_t kStackGates = 4;  // as many as there are debug registers

// A watched header that is about to be copied, as a part of an array that grows, of a slice or of a
// value: the thread waits before the bytes are copied, within the attention budget, until a watch
// lies where the header will be. One thread at a time; what is copied meanwhile goes on unseen.
struct CopyGate {
  uint64_t words[4];         // [tool] the watched headers' words; 0: none
  uint64_t to, from, bytes;  // [target] of the copy, while `gate` is kGateWaiting
  uint32_t claimed;          // [target] 1: some thread is here
  uint32_t gate;             // [both] GateState
  uint32_t keeps;  // [target] 1: the source stays in use; 0: it has grown out of its array
  uint32_t reserved;
};

struct Control {
  uint64_t magic;    // [tool] kMagic, before the first instruction of the target
  uint32_t version;  // [tool]
  uint32_t armed;  // [tool, target] 0: the slow path returns at once; the runtime clears it when in
                   // doubt
  // budget and clock
  uint64_t tsc_hz;         // [tool]
  uint64_t start_tsc;      // [tool]
  uint64_t heartbeat_tsc;  // [tool] renewed at least every 100 ms
  uint64_t
      heartbeat_limit;  // [tool] ticks without a heartbeat after which the runtime disarms itself
  uint64_t park_grace_ticks;  // [tool] parked time that is always allowed
  uint32_t park_share;        // [tool] further allowance: this many 65536ths of the elapsed time
  uint32_t park_timeout_us;   // [tool] longest wait of one event
  uint64_t gate_timeout_us;   // [tool] longest wait at exit and at the return of main.main, renewed
                              // by heartbeats
  // layout of g and m
  uint32_t g_goid;  // [tool] offsets
  uint32_t g_m;
  uint32_t m_procid;
  uint32_t m_curg;  // since version 4
  // counters
  uint64_t overwriting;  // [target]
  uint64_t contexts;
  uint64_t recorded;
  uint64_t parked_ticks;
  uint64_t lost_ring_full;
  uint64_t lost_context_table_full;
  uint64_t lost_no_stack;
  uint64_t lost_bad_arguments;
  // ring
  uint64_t head;         // [target] next ticket
  uint32_t published;    // [target] futex: grows with every published event and gate
  uint32_t tool_sleeps;  // [tool] 1 while it waits on `published`
  // gates: the program waits there, bounded, until the tool has judged
  uint32_t exit_gate;     // [both] GateState
  uint32_t main_gate;     // [both] GateState
  uint64_t main_gate_sp;  // [target] SP in main.main at its return
  uint64_t main_gate_g;
  uint32_t tool_pid;  // [tool] who watches, for a second geist to name
  uint32_t reserved2;
  // what watching costs (since version 3)
  uint64_t slow_path_ticks;  // [target] spent in the slow path by all threads, waits left out
  uint64_t gate_ticks;       // [target] spent at the gates
  uint64_t thinned_out;  // [target] overwriting appends that went on unseen for the budget's sake
  uint64_t watch_ticks;  // [tool] what the accesses to watched words have taken
  StackGate stack_gates[kStackGates];  // since version 4
  // layout of p (since version 5)
  uint32_t m_p;  // [tool] offsets; 0 until the tool has seen that they hold in this process
  uint32_t p_status;
  uint32_t p_schedtick;
  uint32_t p_m;
  CopyGate copy_gate;  // since version 7
  uint64_t
      refunded_ticks;     // [tool] waits that the tool's own lateness caused: no part of the budget
  uint64_t released_tsc;  // [tool] when it let a waiting thread go on last
  uint64_t woken_late_ticks;  // [target] of parked_ticks: after that, until the thread ran again
  uint32_t library_rests;     // [tool] 1: sites of the standard library do not wait
  // since version 8
  uint32_t m_locks;        // [tool] offsets
  uint32_t g_go_pc;        //
  uint32_t g_parent_goid;  //
  uint64_t map_table;      // [tool] address of MapTable in the program; 0: maps are not looked at
  uint64_t map_ticks;      // [target] spent on looking at maps, waits left out
};
static_assert(sizeof(Control) <= kControlBytes);
static_assert(offsetof(Control, tsc_hz) == 16);
static_assert(offsetof(Control, overwriting) == 88);
static_assert(offsetof(Control, head) == 152);
static_assert(offsetof(Control, slow_path_ticks) == 200);
static_assert(offsetof(Control, m_p) == 296);

struct Slot {
  uint64_t sequence;  // [both] see above
  uint32_t ack;       // [tool] futex: low 32 bits of ticket + 1 of the last event the tool let go
  uint32_t reserved;
  Event event;
};
static_assert(offsetof(Slot, event) == 16);

inline constexpr uint64_t kRingBytes = kControlBytes + uint64_t{kSlots} * sizeof(Slot);
static_assert(kRingBytes % 4096 == 0);  // the site records behind it begin on a page

}  // namespace geist::abi
