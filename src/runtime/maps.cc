// Two goroutines in one map (abi/maps.h): whoever comes to a map function is let in here when
// another goroutine was the last one there. That is remembered; where two came near each other, one
// of them writing, the next one waits a little before its operation. Whoever comes meanwhile has met
// it, which is told: both stand before their operations, so no lock keeps them apart.
//
//   trampoline: not the owner ─▶ claims: met? ─▶ entry: near miss? ─▶ hold, within the budget
//
// Waiting is cut short where it is in vain: each time in vain makes the next less likely, and a path
// that met somebody waits no more.
#include "runtime/map_mix.h"
#include "runtime/map_walks.h"
#include "runtime/runtime.h"
#include "runtime/sys.h"

namespace geist::runtime {

using abi::Control;
using abi::MapAccess;
using abi::MapClaim;
using abi::MapEntry;
using abi::MapPath;
using abi::MapTable;
using abi::Site;
using abi::State;

namespace {

constexpr int kRsp = 4, kR14 = 14;
constexpr uint32_t kHashedFrames = 5;  // of a path
constexpr uint32_t kMostFruitless = 10;
constexpr uint64_t kNearShift = 7;  // near misses are within a 128th of a second

// One operation that is about to begin.
struct Visit {
  uint64_t map, type, g, m, goid, go_pc, ret;
  uint32_t operation;
  uint32_t path;  // index + 1; 0: none
  uint32_t seed;
  uint64_t now;
  bool writes() const { return abi::writes_map(operation); }
};

void add(uint64_t* counter, uint64_t n = 1) {
  __atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

// The path's index + 1; 0 when there is no room for it.
uint32_t find_path(MapTable* table, const Site* site, const Saved* saved, uint64_t stack_hi) {
  constexpr uint32_t kProbes = 16;
  uint64_t pcs[abi::kMapPathFrames];
  uint32_t n = read_returns(saved, stack_hi, 0, pcs, kHashedFrames);
  uint64_t hash = mix_hash(0x6d617073u, site->id + 1);
  for (uint32_t i = 0; i < n; ++i) hash = mix_hash(hash, pcs[i]);
  if (hash == 0) hash = 1;
  for (uint32_t i = 0; i < kProbes; ++i) {
    const uint32_t index = static_cast<uint32_t>((hash + i) % abi::kMapPaths);
    MapPath& path = table->paths[index];
    uint64_t seen = __atomic_load_n(&path.hash, __ATOMIC_RELAXED);
    if (seen == 0 && __atomic_compare_exchange_n(&path.hash, &seen, hash, false, __ATOMIC_RELAXED,
                                                 __ATOMIC_RELAXED)) {
      n = read_returns(saved, stack_hi, 0, pcs, abi::kMapPathFrames);
      path.site = site->id;
      for (uint32_t k = 0; k < n; ++k) path.pcs[k] = pcs[k];
      __atomic_store_n(&path.frames, n, __ATOMIC_RELEASE);
      return index + 1;
    }
    if (seen == hash) return index + 1;
  }
  add(&table->paths_full);
  return 0;
}

uint64_t* return_slot(MapTable* table, uint64_t ret) {
  return &table->returns[mix_hash(1, ret) % abi::kMapReturns];
}

void mark_dangerous(MapTable* table, uint32_t path, uint64_t ret) {
  if (path != 0)
    __atomic_store_n(&table->paths[path - 1].dangerous, 1u, __ATOMIC_RELAXED);
  else if (ret != 0)
    __atomic_store_n(return_slot(table, ret), ret, __ATOMIC_RELAXED);
}

bool is_dangerous(MapTable* table, const Visit& v) {
  if (v.path == 0) return false;
  MapPath& path = table->paths[v.path - 1];
  if (__atomic_load_n(&path.dangerous, __ATOMIC_RELAXED) != 0) return true;
  if (__atomic_load_n(return_slot(table, v.ret), __ATOMIC_RELAXED) != v.ret) return false;
  __atomic_store_n(&path.dangerous, 1u, __ATOMIC_RELAXED);
  return true;
}

// Never waits for long: who has the lock is between two of the lines below, or has no processor.
bool lock(MapEntry* entry) {
  constexpr int kTries = 64;
  for (int i = 0; i < kTries; ++i) {
    if (__atomic_exchange_n(&entry->lock, 1u, __ATOMIC_ACQUIRE) == 0) return true;
    __builtin_ia32_pause();
  }
  return false;
}

void unlock(MapEntry* entry) {
  __atomic_store_n(&entry->lock, 0u, __ATOMIC_RELEASE);
}

// The owner's operations that only its trampolines have seen. When they were is not known: perhaps
// just now.
void add_unseen(const MapTable* table, MapEntry* entry, uint64_t now) {
  MapAccess* last = &entry->accesses[entry->newest % abi::kMapAccesses];
  auto update = [&](uint64_t seen, uint64_t* ret, uint32_t* path) {
    if (seen == 0) return;
    last->tsc = now;
    const bool is_same =
        *path != 0 && *path <= abi::kMapPaths && table->paths[*path - 1].pcs[0] == seen;
    if (!is_same) *path = 0;
    *ret = seen;
  };
  if (entry->owner == last->g && last->goid != 0) {
    update(entry->read_ret, &last->read_ret, &last->read_path);
    update(entry->write_ret, &last->write_ret, &last->write_path);
  }
  entry->read_ret = entry->write_ret = 0;
}

MixVisit in_mix(const Visit& v) {
  return {v.map, v.type, v.goid, v.go_pc, v.ret, v.operation, v.path};
}

void begin_entry(MapTable* table, MapEntry* entry, const Visit& v) {
  begin_mix(table, entry, in_mix(v));
  entry->owner = entry->read_ret = entry->write_ret = 0;
  entry->rest = 0;
  entry->period = 1;
  entry->newest = 0;
  for (MapAccess& access : entry->accesses) clear(&access);
  entry->seed = v.seed;
  entry->map = v.map;
}

// Did another goroutine come near? Then both ways are dangerous from now on.
bool is_near_miss(MapTable* table, const MapEntry* entry, const Visit& v, uint64_t window) {
  bool is_near = false;
  for (const MapAccess& other : entry->accesses) {
    if (other.goid == 0 || other.goid == v.goid) continue;
    if (static_cast<int64_t>(v.now - other.tsc) > static_cast<int64_t>(window)) continue;
    if (other.write_ret == 0 && !(v.writes() && other.read_ret != 0)) continue;
    if (other.write_ret != 0) mark_dangerous(table, other.write_path, other.write_ret);
    if (v.writes() && other.read_ret != 0) mark_dangerous(table, other.read_path, other.read_ret);
    is_near = true;
  }
  if (is_near) mark_dangerous(table, v.path, v.ret);
  return is_near;
}

void note_access(MapEntry* entry, const Visit& v) {
  MapAccess* access = &entry->accesses[entry->newest % abi::kMapAccesses];
  if (access->goid != v.goid) {
    if (access->goid != 0) entry->newest = (entry->newest + 1) % abi::kMapAccesses;
    access = &entry->accesses[entry->newest % abi::kMapAccesses];
    clear(access);
    access->goid = v.goid;
    access->g = v.g;
  }
  access->tsc = v.now;
  (v.writes() ? access->write_ret : access->read_ret) = v.ret;
  (v.writes() ? access->write_path : access->read_path) = v.path;
  if (v.type != 0) entry->type = v.type;
}

// Of the looks, not of the waits: the latter have the other half of the budget.
bool is_over_budget(const Control* control, uint64_t now) {
  constexpr uint64_t kGraceShift = 7;  // 8 ms
  uint64_t allowance = (control->tsc_hz >> kGraceShift) +
                       ((now - control->start_tsc) >> 16) * control->park_share / 2;
  return __atomic_load_n(&control->map_ticks, __ATOMIC_RELAXED) > allowance;
}

// A map that goroutines use in turns is looked at less and less while that costs too much.
void thin_map(MapTable* table, MapEntry* entry, bool is_over) {
  constexpr uint32_t kSparsest = 1 << 14;
  uint32_t period = is_over ? entry->period * 2 : entry->period / 2;
  if (period > kSparsest) period = kSparsest;
  if (period == 0) period = 1;
  entry->period = period;
  entry->rest = entry->claimed != 0 ? 0 : static_cast<int32_t>(period - 1);
  if (entry->rest > 0) add(&table->thinned_out, static_cast<uint64_t>(entry->rest));
}

// So is a function, for maps that are new: there may be a new one each microsecond.
void thin_function(MapTable* table, Site* site, bool is_over) {
  constexpr uint64_t kSparsest = 1 << 12;
  uint64_t period = is_over ? site->period * 2 + 1 : site->period / 2;
  if (period > kSparsest) period = kSparsest;
  site->period = period;
  if (__atomic_load_n(&table->held, __ATOMIC_RELAXED) != 0) return;
  site->skip = period;
  if (period == 0) return;
  add(&table->thinned_out, period);
  if (table->counts != 0) add(&table->uncounted, period);
}

// Notes the operation. True: others came near.
bool visit(MapTable* table, const Control* control, Site* site, MapEntry* entry, const Visit& v) {
  const bool is_over = is_over_budget(control, v.now);
  if (!lock(entry)) return false;
  const bool is_new = entry->map != v.map || entry->seed != v.seed;
  if (is_new)
    begin_entry(table, entry, v);
  else
    add_unseen(table, entry, v.now);
  const bool is_near = is_near_miss(table, entry, v, control->tsc_hz >> kNearShift);
  note_access(entry, v);
  if (table->counts != 0) note_maker(&entry->mix, in_mix(v));
  if (is_new)
    thin_function(table, site, is_over);
  else
    thin_map(table, entry, is_over);
  const bool is_claimed = __atomic_load_n(&entry->claimed, __ATOMIC_RELAXED) != 0;
  __atomic_store_n(&entry->owner, is_claimed ? abi::kMapNoOwner : v.g, __ATOMIC_RELAXED);
  unlock(entry);
  if (is_near) add(&table->near_misses);
  return is_near;
}

bool is_in_conflict(const MapClaim& claim, const Visit& v) {
  return claim.map == v.map && claim.goid != v.goid &&
         (v.writes() || abi::writes_map(claim.operation));
}

// A claim that this operation is in conflict with, now met; null: there is none.
MapClaim* meet(MapTable* table, const Visit& v) {
  for (MapClaim& claim : table->claims) {
    if (__atomic_load_n(&claim.state, __ATOMIC_ACQUIRE) != abi::kClaimHeld) continue;
    if (!is_in_conflict(claim, v)) continue;
    uint32_t held = abi::kClaimHeld;
    if (!__atomic_compare_exchange_n(&claim.state, &held, static_cast<uint32_t>(abi::kClaimMet),
                                     false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      continue;
    // From here on who made the claim waits until it is told. It may be another's than the one
    // that was looked at.
    if (is_in_conflict(claim, v)) return &claim;
    __atomic_store_n(&claim.state, static_cast<uint32_t>(abi::kClaimTold), __ATOMIC_RELEASE);
  }
  return nullptr;
}

void note_met(MapTable* table, uint32_t path) {
  if (path != 0) __atomic_add_fetch(&table->paths[path - 1].met, 1u, __ATOMIC_RELAXED);
}

void fill_own_side(const Control* control, const Visit& v, abi::MapFacts* facts) {
  facts->map = v.map;
  facts->type = v.type;
  facts->operation = v.operation;
  facts->parent_goid = load64(v.g + control->g_parent_goid);
  facts->go_pc = v.go_pc;
}

// Tells of the two, once in a while for the same two ways. Gives the ticks waited.
uint64_t tell_met(State* state, Control* control, MapTable* table, const Site* site,
                  const Saved* saved, const Visit& v, MapClaim* claim) {
  abi::MapFacts facts{};
  facts.kind = abi::kMapMet;
  fill_own_side(control, v, &facts);
  facts.other_operation = claim->operation;
  facts.other_goid = claim->goid;
  facts.other_parent_goid = claim->parent_goid;
  facts.other_go_pc = claim->go_pc;
  Telling telling{};
  telling.facts = reinterpret_cast<const uint64_t*>(&facts);
  telling.facts_size = sizeof facts;
  telling.old_from = reinterpret_cast<uint64_t>(claim->pcs);
  telling.old_size = claim->frames * 8;
  telling.other_g = claim->g;
  telling.other_site = claim->site;
  uint64_t pair = mix_hash(mix_hash(0x6d6574u, v.path + 1), claim->path + 1);
  telling.context = v.path == 0 || claim->path == 0 ? mix_hash(pair, v.ret ^ claim->pcs[0]) : pair;
  telling.hit = count_context(state, control, telling.context | 1);
  note_met(table, v.path);
  note_met(table, claim->path);
  add(&table->met);
  const bool is_told = telling.hit == 0 || (telling.hit & (telling.hit - 1)) == 0;
  uint64_t waited = is_told ? record(state, control, site, saved, telling, v.now) : 0;
  __atomic_store_n(&claim->state, static_cast<uint32_t>(abi::kClaimTold), __ATOMIC_RELEASE);
  return waited;
}

bool is_worth_holding(MapTable* table, const Control* control, const Visit& v) {
  if (v.path == 0 || table->hold_us == 0) return false;
  const MapPath& path = table->paths[v.path - 1];
  if (path.met != 0 || path.fruitless >= kMostFruitless) return false;
  // The low bits of the clock are as good as dice.
  if ((v.now >> 4) % kMostFruitless < path.fruitless) return false;
  // The runtime has locked something.
  if (*reinterpret_cast<const volatile uint32_t*>(v.m + control->m_locks) != 0) return false;
  if (is_half_budget_left(control, v.now)) return true;
  add(&table->not_held);
  return false;
}

MapClaim* make_claim(MapTable* table, const Control* control, const Site* site, const Saved* saved,
                     const Visit& v, uint64_t stack_hi) {
  for (MapClaim& claim : table->claims) {
    uint32_t free = abi::kClaimFree;
    if (!__atomic_compare_exchange_n(&claim.state, &free, static_cast<uint32_t>(abi::kClaimFilling),
                                     false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      continue;
    claim.site = site->id;
    claim.operation = v.operation;
    claim.path = v.path;
    claim.map = v.map;
    claim.g = v.g;
    claim.goid = v.goid;
    claim.parent_goid = load64(v.g + control->g_parent_goid);
    claim.go_pc = v.go_pc;
    claim.frames = read_returns(saved, stack_hi, 0, claim.pcs, abi::kMapClaimFrames);
    return &claim;
  }
  add(&table->not_held);
  return nullptr;
}

// All that come to this map from now on look.
void begin_claim(MapTable* table, MapEntry* entry, MapClaim* claim) {
  __atomic_add_fetch(&entry->claimed, 1u, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&table->held, 1u, __ATOMIC_SEQ_CST);
  __atomic_store_n(&claim->state, static_cast<uint32_t>(abi::kClaimHeld), __ATOMIC_SEQ_CST);
  entry->rest = 0;
  __atomic_store_n(&entry->owner, abi::kMapNoOwner, __ATOMIC_SEQ_CST);
  Site* sites = reinterpret_cast<Site*>(table->sites);
  for (uint32_t i = 0; sites != nullptr && i < table->site_count; ++i) sites[i].skip = 0;
}

uint64_t ticks_since(uint64_t start) {
  uint64_t now = read_tsc();
  return static_cast<int64_t>(now - start) < 0 ? 0 : now - start;
}

// Stands there until the time is over, or until who came has told so and gone on. Gives the ticks.
uint64_t wait_for_company(Control* control, MapTable* table, MapClaim* claim, uint64_t m) {
  constexpr uint64_t kMostHoldUs = 10000, kMostUs = 1000000, kStepUs = 200;
  uint64_t ticks_per_us = control->tsc_hz / 1000000;
  if (ticks_per_us == 0) ticks_per_us = 1;
  const uint64_t hold_us = table->hold_us < kMostHoldUs ? table->hold_us : kMostHoldUs;
  const uint64_t limit = hold_us * ticks_per_us;
  begin_time_slice(control, m);
  const uint64_t start = read_tsc();
  uint64_t elapsed = 0;
  while (elapsed < limit && __atomic_load_n(&claim->state, __ATOMIC_ACQUIRE) == abi::kClaimHeld) {
    futex_wait(&claim->state, abi::kClaimHeld, (limit - elapsed) / ticks_per_us + 1);
    elapsed = ticks_since(start);
  }
  // What a busy machine makes of it is not this wait's doing.
  uint64_t charged = elapsed < 2 * limit ? elapsed : 2 * limit;
  uint32_t held = abi::kClaimHeld;
  if (!__atomic_compare_exchange_n(&claim->state, &held, static_cast<uint32_t>(abi::kClaimFilling),
                                   false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(&claim->state, __ATOMIC_ACQUIRE) == abi::kClaimMet &&
           ticks_since(start) < kMostUs * ticks_per_us)
      futex_wait(&claim->state, abi::kClaimMet, kStepUs);
    // Who came goes first, so that the two do not meet inside the operation for having met here.
    futex_wait(&claim->state, abi::kClaimTold, kStepUs);
    charged = ticks_since(start);
  }
  begin_time_slice(control, m);
  __atomic_add_fetch(&control->parked_ticks, charged, __ATOMIC_RELAXED);
  return ticks_since(start);
}

// Gives the ticks waited.
uint64_t hold(Control* control, MapTable* table, const Site* site, const Saved* saved,
              MapEntry* entry, const Visit& v, uint64_t stack_hi) {
  MapClaim* claim = make_claim(table, control, site, saved, v, stack_hi);
  if (claim == nullptr) return 0;
  MapPath& path = table->paths[v.path - 1];
  const uint32_t met = __atomic_load_n(&path.met, __ATOMIC_RELAXED);
  begin_claim(table, entry, claim);
  add(&table->holds);
  const uint64_t waited = wait_for_company(control, table, claim, v.m);
  if (__atomic_load_n(&path.met, __ATOMIC_RELAXED) == met)
    __atomic_add_fetch(&path.fruitless, 1u, __ATOMIC_RELAXED);
  __atomic_sub_fetch(&entry->claimed, 1u, __ATOMIC_SEQ_CST);
  __atomic_sub_fetch(&table->held, 1u, __ATOMIC_SEQ_CST);
  __atomic_store_n(&claim->state, static_cast<uint32_t>(abi::kClaimFree), __ATOMIC_RELEASE);
  return waited;
}

// The program dies. Its own message says of what; the event has who, and its stack. Gives the ticks
// waited.
uint64_t tell_fatal(State* state, Control* control, const Site* site, const Saved* saved,
                    uint64_t g, uint64_t now) {
  constexpr char kBegin[] = "concurrent map";
  const uint64_t text = evaluate(site->values[abi::kMapAt], saved);
  const uint64_t size = evaluate(site->values[abi::kMapType], saved);
  if (text == 0 || size < sizeof kBegin - 1) return 0;
  for (uint64_t i = 0; i < sizeof kBegin - 1; ++i) {
    if (*reinterpret_cast<const volatile char*>(text + i) != kBegin[i]) return 0;
  }
  abi::MapFacts facts{};
  facts.kind = abi::kMapDies;
  facts.operation = abi::kMapFatal;
  facts.parent_goid = load64(g + control->g_parent_goid);
  facts.go_pc = load64(g + control->g_go_pc);
  Telling telling{};
  telling.facts = reinterpret_cast<const uint64_t*>(&facts);
  telling.facts_size = sizeof facts;
  telling.old_from = text;
  telling.old_size = size < 64 ? static_cast<uint32_t>(size) : 64;
  telling.hit = 1;
  return record(state, control, site, saved, telling, now);
}

// Gives the ticks waited.
uint64_t look(State* state, Control* control, MapTable* table, Site* site, const Saved* saved,
              uint64_t now) {
  Visit v{};
  v.g = saved->regs[kR14];
  v.m = v.g != 0 ? load64(v.g + control->g_m) : 0;
  // Not on the system's stack, nor in a signal handler.
  if (v.m == 0 || load64(v.m + control->m_curg) != v.g) return 0;
  const uint64_t sp = saved->regs[kRsp];
  const uint64_t stack_lo = load64(v.g), stack_hi = load64(v.g + 8);
  if (sp < stack_lo || sp >= stack_hi) return 0;
  if (site->mode == abi::kMapFatal) return tell_fatal(state, control, site, saved, v.g, now);
  if (site->mode > abi::kMapFatal) {
    if (is_over_budget(control, now)) {
      add(&table->thinned_out);
      return 0;
    }
    return look_at_walk(state, control, table, site, saved, now);
  }
  v.map = evaluate(site->values[abi::kMapAt], saved);
  if (v.map == 0) return 0;
  MapEntry* entry = &table->entries[(v.map >> 4) % abi::kMapEntries];
  add(&table->looks);
  // On its own stack: nobody else can have it.
  if (v.map >= stack_lo && v.map < stack_hi) {
    if (!lock(entry)) return 0;
    begin_entry(table, entry, v);
    entry->owner = v.g;
    unlock(entry);
    return 0;
  }
  v.type = evaluate(site->values[abi::kMapType], saved);
  v.goid = load64(v.g + control->g_goid);
  v.go_pc = load64(v.g + control->g_go_pc);
  v.operation = site->mode;
  v.seed = *reinterpret_cast<const volatile uint32_t*>(v.map + abi::kMapSeedOffset);
  v.ret = load64(sp);
  v.path = find_path(table, site, saved, stack_hi);
  v.now = now;
  uint64_t waited = 0;
  MapClaim* claim = meet(table, v);
  if (claim != nullptr) waited = tell_met(state, control, table, site, saved, v, claim);
  const bool is_near = visit(table, control, site, entry, v);
  if (claim != nullptr || !(is_near || is_dangerous(table, v))) return waited;
  if (!is_worth_holding(table, control, v) || !tool_is_alive(control, now)) return waited;
  return waited + hold(control, table, site, saved, entry, v, stack_hi);
}

}  // namespace

void look_at_map(Site* site, const Saved* saved, State* state, Control* control) {
  constexpr uint64_t kEntryTicks = 120;  // of the way in and out
  constexpr uint64_t kMostShift = 13;    // 120 µs: the rest went to other threads
  MapTable* table = reinterpret_cast<MapTable*>(control->map_table);
  if (table == nullptr) return;
  if (__atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0) {
    site->skip = ~uint64_t{0};
    return;
  }
  const uint64_t begin = read_tsc();
  const uint64_t waited = look(state, control, table, site, saved, begin);
  int64_t spent = static_cast<int64_t>(read_tsc() - begin - waited + kEntryTicks);
  const int64_t most = static_cast<int64_t>(control->tsc_hz >> kMostShift);
  if (spent < 0) spent = 0;
  if (spent > most) spent = most;
  __atomic_add_fetch(&control->map_ticks, static_cast<uint64_t>(spent), __ATOMIC_RELAXED);
}

}  // namespace geist::runtime
