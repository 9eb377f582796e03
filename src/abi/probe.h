// What the tool puts into the target's memory beside the code: descriptions of the probed sites and
// the runtime's own private state. Written once before the target's first instruction; counters are
// the runtime's and the trampolines'. The sites lie in the shared mapping (ring.h), so that their
// counters can be read after the target's end.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/lists.h"
#include "abi/reads.h"
#include "abi/version.h"

namespace geist::abi {

// program::ValueLocation, resolved for the running process.
enum LocationKind : uint8_t {
  kConstant = 0,
  kRegister = 1,
  kStackSlot = 2,
  kMemory = 3,
  kMemoryViaSlot = 4,
  kAbsolute = 5,
};

struct Location {
  uint8_t kind;  // LocationKind
  uint8_t reg;
  uint16_t reserved;
  int32_t disp;  // kStackSlot: from SP; kMemory, kMemoryViaSlot: from the pointer
  int64_t addend;
  uint64_t extra;  // kMemoryViaSlot: slot's offset from SP; kAbsolute: the address read
};
static_assert(sizeof(Location) == 24);

// What a site's trampoline does with an append that finds room. Fixed when the trampoline is made.
enum SiteMode : uint32_t {
  kWatch = 0,  // an overwriting one enters the runtime, then writes
  kHeal = 1,   // an overwriting one takes the grow path, as if the capacity ended at the length
  kHealAlways = 2,  // each one does
};

// Where the values are that a detector's events are made of.
inline constexpr uint32_t kMaxValues = 6;
enum AppendValue : uint32_t { kOldPtr, kNewLen, kCap, kNum, kType, kAppendValues };
static_assert(kAppendValues <= kMaxValues);

struct Site {
  uint32_t id;
  uint16_t detector;    // [tool] Detector: what its events are (since version 6)
  uint16_t in_library;  // 1: a site of the standard library, which gets a smaller part of the
                        // attention budget; 2: likewise, of other elements than bytes
  uint64_t resume;      // trampoline address that goes on with the in-place path
  uint64_t elem_size;   // 0: read it from the abi.Type that values[kType] gives
  uint64_t skip;  // [target] so many overwriting appends go on without the slow path (hot sites are
                  // thinned out)
  uint64_t period;    // [target] what `skip` was set to last, plus one: how many appends the next
                      // event stands for
  uint64_t seen;      // [target] overwriting appends so far
  uint64_t recorded;  // [target] events of this site
  Location values[kMaxValues];  // [tool] by detector, kAppend: AppendValue, kMaps: MapValue,
                                // kLists: ListValue
  uint32_t mode;                // [tool] SiteMode (since version 2); kMaps: MapOperation, kLists:
                                // ListOperation, kRefill: RefillMode
  uint32_t reserved;
  uint64_t healed;  // [target] appends that were sent to the grow path (since version 2)
  uint64_t
      thinned_out;  // [target] appends that went on unseen for the budget's sake (since version 3)
};
static_assert(offsetof(Site, detector) == 4 && offsetof(Site, in_library) == 6);
static_assert(offsetof(Site, resume) == 8);
static_assert(offsetof(Site, skip) == 24);
static_assert(offsetof(Site, values) == 56);
static_assert(offsetof(Site, mode) == 56 + kMaxValues * sizeof(Location));
static_assert(offsetof(Site, healed) == 208);
static_assert(offsetof(Site, thinned_out) == 216);
static_assert(sizeof(Site) == 224);

// The record of a place where headers may be copied (CopyGate) has in `period` and `healed` the
// lowest and the highest byte of what is watched, [tool]: the trampoline compares before anything
// else. `reserved` is CopyGate::keeps.
static_assert(offsetof(Site, period) == 32);

inline constexpr uint32_t kPrivateStacks = 64;  // one bit each in a word
inline constexpr uint32_t kPrivateStackBytes = 8192;
inline constexpr uint32_t kContextSlots = 16384;
inline constexpr uint32_t kContextFrames = 8;

struct ContextEntry {
  uint64_t hash;  // 0: free
  uint64_t hits;
};

// The runtime's memory: anonymous, private to the target. Offsets of the first three are used by
// entry_x86_64.S. A child made by fork finds its first page zero (MADV_WIPEONFORK): no stack is
// free, there is no control page, nothing is told.
inline constexpr uint32_t kWipedBytes = 4096;
struct State {
  uint64_t free_stacks;  // bit set: stack free
  uint64_t control;      // address of the shared Control
  uint64_t slots;        // address of the first Slot
  uint64_t reserved;
  ContextEntry contexts[kContextSlots];
  alignas(16) uint8_t stacks[kPrivateStacks][kPrivateStackBytes];
  RemovedElement removed[kRemovedElements];  // nobody touches it where lists are not looked at
  PendingRead reads[kPendingReads];          // likewise, where refills are not
};
static_assert(offsetof(State, free_stacks) == 0);
static_assert(offsetof(State, contexts) == 32);

}  // namespace geist::abi
