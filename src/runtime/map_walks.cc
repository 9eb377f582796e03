// A goroutine that inserts into the map it ranges over: whether the loop then visits the new entry is
// left to chance (spec, For statements with range clause). It is told before the next step, so a loop
// that ends after the insert is silent.
//
//   step    a walk of its own, begun when there is no key yet; is it dirty? ─▶ told
//   insert  the walk of this map and goroutine gets dirty, and keeps who inserted
//   return  of the assignment: which entry that was
//
// A visit of an entry that the walk has inserted, which inserts another one, is more: there the loop
// has walked over its own work. When the goroutine then walks over the map again, it may do so until
// there is nothing new, which is right.
#include "runtime/map_walks.h"

namespace geist::runtime {

using abi::Control;
using abi::MapTable;
using abi::MapWalk;
using abi::Site;
using abi::State;

namespace {

constexpr int kRax = 0, kR14 = 14;

struct Step {
  uint64_t iterator, map, key, goid, distance;
  uint32_t seed;
};

MapWalk* walk_of(MapTable* table, uint64_t map) {
  return &table->walks[(map >> 4) % abi::kMapWalks];
}

bool lock(MapWalk* walk) {
  uint32_t free = 0;
  return __atomic_compare_exchange_n(&walk->lock, &free, 1u, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

void unlock(MapWalk* walk) {
  __atomic_store_n(&walk->lock, 0u, __ATOMIC_RELEASE);
}

void end_pending(MapTable* table, MapWalk* walk) {
  if (walk->pending == 0) return;
  walk->pending = 0;
  __atomic_sub_fetch(&table->pending_walks, 1, __ATOMIC_RELAXED);
}

uint64_t tell(State* state, Control* control, const Site* site, const Saved* saved,
              uint64_t stack_hi, const Step& step, const MapWalk& walk, abi::MapEventKind kind,
              uint64_t now) {
  abi::MapFacts facts{};
  facts.kind = kind;
  facts.map = step.map;
  facts.type = load64(step.iterator + abi::kIteratorTypeOffset);
  facts.operation = abi::kMapIterate;
  facts.other_operation = abi::kMapWrite;
  facts.other_goid = step.goid;
  Telling telling{};
  telling.facts = reinterpret_cast<const uint64_t*>(&facts);
  telling.facts_size = sizeof facts;
  telling.old_from = reinterpret_cast<uint64_t>(walk.pcs);
  telling.old_size = walk.frames * 8;
  telling.context = mix_hash(hash_context(site, saved, stack_hi), kind) | 1;
  telling.hit = count_context(state, control, telling.context);
  const bool is_told = telling.hit == 0 || (telling.hit & (telling.hit - 1)) == 0;
  return is_told && tool_is_alive(control, now) ? record(state, control, site, saved, telling, now)
                                                : 0;
}

// Before the visit that ends now: where an entry is deleted, a new one may take its place.
bool was_inserted(const MapWalk& walk, uint64_t elem) {
  const uint32_t n =
      walk.elems_before < abi::kMapWalkElems ? walk.elems_before : abi::kMapWalkElems;
  for (uint32_t i = 0; i < n; ++i) {
    if (walk.elems[i] == elem) return true;
  }
  return false;
}

void begin(MapTable* table, MapWalk* walk, const Step& step) {
  end_pending(table, walk);
  walk->iterator = step.iterator;
  walk->goid = step.goid;
  walk->distance = step.distance;
  walk->elems_noted = 0;
  walk->elems_before = 0;
  walk->frames = 0;
  walk->dirty = 0;
  walk->seed = step.seed;
  walk->map = step.map;
}

uint64_t look_at_step(State* state, Control* control, MapTable* table, const Site* site,
                      const Saved* saved, uint64_t g, uint64_t now) {
  Step step{};
  step.iterator = evaluate(site->values[abi::kMapAt], saved);
  step.map = load64(step.iterator + abi::kIteratorMapOffset);
  if (step.map == 0) return 0;
  step.key = load64(step.iterator + abi::kIteratorKeyOffset);
  step.goid = load64(g + control->g_goid);
  step.seed = *reinterpret_cast<const volatile uint32_t*>(step.map + abi::kMapSeedOffset);
  const uint64_t stack_lo = load64(g), stack_hi = load64(g + 8);
  const bool on_stack = step.iterator >= stack_lo && step.iterator < stack_hi;
  if (on_stack) step.distance = stack_hi - step.iterator;
  MapWalk* walk = walk_of(table, step.map);
  if (!lock(walk)) return 0;
  const bool is_map =
      walk->map == step.map && walk->seed == step.seed && walk->goid == step.goid;
  const bool is_same = is_map && step.key != 0 && walk->distance == step.distance &&
                       (on_stack || walk->iterator == step.iterator);
  const uint64_t inserted = walk->dirty & ~abi::kMapWalkIsTold;
  const bool was_told = (walk->dirty & abi::kMapWalkIsTold) != 0;
  abi::MapEventKind kind = abi::kMapAgain;
  bool tells = is_map && was_told && step.key == 0;
  if (!is_same) {
    begin(table, walk, step);
  } else {
    walk->iterator = step.iterator;  // its stack may have moved
    tells = inserted != 0;
    kind = was_inserted(*walk, load64(step.iterator + abi::kIteratorElemOffset)) ? abi::kMapChained
                                                                                 : abi::kMapWalked;
    walk->elems_before = walk->elems_noted;
    walk->dirty = was_told || (tells && kind == abi::kMapChained) ? abi::kMapWalkIsTold : 0;
  }
  const uint64_t waited =
      tells ? tell(state, control, site, saved, stack_hi, step, *walk, kind, now) : 0;
  unlock(walk);
  return waited;
}

void look_at_insert(MapTable* table, const Site* site, const Saved* saved, uint64_t goid,
                    uint64_t stack_hi) {
  const uint64_t map = evaluate(site->values[abi::kMapAt], saved);
  MapWalk* walk = walk_of(table, map);
  if (!lock(walk)) return;
  if (walk->map == map && walk->goid == goid) {
    const int64_t frame_bytes = static_cast<int64_t>(evaluate(site->values[abi::kMapType], saved));
    if ((walk->dirty & ~abi::kMapWalkIsTold) == 0)
      walk->frames = read_returns(saved, stack_hi, frame_bytes, walk->pcs, abi::kMapWalkFrames);
    ++walk->dirty;
    if (walk->pending == 0) {
      walk->pending = 1;
      __atomic_add_fetch(&table->pending_walks, 1, __ATOMIC_RELAXED);
    }
  }
  unlock(walk);
}

void look_at_return(MapTable* table, const Saved* saved, uint64_t goid) {
  for (MapWalk& walk : table->walks) {
    if (__atomic_load_n(&walk.pending, __ATOMIC_RELAXED) == 0 || walk.goid != goid) continue;
    if (!lock(&walk)) return;
    if (walk.pending != 0 && walk.goid == goid) {
      end_pending(table, &walk);
      if (walk.elems_noted < abi::kMapWalkElems)
        walk.elems[walk.elems_noted++] = saved->regs[kRax];
    }
    unlock(&walk);
  }
}

}  // namespace

uint64_t look_at_walk(State* state, Control* control, MapTable* table, const Site* site,
                      const Saved* saved, uint64_t now) {
  const uint64_t g = saved->regs[kR14];
  const uint64_t goid = load64(g + control->g_goid);
  if (site->mode == abi::kMapStep)
    return look_at_step(state, control, table, site, saved, g, now);
  if (site->mode == abi::kMapInsert)
    look_at_insert(table, site, saved, goid, load64(g + 8));
  else
    look_at_return(table, saved, goid);
  return 0;
}

}  // namespace geist::runtime
