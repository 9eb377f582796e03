// The slow path of a probed append: its destination was not all zero, so it overwrites something.
// Decides whether this is worth recording (first, second, fourth, eighth … time in this context)
// and hands it to the ring.
#include "runtime/runtime.h"
#include "runtime/sys.h"

namespace geist::runtime {

using abi::Control;
using abi::Location;
using abi::Site;
using abi::State;

// entry_x86_64.S knows these by number.
static_assert(offsetof(Site, resume) == 8 && offsetof(Site, skip) == 24);
static_assert(offsetof(State, free_stacks) == 0 && offsetof(State, control) == 8);
static_assert(offsetof(State, stacks) == 262176 && abi::kPrivateStackBytes == 1u << 13);
static_assert(offsetof(Control, lost_no_stack) == 136);
static_assert(sizeof(Saved) == 144 && offsetof(Saved, flags) == 128 &&
              offsetof(Saved, resume) == 136);

namespace {

constexpr uint64_t kMaxElemSize = uint64_t{1} << 30;
constexpr int kRsp = 4, kRbp = 5, kR14 = 14;
constexpr uint64_t kMaxStackFrameDistance = uint64_t{1} << 30;

}  // namespace

uint64_t evaluate(const Location& location, const Saved* saved) {
  uint64_t addend = static_cast<uint64_t>(location.addend);
  uint64_t disp = static_cast<uint64_t>(static_cast<int64_t>(location.disp));
  switch (location.kind) {
    case abi::kRegister:
      return saved->regs[location.reg & 15] + addend;
    case abi::kStackSlot:
      return load64(saved->regs[kRsp] + disp) + addend;
    case abi::kMemory:
      return load64(saved->regs[location.reg & 15] + disp) + addend;
    case abi::kMemoryViaSlot:
      return load64(load64(saved->regs[kRsp] + location.extra) + disp) + addend;
    case abi::kAbsolute:
      return load64(location.extra) + addend;
    default:
      return addend;
  }
}

uint64_t mix_hash(uint64_t hash, uint64_t word) {
  hash ^= word;
  hash *= 0x9e3779b97f4a7c15ull;
  return hash ^ (hash >> 29);
}

uint32_t read_returns(const Saved* saved, uint64_t stack_hi, int64_t frame_bytes, uint64_t* pcs,
                      uint32_t most) {
  uint64_t low = saved->regs[kRsp];
  uint64_t frame = saved->regs[kRbp];
  uint32_t n = 0;
  auto is_on_stack = [&](uint64_t at) {
    return (at & 7) == 0 && at >= low && at < stack_hi && stack_hi - at >= 16;
  };
  if (frame_bytes >= 0) {
    const uint64_t at = low + static_cast<uint64_t>(frame_bytes);
    if (!is_on_stack(at)) return 0;
    pcs[n++] = load64(at);
    if (frame + 8 == at && is_on_stack(frame)) frame = load64(frame);
    low = at;
  }
  while (n < most && is_on_stack(frame)) {
    const uint64_t ret = load64(frame + 8);
    if (ret == 0) break;
    pcs[n++] = ret;
    low = frame + 16;
    frame = load64(frame);
  }
  return n;
}

Append read_append(const Site* site, const Saved* saved) {
  Append append;
  abi::AppendFacts& a = append.facts;
  a.old_ptr = evaluate(site->values[abi::kOldPtr], saved);
  a.new_len = evaluate(site->values[abi::kNewLen], saved);
  a.cap = evaluate(site->values[abi::kCap], saved);
  a.num = evaluate(site->values[abi::kNum], saved);
  a.elem_size =
      site->elem_size != 0 ? site->elem_size : load64(evaluate(site->values[abi::kType], saved));
  a.dest = a.old_ptr + (a.new_len - a.num) * a.elem_size;
  a.dest_size = a.num * a.elem_size;
  uint64_t bytes = 0;
  bool fits = !__builtin_mul_overflow(a.cap, a.elem_size, &bytes) && bytes < uint64_t{1} << 47;
  append.plausible = fits && a.old_ptr != 0 && a.num != 0 && a.num <= a.new_len &&
                     a.new_len <= a.cap && a.elem_size != 0 && a.elem_size <= kMaxElemSize;
  return append;
}

uint64_t hash_context(const Site* site, const Saved* saved, uint64_t stack_hi) {
  uint64_t hash = mix_hash(0x6765697374u, site->id + 1);
  uint64_t low = saved->regs[kRsp];
  uint64_t frame = saved->regs[kRbp];
  for (uint32_t i = 0; i < abi::kContextFrames; ++i) {
    if (frame < low || (frame & 7) != 0 || frame >= stack_hi || stack_hi - frame < 16) break;
    hash = mix_hash(hash, load64(frame + 8));
    low = frame + 16;
    frame = load64(frame);
  }
  return hash == 0 ? 1 : hash;
}

uint64_t count_context(State* state, Control* control, uint64_t hash) {
  constexpr uint32_t kProbes = 64;
  for (uint32_t i = 0; i < kProbes; ++i) {
    abi::ContextEntry& entry = state->contexts[(hash + i) % abi::kContextSlots];
    uint64_t seen = __atomic_load_n(&entry.hash, __ATOMIC_RELAXED);
    if (seen == 0) {
      if (__atomic_compare_exchange_n(&entry.hash, &seen, hash, false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED)) {
        __atomic_add_fetch(&control->contexts, 1, __ATOMIC_RELAXED);
        seen = hash;
      }
    }
    if (seen == hash) return __atomic_add_fetch(&entry.hits, 1, __ATOMIC_RELAXED);
  }
  return 0;
}

bool tool_is_alive(Control* control, uint64_t now) {
  uint64_t beat = __atomic_load_n(&control->heartbeat_tsc, __ATOMIC_RELAXED);
  // Time-stamp counters of two cores may differ a little: a beat from "the future" is alive.
  int64_t age = static_cast<int64_t>(now - beat);
  if (age < 0 || static_cast<uint64_t>(age) <= control->heartbeat_limit) return true;
  __atomic_store_n(&control->armed, 0u, __ATOMIC_RELAXED);
  return false;
}

// Only a thorough probe comes here with nothing to overwrite: the slots were never used, or what
// they hold is zero.
static bool is_all_zero(const Append& append, uint64_t most) {
  const uint64_t size = append.facts.dest_size < most ? append.facts.dest_size : most;
  uint64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    if (load64(append.facts.dest + i) != 0) return false;
  }
  for (; i < size; ++i) {
    if (*reinterpret_cast<const volatile uint8_t*>(append.facts.dest + i) != 0) return false;
  }
  return true;
}

