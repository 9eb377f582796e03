// What is done with each map, and by whom (abi::MapMix), as far as the trampolines do not count it
// themselves: the begin of a map, its end, and the goroutines.
#pragma once

#include <stdint.h>

#include "abi/maps.h"

namespace geist::runtime {

// By hand, and so that no compiler makes a call of memset of it: there is none.
template <typename T>
void clear(T* what) {
  static_assert(sizeof(T) % 8 == 0);
  volatile uint64_t* words = reinterpret_cast<volatile uint64_t*>(what);
  for (uint32_t i = 0; i < sizeof(T) / 8; ++i) words[i] = 0;
}

// An operation on a map, as far as its mix is concerned.
struct MixVisit {
  uint64_t map, type;  // type 0: on a goroutine's own stack, of which nothing is kept
  uint64_t goid, go_pc, ret;
  uint32_t operation, path;
};

// Before the entry becomes this map's, whose lock the caller has. What was counted of another map is
// retired; of one at the same address and of its type it goes on, since clearing changes the seed.
void begin_mix(abi::MapTable* table, abi::MapEntry* entry, const MixVisit& v);
// The goroutine of the operation; under the same lock.
void note_maker(abi::MapMix* mix, const MixVisit& v);

}  // namespace geist::runtime
