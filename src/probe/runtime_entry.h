// The way from a trampoline into the runtime.
#pragma once

#include "x86/assembler.h"

namespace geist::probe {

// Below the stack pointer: the frame of runtime/entry_x86_64.S (FRAME_BYTES), and a word that it
// pushes under it.
inline constexpr u64 kEntryFrameBytes = 144;
inline constexpr u64 kEntryStackBytes = kEntryFrameBytes + 8;

// RAX saved below SP, RAX := the record of the site, and off to the entry. The runtime goes on at
// the record's resume address, with everything as it was.
void emit_runtime_entry(x86::Assembler& as, u64 site_record, u64 entry);

}  // namespace geist::probe
