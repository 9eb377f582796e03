// Writing patches into the code of a process, and taking them back. Code is written a page at a
// time, so that whatever happens to us each patch is there or not. Over a page boundary the JMP at
// a patch's begin is in the first page, and what lies behind it is changed while nobody can get
// there: upwards when it is written, downwards when it is taken back.
#pragma once

#include <vector>

#include "probe/patch_plan.h"
#include "process/writable_memory.h"

namespace geist::process {

using Patches = std::vector<const probe::CodePatch*>;

// Is the whole JMP in one page?
bool can_write_patch(const probe::CodePatch& patch);

// While all threads are held; patches do not overlap. Those whose code is not what it should be are
// left as they are, and returned.
Result<Patches> write_patches(const WritableMemory& memory, const Patches& patches);
Result<Patches> restore_patches(const WritableMemory& memory, const Patches& patches);

}  // namespace geist::process
