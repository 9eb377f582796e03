// What the runtime inside the target tells the tool: one fixed-size slot of the shared ring for
// each recorded event.
//
// Rules: fixed widths, every offset asserted, fields are only ever added at the end under a new
// kVersion. The target writes a slot between claiming and publishing it, the tool reads it after;
// the tool treats every byte as hostile. This header is included by both sides and by freestanding
// code: no library types.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace geist::abi {

inline constexpr uint32_t kMaxOldBytes = 256;      // of the destination before the write
inline constexpr uint32_t kMaxStackBytes = 16384;  // of the goroutine stack from SP up

enum EventKind : uint32_t { kOverwrite = 1 };

struct Event {
  uint32_t kind;  // EventKind
  uint32_t site;  // index of the probed site in the patch plan
  uint64_t tsc;   // when, in time-stamp-counter ticks
  uint64_t g;     // address of the goroutine's g (R14)
  uint64_t goid;
  uint64_t procid;   // kernel thread id as Go's m knows it
  uint64_t context;  // hash of site and return addresses
  uint64_t hit;      // how often this context has overwritten, this one included
  uint64_t old_ptr;  // the append's operand and arguments
  uint64_t new_len;
  uint64_t cap;
  uint64_t num;
  uint64_t elem_size;
  uint64_t dest;       // old_ptr + (new_len - num) * elem_size
  uint64_t dest_size;  // num * elem_size
  uint64_t regs[16];   // at the in-place edge of the branch, hardware numbering
  uint64_t stack_lo;   // g.stack
  uint64_t stack_hi;
  uint32_t old_size;    // bytes used in old_bytes, min(dest_size, kMaxOldBytes)
  uint32_t stack_size;  // bytes used in stack, from regs[rsp] up
  uint32_t parked;  // how many µs from tsc on the thread waits for the tool before it writes; 0: it
                    // does not
  uint32_t reserved;
  uint8_t old_bytes[kMaxOldBytes];
  uint8_t stack[kMaxStackBytes];
};

static_assert(offsetof(Event, tsc) == 8);
static_assert(offsetof(Event, old_ptr) == 56);
static_assert(offsetof(Event, regs) == 112);
static_assert(offsetof(Event, stack_lo) == 240);
static_assert(offsetof(Event, old_size) == 256);
static_assert(offsetof(Event, old_bytes) == 272);
static_assert(offsetof(Event, stack) == 272 + kMaxOldBytes);
static_assert(sizeof(Event) == 272 + kMaxOldBytes + kMaxStackBytes);

}  // namespace geist::abi
