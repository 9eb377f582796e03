// What the judge's steps leave out where there is more than they look at, counted where it happens;
// loss.inc has the words.
#pragma once

#include "base/ints.h"

namespace geist::judge {

struct LeftOut {
  u64 victims = 0;       // of one event: beyond as many as a case has
  u64 heap = 0;          // times that a part of the heap was not searched for victims
  u64 goroutines = 0;    // not searched for victims: too many
  u64 stacks = 0;        // not searched for victims: too large
  u64 unread = 0;        // goroutines that did not hold together when they were read
  u64 header_reads = 0;  // of a victim that is read all the time; the latest count
  u64 copies = 0;        // of a victim's header that were not followed
  u64 holders = 0;       // objects on the ways to a victim's name
};

}  // namespace geist::judge
