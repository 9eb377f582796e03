// Ranges over maps, and what is inserted into those maps meanwhile.
#pragma once

#include "runtime/runtime.h"

namespace geist::runtime {

// At a site of kMapStep, kMapInsert or kMapAssigned, on a goroutine's own stack. Gives the ticks
// waited.
uint64_t look_at_walk(abi::State* state, abi::Control* control, abi::MapTable* table,
                      const abi::Site* site, const Saved* saved, uint64_t now);

}  // namespace geist::runtime
