// What the runtime inside the target keeps of reads that are under way: the kernel writes into the
// buffer, so what stood there is taken before, and told when it is known how much was read.
//
// Source: internal/poll/fd_unix.go, go1.21 to go1.27.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/event.h"

namespace geist::abi {

// Site::mode of a site of kRefill.
enum RefillMode : uint32_t {
  kCopies = 0,      // a CALL of what copies
  kReadBegins = 1,  // the entry of a function that reads into its first argument after the receiver
  kReadEnds = 2,    // a return of it
  kListGrows = 3,   // a CALL of growslice for a list whose elements hold slices: an event as of kStale
};

// By the goroutine that reads. Where more read at once than there are places for, some go unseen.
inline constexpr uint32_t kReadPlaces = 4;  // of one goroutine, those that follow each other
inline constexpr uint32_t kPendingReads = 2048;
struct PendingRead {
  uint64_t g;  // 0: free
  uint64_t to;
  uint64_t size;  // of the buffer: at most so many bytes are read
  uint64_t stack_lo, stack_hi;  // g's, as `regs` know it
  uint64_t begin_site;          // address of the entry's record
  uint64_t regs[16];            // at the entry
  uint32_t old_size;            // bytes used in old_bytes
  uint32_t reserved;
  uint8_t old_bytes[kMaxOldBytes];  // of the buffer
};
static_assert(sizeof(PendingRead) == 184 + kMaxOldBytes);

}  // namespace geist::abi