// One of how many of a site's overwriting appends is looked at, whatever that costs. A site that
// overwrites thousands of times is nearly always a reused buffer; every append still has its
// chance.
static uint64_t usual_period(uint64_t seen) {
  constexpr uint64_t kThinFrom = 4096, kThinMore = 1 << 16, kThinMost = 1 << 20;
  return seen < kThinFrom ? 1 : seen < kThinMore ? 8 : seen < kThinMost ? 32 : 128;
}

// Has the slow path taken more than its half of the budget? The other half is there to be waited
// in.
static bool is_over_budget(const Control* control, uint64_t now) {
  constexpr uint64_t kGraceShift = 7;  // 8 ms
  uint64_t allowance = (control->tsc_hz >> kGraceShift) +
                       ((now - control->start_tsc) >> 16) * control->park_share / 2;
  return __atomic_load_n(&control->slow_path_ticks, __ATOMIC_RELAXED) > allowance;
}

// Counts the append and those that were skipped before it, and decides how many of the next are
// skipped. While the slow path costs too much, each look at a hot site doubles the distance to the
// next; later it is halved again. What is skipped beyond the usual is counted apart.
void count_and_thin(Control* control, Site* site, bool overwrites, uint64_t now) {
  constexpr uint64_t kNotHot = 64, kSparsest = 1 << 16;
  uint64_t stands_for = site->period == 0 ? 1 : site->period;
  uint64_t usual = usual_period(site->seen);
  if (stands_for > usual) {
    site->thinned_out += stands_for - usual;
    __atomic_add_fetch(&control->thinned_out, stands_for - usual, __ATOMIC_RELAXED);
  }
  uint64_t seen = site->seen + stands_for;
  site->seen = seen;
  if (overwrites) __atomic_add_fetch(&control->overwriting, stands_for, __ATOMIC_RELAXED);
  uint64_t wanted =
      seen >= kNotHot && is_over_budget(control, now) ? stands_for * 2 : stands_for / 2;
  if (wanted > kSparsest) wanted = kSparsest;
  usual = usual_period(seen);
  site->period = wanted > usual ? wanted : usual;
  site->skip = site->period - 1;
}

// In one loop each append may have other victims, and the harm be seen in one of them only. So of a
// context outside the standard library the first ones are all told, as long as that leaves half of
// the budget to contexts that come later.
bool is_told(const Control* control, const Site* site, uint64_t hit, uint64_t now) {
  constexpr uint64_t kTellFirst = 16;
  if ((hit & (hit - 1)) == 0) return true;
  return hit <= kTellFirst && site->in_library == 0 && is_half_budget_left(control, now);
}

// A site of the standard library is recorded 32 times, then each time its count doubles.
static bool is_tired(Site* site) {
  constexpr uint64_t kFirst = 32;
  uint64_t n = ++site->recorded;
  return site->in_library != 0 && n > kFirst && (n & (n - 1)) != 0;
}

