// Emits the trampoline of one append site. See patch_plan.h for its shape.
#pragma once

#include "base/bytes.h"
#include "probe/displace.h"
#include "x86/assembler.h"

namespace geist::probe {

struct TrampolinePlace {
  LoadBias bias;
  u64 at = 0;           // where it will stand
  u64 site_record = 0;  // address of its abi::Site
  u64 entry_event = 0;  // runtime entry
  bool thorough = false;  // go there whatever the destination holds
};

struct Trampoline {
  std::vector<u8> bytes;
  u64 resume = 0;  // where the runtime goes on after an event
};

// Nothing when an instruction cannot be relocated or encoded.
std::optional<Trampoline> emit_append_trampoline(const program::FunctionCode& code, const program::AppendSite& site,
                                                 const Displaced& displaced, ByteView function_bytes,
                                                 const TrampolinePlace& place);

// A trampoline that enters the runtime before the displaced instructions: for runtime.exit and main.main's returns.
std::optional<Trampoline> emit_hook_trampoline(const program::FunctionCode& code, const Displaced& displaced,
                                               ByteView function_bytes, const TrampolinePlace& place);

}  // namespace geist::probe
