// Which words on the stack of a goroutine that does not run are pointers the program can still use.
//
// Stacks are full of old pointers: dead variables, spilled arguments, frames of calls that
// returned. So the collector's own rule is applied: the slots that the stack maps call live, and
// address-taken variables when a live pointer to them exists. A frame that a signal interrupted has
// no maps; all its words count. Source: runtime/mgcmark.go (scanstack, scanframeworker), go1.21 to
// go1.27.
#pragma once

#include <vector>

#include "heap/goroutines.h"
#include "heap/unwind.h"

namespace geist::heap {

// One of those words, and where it stands; 0 when it is not on the stack.
struct StackRoot {
  TargetAddr at;
  u64 value = 0;
};

// Those words, zeros left out. When the stack cannot be unwound to its top, all words
// of it from sp on.
std::vector<StackRoot> find_stack_root_slots(const process::Memory& memory,
                                             const read::GoBinary& binary,
                                             const Goroutine& goroutine, const ParkedStack& stack);
// The values alone.
std::vector<u64> find_stack_roots(const process::Memory& memory, const read::GoBinary& binary,
                                  const Goroutine& goroutine, const ParkedStack& stack);

}  // namespace geist::heap