// growslice is called: as if all old elements were written where they stand. Arrays on the stack are
// left alone, and bytes.
static bool read_growth(const Saved* saved, Append* append) {
  abi::AppendFacts& a = append->facts;
  const uint64_t old_len = a.new_len - a.num;
  const uint64_t g = saved->regs[kR14];
  uint64_t bytes = 0;
  const bool is_growth = a.old_ptr != 0 && a.num <= a.new_len && a.cap < a.new_len &&
                         old_len != 0 && old_len <= a.cap && a.elem_size > 1 &&
                         a.elem_size <= kMaxElemSize &&
                         !__builtin_mul_overflow(a.cap, a.elem_size, &bytes);
  if (!is_growth || g == 0) return false;
  const bool is_on_stack = a.old_ptr >= load64(g) && a.old_ptr < load64(g + 8);  // g.stack
  if (is_on_stack) return false;
  a.new_len = a.num = old_len;
  a.dest = a.old_ptr;
  a.dest_size = old_len * a.elem_size;
  append->plausible = true;
  return true;
}

// Gives the ticks that the thread waited meanwhile.
static uint64_t look_at(Site* site, const Saved* saved, State* state, Control* control,
                        uint64_t now) {
  const bool is_refill = site->detector == abi::kRefill;
  if (is_refill && site->mode == abi::kReadEnds) return end_read(site, saved, state, control, now);
  if (is_refill && site->mode == abi::kReadBegins) {
    begin_read(site, saved, state);
    return 0;
  }
  Append append = read_append(site, saved);
  const bool is_growth =
      site->detector == abi::kStale || (is_refill && site->mode == abi::kListGrows);
  if (is_growth && !read_growth(saved, &append)) return 0;
  if (!append.plausible) {
    __atomic_add_fetch(&control->lost_bad_arguments, 1, __ATOMIC_RELAXED);
    return 0;
  }
  // Of a refill only what the event can show counts: it may be a megabyte of fresh zeros.
  bool overwrites =
      is_growth || !is_all_zero(append, is_refill ? abi::kMaxOldBytes : ~uint64_t{0});
  count_and_thin(control, site, overwrites && !is_refill && !is_growth, now);
  if (is_refill && !overwrites) return 0;
  // Asked also when this one is not told: a program whose contexts are all seen often would else not
  // notice for minutes that nobody watches.
  if (!tool_is_alive(control, now)) return 0;
  uint64_t g = saved->regs[kR14];
  uint64_t sp = saved->regs[kRsp];
  uint64_t stack_hi = g != 0 ? load64(g + 8) : 0;  // g.stack.hi, runtime/runtime2.go
  if (stack_hi <= sp || stack_hi - sp > kMaxStackFrameDistance) stack_hi = sp;
  // The two kinds are counted apart: many appends to fresh slots must not hide the first that
  // overwrites.
  uint64_t hash = hash_context(site, saved, stack_hi);
  if (!overwrites) hash = mix_hash(hash, 1) | 1;
  uint64_t hit = count_context(state, control, hash);
  if (hit == 0) {
    __atomic_add_fetch(&control->lost_context_table_full, 1, __ATOMIC_RELAXED);
    return 0;
  }
  if (!is_told(control, site, hit, now) || is_tired(site)) return 0;
  const uint64_t dest_size = append.facts.dest_size;
  Telling telling{};
  telling.facts = reinterpret_cast<const uint64_t*>(&append.facts);
  telling.facts_size = sizeof append.facts;
  telling.old_from = append.facts.dest;
  telling.old_size =
      dest_size < abi::kMaxOldBytes ? static_cast<uint32_t>(dest_size) : abi::kMaxOldBytes;
  telling.context = hash;
  telling.hit = hit;
  return record(state, control, site, saved, telling, now);
}

extern "C" void geist_on_overwrite(Site* site, const Saved* saved, State* state) {
  // Of the way in and out through entry_x86_64.S, two locked instructions and POPFQ foremost.
  constexpr uint64_t kEntryTicks = 120;
  // 120 µs: the rest of what took longer went to other threads, on a processor that was not this
  // one's alone.
  constexpr uint64_t kMostShift = 13;
  Control* control = reinterpret_cast<Control*>(state->control);
  if (control == nullptr) return;  // a fork's child, made by a signal handler in here
  if (__atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0) {
    site->skip = ~uint64_t{0};  // disarmed: the check costs a jump from now on
    return;
  }
  uint64_t begin = read_tsc();
  uint64_t waited = look_at(site, saved, state, control, begin);
  // Begun on one processor and ended on another it may be negative, and then it counts as nothing.
  int64_t spent = static_cast<int64_t>(read_tsc() - begin - waited + kEntryTicks);
  const int64_t most = static_cast<int64_t>(control->tsc_hz >> kMostShift);
  if (spent < 0) spent = 0;
  if (spent > most) spent = most;
  __atomic_add_fetch(&control->slow_path_ticks, static_cast<uint64_t>(spent), __ATOMIC_RELAXED);
}

// R14 need not be a goroutine's g here: points may lie in assembly and on the system stack.
extern "C" void geist_on_point(Site* site, const Saved* saved, State* state) {
  __atomic_add_fetch(&site->seen, 1, __ATOMIC_RELAXED);
  Control* control = reinterpret_cast<Control*>(state->control);
  if (control == nullptr) return;
  if (site->detector == abi::kMaps) look_at_map(site, saved, state, control);
  if (site->detector == abi::kLists) look_at_list(site, saved, state, control);
}

}  // namespace geist::runtime
