#include "profile/edge_map.h"

#include <utility>

#include "profile/measure.h"

namespace geist::profile {

EdgeMap::Slot& EdgeMap::find(u32 from, u32 to) {
  const usize mask = slots_.size() - 1;
  // Fibonacci hashing: the high bits of the product depend on all of the key.
  usize at = (((u64{from} << 32 | to) * 0x9e3779b97f4a7c15) >> 20) & mask;
  while (slots_[at].from != kNone && (slots_[at].from != from || slots_[at].to != to))
    at = (at + 1) & mask;
  return slots_[at];
}

EdgeMap::Slot& EdgeMap::find_or_add(u32 from, u32 to, bool* is_new) {
  Slot* slot = &find(from, to);
  *is_new = slot->from == kNone;
  if (!*is_new) return *slot;
  if (++used_ * 2 > slots_.size()) {
    grow();
    slot = &find(from, to);
  }
  slot->from = from;
  slot->to = to;
  return *slot;
}

void EdgeMap::add(u32 from, u32 to, i64 weight, bool is_inlined, u64 sample) {
  bool is_new = false;
  Slot& slot = find_or_add(from, to, &is_new);
  if (!is_new && slot.sample == sample) return;
  slot.sample = sample;
  slot.weight = plus(slot.weight, weight);
  slot.is_inlined = slot.is_inlined && is_inlined;
}

void EdgeMap::grow() {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  for (const Slot& slot : old) {
    if (slot.from != kNone) find(slot.from, slot.to) = slot;
  }
}

void EdgeMap::merge(const EdgeMap& other) {
  for (const Slot& theirs : other.slots_) {
    if (theirs.from == kNone) continue;
    bool is_new = false;
    Slot& slot = find_or_add(theirs.from, theirs.to, &is_new);
    slot.weight = plus(slot.weight, theirs.weight);
    slot.is_inlined = slot.is_inlined && theirs.is_inlined;
  }
}

std::vector<Edge> EdgeMap::take() {
  std::vector<Edge> edges;
  for (const Slot& slot : slots_) {
    if (slot.from != kNone) edges.push_back({slot.from, slot.to, slot.weight, slot.is_inlined});
  }
  return edges;
}

}  // namespace geist::profile
