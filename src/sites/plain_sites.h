// Plain append sites: appends that were compiled without a grow path, as far as the code shows them.
//
//     CALL runtime.makeslice(AX type, BX 3, CX 6)      constant length and capacity
//     MOVQ AX, 0x40(SP)                                P, the array
//     …
//     MOVQ DX, 0x30(P)                                 beyond the length it was made with: an append
//
// Where the compiler knows that there is room (make with a constant capacity and append in one
// function, also after inlining) it leaves growslice out, and what is left is a store. But nobody
// stores beyond the length that a slice was made with, through the pointer that makeslice returned,
// but an append, who sliced it longer by hand, or who writes to an element that an append has put
// there: s[3] = x. So P is followed through registers and words of the frame, on all ways; stores
// with a constant offset after the made length are taken together to appends by their line. Of
// these, operand, lengths and capacity are known, as of any other site. That they are appends the
// code cannot tell, only the source of their line can: see keep_told_appends (plain_appends.h).
//
// Copies within an array: removal_sites.h. Not found: arrays on the stack, appends of a length that is not constant, the standard library's.
// Source: cmd/compile/internal/walk (OMAKESLICE), cmd/compile/internal/ssagen (append),
// runtime/slice.go makeslice, go1.21 to go1.27.
#pragma once

#include <vector>

#include "sites/append_sites.h"

namespace geist::sites {

// Ascending by address. What the other sites replace is left to them.
std::vector<AppendSite> find_plain_sites(const read::GoBinary& binary,
                                         const std::vector<AppendSite>& others, unsigned threads);

}  // namespace geist::sites
