// Bringing the runtime into a process: which memory it takes there, mapping and filling it. Shared
// by launch and attach, which differ in how a system call is made in the process (remote_call.h)
// and in who may be running.
//
//   region (code, trampolines)                 near the program's code      [anonymous]
//     with the site records in it, shared with us                           [memfd:geist-ring]
//   state (contexts, private stacks)           anywhere                     [anonymous]
//   ring (control page, slots)                 anywhere, shared with us     [memfd:geist-ring]
#pragma once

#include "probe/patch_plan.h"
#include "process/process_info.h"
#include "process/remote_call.h"
#include "process/shared_ring.h"

namespace geist::process {

// Where the parts are in the process; a zero address: not there yet.
struct Footprint {
  TargetAddr region;
  u64 region_size = 0;
  TargetAddr state;
  TargetAddr ring;
};

// A gap that every part of the code reaches with a rel32, as far up as possible: brk grows from
// just behind .bss, at a random distance.
Result<TargetAddr> find_gap(const std::vector<MapEntry>& maps, TargetAddr text, TargetAddr etext,
                            u64 size);

// Maps region (at footprint.region, which must be free) and state.
Status map_code_and_state(RemoteProcess& process, const probe::RegionShape& shape,
                          Footprint& footprint);
// Makes the ring and, behind it in the same file, the site records, which lie in the region: a
// memfd that the process makes, that we open through /proc, and that is closed there again.
// Replaces the one at footprint.ring if there is one.
Result<SharedRing> map_ring(RemoteProcess& process, const probe::RegionShape& shape,
                            Footprint& footprint, const read::Layout& layout, const Budget& budget);
// Gives back what a footprint has.
Status unmap(RemoteProcess& process, const Footprint& footprint);

// Fills region and state. Nobody may be running in the region.
Status write_region(const WritableMemory& memory, const probe::PatchPlan& plan,
                    const Footprint& footprint);

}  // namespace geist::process
