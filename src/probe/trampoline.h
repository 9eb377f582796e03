// Emits the trampoline of one append site. See patch_plan.h for its shape.
#pragma once

#include "abi/probe.h"
#include "base/bytes.h"
#include "probe/counting.h"
#include "probe/displaced_code.h"
#include "x86/assembler.h"

namespace geist::probe {

struct TrampolinePlace {
  LoadBias bias;
  u64 at = 0;           // where it will stand
  u64 site_record = 0;  // address of its abi::Site
  u64 entry_event = 0;  // runtime entry
  abi::SiteMode mode = abi::kWatch;
  bool thorough = false;  // watch: enter whatever the destination holds
  CounterPlace counter = {};
};

struct Trampoline {
  std::vector<u8> bytes;
  u64 resume = 0;  // where the runtime goes on after an event
};

// Nothing when an instruction cannot be relocated or encoded, or the code is not what the site
// says.
std::optional<Trampoline> emit_append_trampoline(const sites::AppendSite& site,
                                                 const DisplacedCode& code,
                                                 const TrampolinePlace& place);

// A trampoline that enters the runtime before the displaced instructions: for runtime.exit and
// main.main's returns.
std::optional<Trampoline> emit_hook_trampoline(const DisplacedCode& code,
                                               const TrampolinePlace& place);

// What a healed site's CALL goes to in the place of growslice or one of its relatives (`called`),
// and jumps on from:
//
//     newLen (RBX) > oldCap (RCX)?          growslice's own condition
//       ─yes─▶ called                       an append that had no room
//       ─no──▶ growslice with oldCap := newLen - num     a healed one
//
// With the true capacity growslice would double it at every healed append. With the length in its
// place the effect is that of append(s[:len(s):len(s)], …). A healed append never goes to a
// relative: growsliceBuf may return the array it was given, and the NoAlias variants free it.
// Source: runtime/slice.go, go1.21 to go1.27.
std::optional<Trampoline> emit_healing_call(u64 at, u64 called, u64 growslice);

}  // namespace geist::probe
