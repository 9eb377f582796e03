// geist advise maps: a mix of operations ──▶ benchmarks of the kinds of shared maps ──▶ a table, a sentence.
//
// Every kind does the same operations in the same order, goroutine by goroutine; the benchmarks count
// them and the entries that are left, and figures of kinds that differ in these are refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "advise/bench.h"

namespace geist::advise {

struct Mix {
  u64 reads = 0, updates = 0, inserts = 0, deletes = 0, ranges = 0;  // parts of total()
  u64 total() const { return reads + updates + inserts + deletes + ranges; }
  std::string text() const;  // "95/5/0", all five when there are deletes or ranges
};
// "95/5/0", "90/5/3/2", "90/5/3/1/1". Fails with what is wrong with it.
Result<Mix> read_mix(std::string_view text);

// Counts of any size as parts of a million at most, of which none that was there is 0.
Mix scale_mix(const Mix& counted);

constexpr u64 kMostGoroutines = 1024;
struct MapUse {
  Mix mix;
  u64 goroutines = 8;
  u64 keys = 1024;
  bool has_string_keys = true;
  std::string source;                    // "--mix", "counted of main.cache": where the mix is from
  std::vector<std::string> others = {};  // other maps that were counted, by name
};

enum class MapKind : u8 { kMutex, kRwMutex, kSyncMap, kShards, kRwShards };
struct MapKindName {
  MapKind kind;
  std::string_view name, text;
};
constexpr MapKindName kMapKinds[] = {
    {MapKind::kMutex, "mutex", "map with a Mutex"},
    {MapKind::kRwMutex, "rwmutex", "map with a RWMutex"},
    {MapKind::kSyncMap, "sync_map", "sync.Map"},
    {MapKind::kShards, "shards", "32 maps, a Mutex each"},
    {MapKind::kRwShards, "rw_shards", "32 maps, a RWMutex each"},
};

// How many operations one round of a benchmark has.
u64 operations_of(const MapUse& use);
std::string emit_map_bench(const MapUse& use);

struct MapAdvice {
  std::string go;
  MapUse use;
  std::vector<Measured> kinds;  // as kMapKinds
  u64 rounds = 0, operations = 0;
};
// Fails as Bench does, and when the kinds did not do the same.
Result<MapAdvice> measure_maps(const MapUse& use, const Bench& bench, u64 rounds);

MapKind choose_map(const std::vector<Measured>& kinds);
std::string emit_map_sentence(const MapAdvice& advice);
std::string emit_map_text(const MapAdvice& advice);
std::string emit_map_json(const MapAdvice& advice);

}  // namespace geist::advise
