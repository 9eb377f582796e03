// Bringing the runtime into a process: which memory it takes there, mapping and filling it, and
// writing patches. Shared by launch and attach, which differ in how a system call is made in the
// process (remote_call.h) and in who may be running.
//
//   region (code, trampolines)                 near the program's code      [anonymous]
//     with the site records in it, shared with us                           [memfd:geist-ring]
//   state (contexts, private stacks)           anywhere                     [anonymous]
//   ring (control page, slots)                 anywhere, shared with us     [memfd:geist-ring]
#pragma once

#include "probe/patch_plan.h"
#include "target/process_info.h"
#include "target/remote_call.h"
#include "target/shared_ring.h"

namespace geist::target {

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

// Code is written a page at a time, so that whatever happens to us each of its patches is there or
// not. Over a page boundary the JMP at a patch's begin is in the first page, and what lies behind
// it is changed while nobody can get there.
bool can_write_patch(const probe::CodePatch& patch);
// While all threads are held. Those whose code is not what it should be are left as they are, and
// returned.
using Patches = std::vector<const probe::CodePatch*>;
Result<Patches> write_patches(const WritableMemory& memory, const Patches& patches);
Result<Patches> restore_patches(const WritableMemory& memory, const Patches& patches);

}  // namespace geist::target
