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
// the frame. Stores through it, growing and being the target of a copy are a cursor's; loads
// through it, stores of it to other memory, and every call or return that takes it are not. What is
// not understood is not a cursor's either. Source: cmd/compile/abi-internal.md; runtime/stubs.go,
// mbarrier.go; the code of Go 1.21 to 1.27.
#pragma once

#include <functional>

#include "program/origins.h"

namespace geist::program {

// Which argument registers a callee may read or keep; `target` is 0 for a call through a register.
using TakenArguments = std::function<x86::RegMask(ImageAddr target)>;
// As the names and the code of a binary tell. The cache must outlive it.
class CodeCache;
TakenArguments taken_arguments(CodeCache& codes);

struct AppendResult {
  ImageAddr inplace_entry;  // first instruction after the branch, when there was room
  Location ptr;             // the pointer there
};

// `read_by_caller`: the result registers of this function that its caller reads.
bool is_write_cursor(const FunctionCode& code, const AppendResult& result, const Callees& callees,
                     const TakenArguments& taken, x86::RegMask read_by_caller);

// The registers of `results` that are read after a call returned to `after`, before they are
// written. At a return of this function too, those that are left go into `passed_on`.
x86::RegMask read_after(const FunctionCode& code, ImageAddr after, x86::RegMask results,
                        const TakenArguments& taken, x86::RegMask* passed_on);

}  // namespace geist::program
