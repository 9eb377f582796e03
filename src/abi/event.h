// What the runtime inside the target tells the tool: one fixed-size slot of the shared ring for
// each recorded event.
//
//   Event  │ whose, where, when │ registers │ facts of its detector │
//          │ the other side │ old bytes │ stack │
//
// Rules: fixed widths, every offset asserted, a change of anything is a new kVersion (version.h).
// The target writes a slot between claiming and publishing it, the tool reads it after; the tool
// treats every byte as hostile. This header is included by both sides and by freestanding code: no
// library types.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace geist::abi {

inline constexpr uint32_t kMaxOldBytes = 256;      // of the destination before the write
inline constexpr uint32_t kMaxStackBytes = 16384;  // of the goroutine stack from SP up
inline constexpr uint32_t kMaxFacts = 16;          // words

// Who asked for a site, and says what the facts of its events are. Numbers are never used again.
enum Detector : uint16_t { kNoDetector = 0, kAppend = 1, kMaps = 2, kRefill = 3, kLists = 4, kStale = 5 };

// kAppend: an append that found room is about to write. kRefill: a copy is, as an append to an
// empty slice at its destination would, or the kernel has written (probe/refill_probes.h); `site` is
// the point's record. kStale: an append that found no room is about to move its array, as an append
// of all old elements to an empty slice at the array's begin would be (probe/stale_probes.h).
struct AppendFacts {
  uint64_t old_ptr;  // the append's operand and arguments
  uint64_t new_len;
  uint64_t cap;
  uint64_t num;
  uint64_t elem_size;
  uint64_t dest;       // old_ptr + (new_len - num) * elem_size
  uint64_t dest_size;  // num * elem_size
};

enum MapEventKind : uint64_t {
  kMapMet = 1,   // two goroutines stand before conflicting operations on one map
  kMapDies = 2,  // the program ends, since its runtime has found a map in use by two
  // Of a range over a map, before its next step. old_bytes has the return addresses of the insert.
  kMapWalked = 3,   // the loop has inserted an entry
  kMapChained = 4,  // likewise, on the visit of an entry that it had inserted
  kMapAgain = 5,    // after that the goroutine walks over the same map once more
};

// kMaps. The event is told by the one who came second; of kMapMet, old_bytes has the return
// addresses of who stood there, innermost first, and other_g and other_site are its. Of kMapDies it
// has the begin of the message, and the facts after `kind` are those of the goroutine that dies.
struct MapFacts {
  uint64_t kind;         // MapEventKind
  uint64_t map;          // address; 0: not known
  uint64_t type;         // of the map: address of its abi.Type, 0: not known
  uint64_t operation;    // MapOperation
  uint64_t parent_goid;  // who made the goroutine; 0: nobody, or not known
  uint64_t go_pc;        // where: return address of the go statement
  uint64_t other_operation;
  uint64_t other_goid;
  uint64_t other_parent_goid;
  uint64_t other_go_pc;
};

enum ListEventKind : uint64_t {
  kListStale = 1,    // Next or Prev of an element that is in no list
  kListTorn = 2,     // an element of the list is moved or removed, and its neighbours do not know it
  kListForeign = 3,  // an operation of an element that is in another list, which does nothing
};

// kLists. Of kListStale, `list` and the neighbours are those that the element had when it was removed,
// old_bytes has the return addresses of who did it, innermost first, and other_site is its record.
struct ListFacts {
  uint64_t kind;       // ListEventKind
  uint64_t operation;  // ListOperation
  uint64_t element;    // address; of an insertion the mark
  uint64_t owner;      // the list that the operation is one of; 0: not known
  uint64_t list;       // the list that the element says it is in
  uint64_t next;
  uint64_t prev;
  uint64_t has_removal;  // 1: kListStale, and it is known who removed it
  uint64_t removal_goid;
};

struct Event {
  uint32_t detector;  // Detector
  uint32_t site;      // index of the probed site in the plan; all but kAppend: of the site's record
  uint64_t tsc;       // when, in time-stamp-counter ticks
  uint64_t g;         // address of the goroutine's g (R14)
  uint64_t goid;
  uint64_t procid;    // kernel thread id as Go's m knows it
  uint64_t context;   // hash of site and return addresses
  uint64_t hit;       // how often this context has had such an event, this one included
  uint64_t regs[16];  // where the probed code was left, hardware numbering
  uint64_t stack_lo;  // g.stack
  uint64_t stack_hi;
  uint32_t parked;  // how many µs from tsc on the thread waits for the tool before it writes; 0: it
                    // does not
  uint32_t facts_size;  // bytes used of the facts
  uint32_t old_size;    // bytes used in old_bytes
  uint32_t stack_size;  // bytes used in stack, from regs[rsp] up
  // By `detector`. Words nobody uses are zero.
  union {
    uint64_t facts[kMaxFacts];
    AppendFacts append;
    MapFacts map;
    ListFacts list;
  };
  uint64_t other_g;  // who else was there, of events between two goroutines; 0: nobody
  uint64_t other_site;
  uint64_t reserved;  // 0
  uint8_t old_bytes[kMaxOldBytes];
  uint8_t stack[kMaxStackBytes];
};

static_assert(sizeof(AppendFacts) == 56 && sizeof(AppendFacts) <= kMaxFacts * 8);
static_assert(sizeof(ListFacts) == 72 && sizeof(ListFacts) <= kMaxFacts * 8);
static_assert(sizeof(MapFacts) == 80 && sizeof(MapFacts) <= kMaxFacts * 8);
static_assert(offsetof(Event, tsc) == 8);
static_assert(offsetof(Event, regs) == 56);
static_assert(offsetof(Event, stack_lo) == 184);
static_assert(offsetof(Event, parked) == 200);
static_assert(offsetof(Event, facts) == 216 && offsetof(Event, append) == 216);
static_assert(offsetof(Event, other_g) == 344);
static_assert(offsetof(Event, old_bytes) == 368);
static_assert(offsetof(Event, stack) == 368 + kMaxOldBytes);
static_assert(sizeof(Event) == 368 + kMaxOldBytes + kMaxStackBytes);

}  // namespace geist::abi
