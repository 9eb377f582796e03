// Removals that were compiled without a grow path: append(s[:i], s[i+1:]...) where the compiler knows
// the array, which is made in the same function, and that the result is no longer than it.
//
//     CALL runtime.newobject(AX [5]int)           P, the array; or LEAQ 0x40(SP), on the stack
//     …
//     LEAQ 0(P)(CX*8), AX                         both ends of the copy lie in it
//     LEAQ 8(P)(CX*8), BX
//     CALL runtime.memmove
//
// What is left of such an append is a copy within P. Operand, destination and lengths are what the copy
// is called with; where P begins is told by where the destination lies (judge). Whether the line has an
// append at all, and whether anybody uses the slice as it was later, the source tells
// (keep_told_appends, source/kept_slice.h): to the code both slices are one pointer.
// Source: cmd/compile/internal/walk (appendSlice, OARRAYLIT), cmd/compile/internal/ssa/prove.go,
// runtime/stubs.go memmove, runtime/mbarrier.go typedslicecopy, go1.21 to go1.27.
#pragma once

#include <vector>

#include "sites/append_sites.h"

namespace geist::sites {

// Of the main module's functions; ascending by address. What the other sites replace is left to them.
std::vector<AppendSite> find_removal_sites(const read::GoBinary& binary,
                                           const std::vector<AppendSite>& others);

}  // namespace geist::sites
