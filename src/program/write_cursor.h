// Is the slice that an append gives back only written through, as the place where to put the next
// element?
//
//   row := dst[i][:0]                        row is a cursor: nobody reads through it, and it goes
//   for j := range a { row = append(row, v) }    nowhere. Whoever has dst[i] is meant to see v.
//
//   kept := c.items[:0]                      kept is no cursor: it is returned. Who has c.items may
//   for … { kept = append(kept, x) }         not know what became of it.
//   return kept
//
// The pointer is followed forward over all ways through the function, in registers and in words of
// the frame, into the functions that it is handed to and back. Stores through it, growing and being
// the target of a copy are a cursor's; stores of it to other memory, and every call that keeps it
// are not. Nor are loads through it, but for those of a loop that goes on to append: a filter that
// drops what is there already looks back at what it has kept. What is not understood is not a
// cursor's either. Source: cmd/compile/abi-internal.md; runtime/stubs.go, mbarrier.go; the code of
// Go 1.21 to 1.27.
#pragma once

#include <functional>
#include <set>

#include "program/origins.h"

namespace geist::program {

class CodeCache;

// What becomes of a pointer in a function.
struct CursorUse {
  bool is_kept = false;       // it is used in another way than a cursor's
  bool is_read = false;       // elements are read through it
  x86::RegMask returned = 0;  // the result registers that may hold it when the function returns
};

// What a call does with a pointer that is in these argument registers; `target` is 0 for a call
// through a register.
using CallUse = std::function<CursorUse(ImageAddr target, x86::RegMask held)>;
// As the code of a binary tells, a few calls deep. The cache must outlive it.
CallUse call_use(CodeCache& codes);

// The argument that a function gives back as its first result: the slice that it was handed, longer
// perhaps, as strconv.AppendInt does. Nothing when it keeps it, or gives back another.
std::optional<x86::Reg> passed_on_argument(const CallUse& calls, ImageAddr target);

// Where the append, or the call that it is in, comes again.
struct AppendLoop {
  u32 append = 0;          // the instruction
  std::set<u32> restarts;  // blocks where the slice begins anew: after those it is another round
  // Stores of the pointer to the variable that it was loaded from: it stays where it was.
  std::set<u32> homes;
};

// Of the pointer in `held`, and in the frame's word `slot` if there is one, from instruction `start`
// on. A read is a cursor's where the way leads back to the append of `loop`; without one each is.
CursorUse follow_cursor(const FunctionCode& code, u32 start, x86::RegMask held,
                        std::optional<i64> slot, const Callees& callees, const CallUse& calls,
                        const AppendLoop* loop = nullptr);

}  // namespace geist::program
