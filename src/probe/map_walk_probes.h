// Where a range over a map goes on, where a map gets an entry more, and where an assignment gives
// back its entry (runtime/map_walks.cc).
//
//   runtime.mapiternext, internal/runtime/maps.(*Iter).Next    before each step, the first included
//   INCQ (M) in the functions that insert                      both layouts begin with the number
//                                                              of entries
//   RETs of runtime.mapassign*                                 AX: the entry's element
//
// Source: runtime/map*.go and internal/runtime/maps/*.go, go1.21 to go1.27.
#pragma once

#include <vector>

#include "abi/maps.h"
#include "probe/patch_plan.h"

namespace geist::probe {

inline constexpr usize kMostMapWalkProbes = 80;

// Empty when the steps cannot be looked at: then nothing else is of use.
std::vector<PointProbe> find_map_walk_probes(const read::GoBinary& binary);

// Of the map in a register of the program's; `frame_bytes` from SP to the return address.
Primitive look_at_insert(x86::Reg map, i64 frame_bytes);
Primitive look_at_step(x86::Reg iterator);
Primitive look_at_assigned();

}  // namespace geist::probe
