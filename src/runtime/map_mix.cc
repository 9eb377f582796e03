// Mixes of maps: an entry's is begun with its map, and added to a retired one when another map takes
// the entry. All of it runs under the entry's lock; a retired mix has one of its own, since several
// entries end in it.
#include "runtime/map_mix.h"

#include "runtime/runtime.h"
#include "runtime/sys.h"

namespace geist::runtime {

using abi::MapEntry;
using abi::MapMakers;
using abi::MapMix;
using abi::MapTable;
using abi::RetiredMix;

namespace {

bool is_empty(const MapMix& mix) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < abi::kMapCounts; ++i) sum |= mix.own[i] | mix.others[i];
  return sum == 0;
}

// The last one stands for all that there is no room for.
MapMakers* makers_of(MapMix* mix, uint64_t go_pc) {
  for (MapMakers& makers : mix->makers) {
    if (makers.go_pc == 0) makers.go_pc = go_pc;
    if (makers.go_pc == go_pc) return &makers;
  }
  MapMakers* last = &mix->makers[abi::kMapMakers - 1];
  last->go_pc = abi::kMapOtherMakers;
  return last;
}

void add_to(MapMix* sum, MapMix* part) {
  for (uint32_t i = 0; i < abi::kMapCounts; ++i) {
    sum->own[i] += part->own[i];
    sum->others[i] += part->others[i];
  }
  sum->inserts += part->inserts;
  sum->used = part->maps == 0 ? part->used : sum->used + part->used;
  sum->maps += part->maps;
  sum->first_ret = part->first_ret;
  if (sum->first_path == 0) sum->first_path = part->first_path;
  for (MapMakers& makers : part->makers) {
    if (makers.go_pc == 0) break;
    MapMakers* same = makers_of(sum, makers.go_pc);
    for (uint32_t i = 0; i < abi::kMapMakerWords; ++i) same->goroutines[i] |= makers.goroutines[i];
  }
}

bool lock(uint32_t* word) {
  constexpr int kTries = 64;
  for (int i = 0; i < kTries; ++i) {
    if (__atomic_exchange_n(word, 1u, __ATOMIC_ACQUIRE) == 0) return true;
    __builtin_ia32_pause();
  }
  return false;
}

// Null when there is no room.
RetiredMix* find_retired(MapTable* table, uint64_t type, uint64_t ret) {
  constexpr uint32_t kProbes = 16;
  uint64_t key = mix_hash(mix_hash(0x6d6978u, type), ret);
  if (key == 0) key = 1;
  for (uint32_t i = 0; i < kProbes; ++i) {
    RetiredMix* slot = &table->retired[(key + i) % abi::kMapRetired];
    uint64_t seen = 0;
    if (__atomic_compare_exchange_n(&slot->key, &seen, key, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED) ||
        seen == key)
      return slot;
  }
  return nullptr;
}

void retire(MapTable* table, MapEntry* entry) {
  if (entry->map == 0 || entry->type == 0 || is_empty(entry->mix)) return;
  RetiredMix* slot = find_retired(table, entry->type, entry->mix.first_ret);
  if (slot == nullptr || !lock(&slot->lock)) {
    __atomic_add_fetch(&table->mixes_lost, 1, __ATOMIC_RELAXED);
    return;
  }
  const bool is_first = slot->type == 0;
  const bool is_same = slot->map == entry->map && slot->seed == entry->seed;
  slot->type = entry->type;
  if (is_first) {
    slot->map = entry->map;
    slot->seed = entry->seed;
  } else if (is_same) {
    entry->mix.maps = 0;  // counted when it was retired before
  } else {
    slot->map = abi::kMapSeveral;
  }
  add_to(&slot->mix, &entry->mix);
  __atomic_store_n(&slot->lock, 0u, __ATOMIC_RELEASE);
}

}  // namespace

void begin_mix(MapTable* table, MapEntry* entry, const MixVisit& v) {
  if (table->counts == 0) return;
  if (entry->map == v.map && v.type != 0 && entry->type == v.type) return;
  retire(table, entry);
  MapMix* mix = &entry->mix;
  clear(mix);
  entry->type = v.type;
  mix->used = load64(v.map + abi::kMapUsedOffset);
  mix->first_ret = v.ret;
  mix->first_path = v.path;
  mix->maps = 1;
  // The trampolines count what comes to a map that they know: this one they did not.
  __atomic_add_fetch(&mix->others[abi::count_of(v.operation)], 1, __ATOMIC_RELAXED);
}

void note_maker(MapMix* mix, const MixVisit& v) {
  constexpr uint64_t kBits = abi::kMapMakerWords * 64 / 2;
  MapMakers* makers = makers_of(mix, v.go_pc);
  const uint64_t bits[] = {v.goid % kBits, kBits + mix_hash(0x676f6964u, v.goid) % kBits};
  for (uint64_t bit : bits) makers->goroutines[bit / 64] |= uint64_t{1} << (bit % 64);
}

}  // namespace geist::runtime
