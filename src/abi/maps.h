// What the runtime knows about the maps that the program uses, for finding two goroutines in
// conflicting operations on one: a table in the memory that is shared, beside the counters. Zero at
// the start; what is left of it can be read after the program's end.
//
//   MapTable │ totals │ return addresses │ claims │ paths │ entries │ retired │
//
//   entry   a map, by its address: who used it last (the trampolines compare that and are done),
//           and the last four goroutines that did
//   path    a way to a map operation: its function and the return addresses; whether others came
//           near it lately, and how often waiting there was in vain
//   mix     what was done with a map, and by whom: in its entry, and in `retired`, by the place of
//           the first operation, when another map takes the entry
//   claim   a goroutine that stands before its operation and waits for company. Whoever comes to
//           the same map meanwhile, one of the two writing, has met it: neither of them has begun
//
// All fields are the target's but for those marked [tool]. The tool treats every word as hostile.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace geist::abi {

// What an operation does; Site::mode of a map function. Those from kMapWrite on change the map.
enum MapOperation : uint32_t {
  kMapRead,
  kMapIterate,
  kMapCopy,
  kMapWrite,
  kMapDelete,
  kMapClear,
  kMapOperations,
  kMapFatal = kMapOperations,  // no operation: runtime.fatal, of which the program dies
  // Nor these, of what becomes of a range over a map (MapWalk).
  kMapStep,      // its next step
  kMapInsert,    // a map gets an entry more
  kMapAssigned,  // an assignment gives back where its entry is
};
inline constexpr bool writes_map(uint32_t operation) {
  return operation >= kMapWrite && operation < kMapOperations;
}

// Site::values of a map function: the map and its type; of kMapFatal the text and its length; of
// kMapStep the iterator; of kMapInsert the map, and the bytes from SP to the return address; of
// kMapAssigned the entry's element.
enum MapValue : uint32_t { kMapAt, kMapType, kMapValues };

inline constexpr uint32_t kMapEntries = 2048;  // by bits 4 to 14 of the address
inline constexpr uint32_t kMapAccesses = 4;
inline constexpr uint32_t kMapPaths = 1024;
inline constexpr uint32_t kMapPathFrames = 16;
inline constexpr uint32_t kMapClaims = 8;
inline constexpr uint32_t kMapClaimFrames = 32;
inline constexpr uint32_t kMapReturns = 512;
inline constexpr uint32_t kMapRetired = 512;
inline constexpr uint32_t kMapMakers = 4;
inline constexpr uint32_t kMapMakerWords = 4;
inline constexpr uint64_t kMapOtherMakers = 1;
inline constexpr uint64_t kMapSeveral = 1;
// MapEntry::owner of a map that somebody has a claim on: nobody's g, so that all look.
inline constexpr uint64_t kMapNoOwner = 1;
// Four random bytes of each map: hmap.hash0 (runtime/map.go, go1.21 to go1.23), the upper half of
// Map.seed (internal/runtime/maps/map.go, from go1.24 on). Clearing a map may change them.
inline constexpr uint64_t kMapSeedOffset = 12;

// What the counts of a mix are of: a copy reads all as a range does, clearing is a delete.
enum MapCount : uint32_t { kCountReads, kCountRanges, kCountWrites, kCountDeletes, kMapCounts };
inline constexpr MapCount count_of(uint32_t operation) {
  switch (operation) {
    case kMapIterate:
    case kMapCopy:
      return kCountRanges;
    case kMapWrite:
      return kCountWrites;
    case kMapDelete:
    case kMapClear:
      return kCountDeletes;
    default:
      return kCountReads;
  }
}
// Both layouts of a map begin with the number of its entries: hmap.count (runtime/map.go, go1.21 to
// go1.23), Map.used (internal/runtime/maps/map.go, from go1.24 on). Both iterators begin with the
// pointer to the key, which is nil before the first step.
inline constexpr uint64_t kMapUsedOffset = 0;
inline constexpr uint64_t kIteratorKeyOffset = 0;
// Of hiter and maps.Iter alike: runtime/map.go, internal/runtime/maps/table.go, go1.21 to go1.27.
inline constexpr uint64_t kIteratorElemOffset = 8, kIteratorTypeOffset = 16,
                          kIteratorMapOffset = 24;

// Goroutines that were made by one go statement. Each sets two bits: in the lower half the one of
// its number, which counts a few that were made in a row; in the upper half the one that its number
// hashes to: from those that are not set one knows about how many there were.
struct MapMakers {
  uint64_t go_pc;  // return address of the go statement; 0: none; kMapOtherMakers: of all others
  uint64_t goroutines[kMapMakerWords];
};

// The trampolines count, by MapCount: operations of the owner, which one thread adds to at a time,
// and those of all others, atomically.
struct MapMix {
  uint64_t own[kMapCounts];
  uint64_t others[kMapCounts];
  uint64_t inserts;     // by how much `used` has grown
  uint64_t used;        // entries of the map when it was seen last; retired: of all
  uint64_t first_ret;   // return address of the first operation
  uint32_t first_path;  // and its path, as index + 1; 0: not known
  uint32_t maps;        // so many
  MapMakers makers[kMapMakers];
};
static_assert(offsetof(MapMix, others) == 32 && offsetof(MapMix, inserts) == 64);
static_assert(offsetof(MapMix, used) == 72 && sizeof(MapMix) == 256);

