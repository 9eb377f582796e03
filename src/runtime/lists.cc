// At an operation of a list (abi/lists.h): is it one of an element that is in no list, that its
// neighbours do not know, or that is another list's? Who removes an element is noted before, for who
// asks it for its neighbours afterwards.
//
// All that is read here the program is about to read, or has got from the list itself: an element's
// words, and those of its neighbours.
#include "abi/lists.h"

#include "runtime/runtime.h"
#include "runtime/sys.h"

namespace geist::runtime {

using abi::Control;
using abi::RemovedElement;
using abi::Site;
using abi::State;

namespace {

constexpr int kRsp = 4, kR14 = 14;
constexpr uint64_t kLowest = 4096;  // no object lies below

struct Operation {
  uint64_t element, owner, next, prev, list, goid;
  const Saved* saved;
  uint64_t stack_hi;
};

RemovedElement* place_of(State* state, uint64_t element) {
  return &state->removed[mix_hash(0x6c697374u, element) % abi::kRemovedElements];
}

void note_removal(State* state, const Site* site, const Operation& op) {
  RemovedElement* place = place_of(state, op.element);
  uint32_t free = 0;
  // Two at once in one place: one of them is not known, as if it had been long ago.
  if (!__atomic_compare_exchange_n(&place->busy, &free, 1u, false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return;
  __atomic_store_n(&place->element, 0, __ATOMIC_RELEASE);
  place->list = op.list;
  place->next = op.next;
  place->prev = op.prev;
  place->goid = op.goid;
  place->site = site->id;
  const int64_t frame_bytes = static_cast<int64_t>(evaluate(site->values[abi::kListFrame], op.saved));
  place->frames =
      read_returns(op.saved, op.stack_hi, frame_bytes, place->pcs, abi::kRemovalFrames);
  __atomic_store_n(&place->element, op.element, __ATOMIC_RELEASE);
  __atomic_store_n(&place->busy, 0u, __ATOMIC_RELEASE);
}

// Gives the ticks waited.
uint64_t tell(State* state, Control* control, const Site* site, const Operation& op,
              abi::ListFacts facts, const RemovedElement* removal, uint64_t now) {
  facts.operation = site->mode;
  facts.element = op.element;
  facts.owner = op.owner;
  Telling telling{};
  telling.context = mix_hash(hash_context(site, op.saved, op.stack_hi), facts.kind) | 1;
  telling.hit = count_context(state, control, telling.context);
  if (telling.hit != 0 && (telling.hit & (telling.hit - 1)) != 0) return 0;
  if (!tool_is_alive(control, now)) return 0;
  if (removal != nullptr) {
    facts.has_removal = 1;
    facts.list = removal->list;
    facts.next = removal->next;
    facts.prev = removal->prev;
    facts.removal_goid = removal->goid;
    telling.old_from = reinterpret_cast<uint64_t>(removal->pcs);
    telling.old_size = removal->frames * 8;
    telling.other_site = removal->site;
  }
  telling.facts = reinterpret_cast<const uint64_t*>(&facts);
  telling.facts_size = sizeof facts;
  return record(state, control, site, op.saved, telling, now);
}

// Next or Prev of an element that is in no list.
uint64_t look_at_step(State* state, Control* control, const Site* site, const Operation& op,
                      uint64_t now) {
  if (op.list != 0) return 0;
  const RemovedElement* place = place_of(state, op.element);
  RemovedElement removal{};
  const bool is_known = __atomic_load_n(&place->element, __ATOMIC_ACQUIRE) == op.element;
  if (is_known) {
    removal.list = place->list;
    removal.next = place->next;
    removal.prev = place->prev;
    removal.goid = place->goid;
    removal.site = place->site;
    removal.frames = place->frames < abi::kRemovalFrames ? place->frames : abi::kRemovalFrames;
    for (uint32_t i = 0; i < removal.frames; ++i) removal.pcs[i] = place->pcs[i];
  }
  abi::ListFacts facts{};
  facts.kind = abi::kListStale;
  // Whoever wrote there meanwhile was about another element.
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  const bool is_whole = is_known && __atomic_load_n(&place->element, __ATOMIC_RELAXED) == op.element;
  return tell(state, control, site, op, facts, is_whole ? &removal : nullptr, now);
}

bool is_linked(const Operation& op) {
  return load64(op.prev + abi::kElementNext) == op.element &&
         load64(op.next + abi::kElementPrev) == op.element;
}

uint64_t look_at_change(State* state, Control* control, const Site* site, const Operation& op,
                        uint64_t now) {
  if (op.list == 0 || op.prev < kLowest || op.next < kLowest) return 0;
  const bool is_owner = op.list == op.owner;
  const bool is_in_list = is_linked(op);
  if (is_owner && site->mode == abi::kListRemove) note_removal(state, site, op);
  // Of another list that does not know it either nothing is sure.
  if (is_owner == is_in_list) return 0;
  abi::ListFacts facts{};
  facts.kind = is_owner ? abi::kListTorn : abi::kListForeign;
  facts.list = op.list;
  facts.next = op.next;
  facts.prev = op.prev;
  return tell(state, control, site, op, facts, nullptr, now);
}

// Gives the ticks waited.
uint64_t look(Site* site, const Saved* saved, State* state, Control* control, uint64_t now) {
  const uint64_t g = saved->regs[kR14];
  const uint64_t m = g != 0 ? load64(g + control->g_m) : 0;
  // Not on the system's stack, nor in a signal handler.
  if (m == 0 || load64(m + control->m_curg) != g) return 0;
  const uint64_t sp = saved->regs[kRsp];
  Operation op{};
  op.saved = saved;
  op.stack_hi = load64(g + 8);
  if (sp < load64(g) || sp >= op.stack_hi) return 0;
  op.element = evaluate(site->values[abi::kListElement], saved);
  if (op.element < kLowest) return 0;
  op.owner = evaluate(site->values[abi::kListOwner], saved);
  op.goid = load64(g + control->g_goid);
  op.next = load64(op.element + abi::kElementNext);
  op.prev = load64(op.element + abi::kElementPrev);
  op.list = load64(op.element + abi::kElementList);
  const uint64_t other = evaluate(site->values[abi::kListOther], saved);
  if (other != 0 && op.owner == op.list) op.owner = other;
  const bool is_step = site->mode == abi::kListNext || site->mode == abi::kListPrev;
  return is_step ? look_at_step(state, control, site, op, now)
                 : look_at_change(state, control, site, op, now);
}

}  // namespace

void look_at_list(Site* site, const Saved* saved, State* state, Control* control) {
  if (__atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0) return;
  look(site, saved, state, control, read_tsc());
}

}  // namespace geist::runtime
