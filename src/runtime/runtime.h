// The runtime: freestanding C++ that lives inside the target and runs on a private stack, between a
// trampoline's jump in and its jump out. Ground rules, each with a test in tests/unit/runtime or
// tests/e2e:
//   - no libc, no allocation, no global constructors, no exceptions, no vector registers, no system
//     call but futex;
//   - never blocks but for the bounded waits of the attention budget and the gates;
//   - reads the program's memory only where the program itself is about to access it, or inside its
//     own g's stack;
//   - re-entrant: any number of threads, signals anywhere; state is changed by single atomic
//     operations;
//   - in doubt it counts, disarms itself and returns.
#pragma once

#include "abi/maps.h"
#include "abi/probe.h"
#include "abi/ring.h"

namespace geist::runtime {

// Registers at the in-place edge, hardware numbering, then flags and the resume address; laid out
// by entry_x86_64.S.
struct Saved {
  uint64_t regs[16];
  uint64_t flags;
  uint64_t resume;
};

inline uint64_t load64(uint64_t address) {
  return *reinterpret_cast<const volatile uint64_t*>(address);
}

// Counts one overwriting append in this context; returns how often it has been seen, 0 when the
// table is full.
uint64_t count_context(abi::State* state, abi::Control* control, uint64_t hash);
// Hash of the site and up to kContextFrames return addresses found through saved frame pointers
// within [sp, stack_hi).
uint64_t hash_context(const abi::Site* site, const Saved* saved, uint64_t stack_hi);

// The value there, as the program has it now.
uint64_t evaluate(const abi::Location& location, const Saved* saved);
uint64_t mix_hash(uint64_t hash, uint64_t word);

// What is about to happen, computed from the site's locations.
struct Append {
  abi::AppendFacts facts;
  bool plausible;
};
Append read_append(const abi::Site* site, const Saved* saved);

// What an event says besides who was where.
struct Telling {
  const uint64_t* facts;
  uint32_t facts_size;  // bytes, whole words
  uint32_t old_size;    // bytes at old_from; more than kMaxOldBytes are left out
  uint64_t old_from;
  uint64_t other_g, other_site;
  uint64_t context, hit;
};
// Puts the event into the ring and, within the attention budget, waits until the tool has looked.
// Gives the ticks of that wait.
uint64_t record(abi::State* state, abi::Control* control, const abi::Site* site, const Saved* saved,
                const Telling& telling, uint64_t now);

// The return address of the frame, whose word is `frame_bytes` above SP (-1: not known), then those
// that the chain of frame pointers leads to. Gives their number.
uint32_t read_returns(const Saved* saved, uint64_t stack_hi, int64_t frame_bytes, uint64_t* pcs,
                      uint32_t most);

// Counts an event of the site and those that were skipped before it, and decides how many of the
// next are skipped.
void count_and_thin(abi::Control* control, abi::Site* site, bool overwrites, uint64_t now);
// Is the `hit`th event of its context told?
bool is_told(const abi::Control* control, const abi::Site* site, uint64_t hit, uint64_t now);

// At the entry and at the returns of a function that the kernel reads into a buffer for. The latter
// gives the ticks that the thread waited.
void begin_read(abi::Site* site, const Saved* saved, abi::State* state);
uint64_t end_read(const abi::Site* site, const Saved* saved, abi::State* state,
                  abi::Control* control, uint64_t now);

// Less than half of the time that the program may wait and be slowed down has been spent.
bool is_half_budget_left(const abi::Control* control, uint64_t now);

// The thread's P begins a new time slice: before and after a wait.
void begin_time_slice(const abi::Control* control, uint64_t m);

// At a map function, and at runtime.fatal.
void look_at_map(abi::Site* site, const Saved* saved, abi::State* state, abi::Control* control);

// At an operation of a list.
void look_at_list(abi::Site* site, const Saved* saved, abi::State* state, abi::Control* control);

// True while the tool shows signs of life; otherwise disarms.
bool tool_is_alive(abi::Control* control, uint64_t now);

extern "C" {
void geist_on_overwrite(abi::Site* site, const Saved* saved, abi::State* state);
void geist_on_exit(abi::Site* site, const Saved* saved, abi::State* state);
void geist_on_main_return(abi::Site* site, const Saved* saved, abi::State* state);
// On the system stack, in runtime.newstack behind its call of copystack: the goroutine's stack has
// grown.
void geist_on_stack_moved(abi::Site* site, const Saved* saved, abi::State* state);
// At a call of memmove in the runtime, when what is copied lies near a watched header: AX to, BX
// from, CX bytes.
void geist_on_copy(abi::Site* site, const Saved* saved, abi::State* state);
// At a point that is no append: counts it, in Site.seen, and hands it to its detector.
void geist_on_point(abi::Site* site, const Saved* saved, abi::State* state);
}

}  // namespace geist::runtime