// The mix of maps whose entries others have by now, of one type and first used at one place.
struct RetiredMix {
  uint64_t key;  // of type and place; 0: free
  uint64_t type;
  uint64_t map;   // which one; kMapSeveral: they are more than one
  uint32_t seed;  // of that
  uint32_t lock;
  MapMix mix;
};

// A goroutine's use of a map, from when it came until another one did.
struct MapAccess {
  uint64_t goid;  // 0: none
  uint64_t g;
  uint64_t tsc;         // of the last one that was seen
  uint64_t read_ret;    // return addresses of the last operations; 0: none
  uint64_t write_ret;   //
  uint32_t read_path;   // and their paths, as index + 1; 0: only the return address is known
  uint32_t write_path;  //
};
static_assert(sizeof(MapAccess) == 48);

struct MapEntry {
  uint64_t map;        // 0: nobody's
  uint64_t owner;      // g of who used it last
  uint64_t read_ret;   // [trampolines] return addresses of the owner's last operations since it
  uint64_t write_ret;  // became that; 0: none
  int32_t rest;        // so many operations of others go on unseen
  uint32_t period;     // what `rest` was set to last, plus one
  uint32_t lock;       // 1: somebody writes what follows
  uint32_t newest;     // of accesses
  uint32_t claimed;    // claims on this map
  uint32_t seed;       // of the map: another one at the same address has another
  uint64_t type;
  MapAccess accesses[kMapAccesses];
  MapMix mix;  // where they count
};
static_assert(offsetof(MapEntry, owner) == 8 && offsetof(MapEntry, read_ret) == 16);
static_assert(offsetof(MapEntry, write_ret) == 24 && offsetof(MapEntry, rest) == 32);
static_assert(offsetof(MapEntry, mix) == 256 && sizeof(MapEntry) == 512);

struct MapPath {
  uint64_t hash;       // 0: free
  uint32_t site;       // Site::id of the map function
  uint32_t frames;     // return addresses; written after them
  uint32_t dangerous;  // 1: others came near it
  uint32_t fruitless;  // times that was waited for company in vain
  uint32_t met;
  uint32_t reserved;
  uint64_t pcs[kMapPathFrames];
};
static_assert(sizeof(MapPath) == 160);

// The range over a map that a goroutine began last, by bits 4 to 11 of the map's address.
inline constexpr uint32_t kMapWalks = 256;
inline constexpr uint32_t kMapWalkFrames = 8, kMapWalkElems = 16;
inline constexpr uint64_t kMapWalkIsTold = uint64_t{1} << 63;
struct MapWalk {
  uint64_t map;       // 0: nobody's
  uint64_t iterator;  // its address
  uint64_t dirty;     // entries that were inserted since its last step; kMapWalkIsTold: an entry that
                      // was inserted in this walk was visited, and the visit inserted another one
  uint64_t goid;
  uint64_t distance;  // of the iterator from the upper end of the goroutine's stack; 0: in the heap
  uint32_t lock;      // 1: somebody writes what follows
  uint32_t elems_noted;
  uint32_t pending;  // 1: an insert has not given back its entry yet
  uint32_t frames;
  uint32_t seed;  // of the map, as MapEntry::seed
  uint32_t elems_before;  // of those noted, that were inserted before the last step
  uint64_t pcs[kMapWalkFrames];   // of the insert: return addresses, innermost first
  uint64_t elems[kMapWalkElems];  // of what was inserted in this walk, the first ones
};
static_assert(offsetof(MapWalk, iterator) == 8 && offsetof(MapWalk, dirty) == 16);
static_assert(sizeof(MapWalk) == 256);

enum ClaimState : uint32_t {
  kClaimFree,
  kClaimFilling,
  kClaimHeld,  // it stands and waits
  kClaimMet,   // somebody has come; it goes on waiting until that one has told so
  kClaimTold,
};

struct MapClaim {
  uint32_t state;  // ClaimState; futex
  uint32_t site;   // Site::id
  uint32_t operation;
  uint32_t path;
  uint64_t map;
  uint64_t g, goid, parent_goid, go_pc;
  uint32_t frames;
  uint32_t reserved;
  uint64_t pcs[kMapClaimFrames];
};

struct MapTable {
  uint64_t sites;       // [tool] address of the first record of a map function, in the program
  uint32_t site_count;  // [tool] they follow each other
  uint32_t hold_us;     // [tool] how long one waits for company; 0: nobody does
  uint32_t held;        // claims there are: as long as there is one, all who come look
  uint32_t counts;      // [tool] 1: the trampolines count, and mixes are kept
  // How often.
  uint64_t looks;        // an operation came to the runtime
  uint64_t near_misses;  // another goroutine had been there within 10 ms, and one of them wrote
  uint64_t holds;
  uint64_t met;
  uint64_t thinned_out;  // operations that were not looked at for the budget's sake
  uint64_t not_held;     // would have waited, but the budget or the claims were used up
  uint64_t paths_full;
  uint64_t uncounted;   // operations of new maps that are in no mix, for the budget's sake
  uint64_t mixes_lost;  // of maps for which there was no room in `retired`
  uint64_t pending_walks;  // those with `pending`
  uint64_t returns[kMapReturns];  // return addresses that others came near, of unknown paths
  MapClaim claims[kMapClaims];
  MapPath paths[kMapPaths];
  alignas(64) MapEntry entries[kMapEntries];
  MapWalk walks[kMapWalks];
  RetiredMix retired[kMapRetired];
};

}  // namespace geist::abi
