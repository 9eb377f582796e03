// See flow.h. Two stacks of objects to follow: typed ones always first, so that most objects are
// followed once, with their type.
#include "heap/flow.h"

#include <algorithm>
#include <array>
#include <atomic>

namespace geist::heap {
namespace {

constexpr u64 kFlagIndir = 1 << 7;  // reflect/value.go: the word is a pointer to the value

bool is_hidden(const PointerWord& word) {
  return word.flow == Flow::kBoxed || word.flow == Flow::kReflected;
}

// Does the number of pointers fit `type`, once or several times?
bool do_slots_fit(const HeapType& type, u64 slots, u64 user_bytes, bool is_array) {
  if (type.is_prefix) return true;
  u64 words = type.words.size();
  if (words == 0) return slots == 0;
  if (!is_array) return slots >= words;
  return slots % words == 0 && slots / words <= user_bytes / std::max<u64>(type.size_bytes, 1);
}

Evidence judge_value(const HeapGraph& graph, ObjectId id, TypeId target, Rank exact,
                     bool slots_known) {
  HeapTypes& types = graph.types();
  const SlotShape& shape = graph.shape(id);
  const HeapType& type = types.at(target);
  if (type.size_bytes == 0 || type.size_bytes > shape.user_bytes) return {};
  // A type with pointers is never in a span without; one without may be part of something with.
  if (!type.words.empty() && shape.noscan) return {};
  if (shape.is_tiny_class && type.size_bytes < 16) return {types.tiny(), Rank::kPartial};
  bool is_exact = type.size_bytes >= shape.smallest && type.words.empty() == shape.noscan;
  u64 slots = graph.slots(id).size();
  if (slots_known && !shape.noscan) {
    if (!do_slots_fit(type, slots, shape.user_bytes, false)) return {};
    is_exact = is_exact && (type.is_prefix || slots == type.words.size());
  }
  if (is_exact) return {target, exact};
  bool is_array = type.form == Form::kValue && !type.is_prefix &&
                  shape.user_bytes >= 2 * type.size_bytes && type.words.empty() == shape.noscan &&
                  (!slots_known || do_slots_fit(type, slots, shape.user_bytes, true)) &&
                  (shape.noscan || slots > type.words.size());
  TypeId seen = is_array ? types.array_of(target) : target;
  return {seen, Rank::kPartial};
}

Evidence judge_array(const HeapGraph& graph, ObjectId id, TypeId array, bool slots_known) {
  HeapTypes& types = graph.types();
  if (array == kUnknownType) return {};
  const SlotShape& shape = graph.shape(id);
  const HeapType& type = types.at(array);
  if (type.size_bytes > shape.user_bytes || type.words.empty() != shape.noscan) return {};
  if (shape.is_tiny_class && type.size_bytes < 16) return {types.tiny(), Rank::kPartial};
  if (slots_known && !shape.noscan &&
      !do_slots_fit(type, graph.slots(id).size(), shape.user_bytes, true)) {
    return {};
  }
  return {array, Rank::kSlice};
}

// maps.Map.dirPtr: an array of tables, or, in a small map, one group. A group begins with control
// bytes, so not all of its words are pointers.
Evidence judge_map_directory(const HeapGraph& graph, ObjectId id, TypeId directory,
                             bool slots_known) {
  HeapTypes& types = graph.types();
  u64 slots = graph.slots(id).size();
  bool is_directory = slots_known ? slots != 0 && slots * 8 == graph.size(id) : false;
  if (is_directory) return {directory, Rank::kStructure};
  TypeId map = types.at(directory).elem;
  Evidence group = judge_array(graph, id, types.array_of(types.at(map).bucket), slots_known);
  if (group.type != kUnknownType && group.type != types.tiny()) group.rank = Rank::kStructure;
  return group;
}

// Of a type that begins several structs: the one that this object is, by its first byte.
TypeId find_variant(const HeapGraph& graph, ObjectId id, TypeId target) {
  const HeapType& type = graph.types().at(target);
  if (type.when_set == kUnknownType && type.when_clear == kUnknownType) return target;
  std::optional<u8> flag = graph.image().memory->find<u8>(graph.addr(id));
  if (!flag) return kUnknownType;
  return *flag != 0 ? type.when_set : type.when_clear;
}

}  // namespace

Evidence TypeFlow::judge(const HeapGraph& graph, u32 slot, const PointerWord& word,
                         bool slots_known) {
  ObjectId id = HeapGraph::target(slot);
  bool is_begin = !HeapGraph::is_interior(slot);
  if (word.target == kUnknownType && word.flow != Flow::kString) return {};
  switch (word.flow) {
    case Flow::kString: {
      const SlotShape& shape = graph.shape(id);
      if (!shape.noscan) return {};
      if (shape.is_tiny_class) return {graph.types().tiny(), Rank::kPartial};
      return {graph.types().string_bytes(), Rank::kString};
    }
    case Flow::kSlice:
      return judge_array(graph, id, word.target, slots_known);
    case Flow::kPointer:
      if (!is_begin) return {};
      return judge_value(graph, id, find_variant(graph, id, word.target), Rank::kPointer,
                         slots_known);
    case Flow::kArray:
      if (!is_begin) return {};
      return judge_array(graph, id, word.target, slots_known);
    case Flow::kInterface:
    case Flow::kMap:
      if (!is_begin) return {};
      return judge_value(graph, id, word.target, Rank::kStructure, slots_known);
    case Flow::kMapDir:
      if (!is_begin) return {};
      return judge_map_directory(graph, id, word.target, slots_known);
    case Flow::kChan:
      if (!is_begin || graph.size(id) < graph.types().at(word.target).size_bytes) return {};
      return {word.target, Rank::kStructure};
    default:
      return {};
  }
}

bool TypeFlow::propose(HeapGraph& graph, ObjectId id, const Evidence& evidence) {
  if (evidence.type == kUnknownType) return false;
  std::atomic_ref<u32> state(graph.states_[id]);
  u32 old = state.load(std::memory_order_relaxed);
  for (;;) {
    auto rank = static_cast<Rank>(old >> HeapGraph::kRankShift & HeapGraph::kRankMask);
    TypeId type = old >> HeapGraph::kTypeShift;
    if (evidence.rank < rank || evidence.type == type) return false;
    if (evidence.rank == rank) {
      // The larger one contains the other; of two equal ones the order must not depend on threads.
      const HeapType& ours = graph.types().at(type);
      const HeapType& theirs = graph.types().at(evidence.type);
      bool is_better = theirs.size_bytes != ours.size_bytes
                           ? theirs.size_bytes > ours.size_bytes
                           : theirs.runtime_type < ours.runtime_type;
      if (!is_better) return false;
    }
    u32 now = evidence.type << HeapGraph::kTypeShift |
              static_cast<u32>(evidence.rank) << HeapGraph::kRankShift |
              (old & HeapGraph::kReachedBit);
    if (state.compare_exchange_weak(old, now, std::memory_order_relaxed)) return true;
  }
}

const HeapType& TypeFlow::type_at(TypeId id) {
  if (id >= cache_.size()) cache_.resize(types_.count() + 64);
  if (cache_[id] == nullptr) cache_[id] = &types_.at(id);
  return *cache_[id];
}

void TypeFlow::run() {
  for (const Root& root : graph_.roots_) visit(root.slot, resolve(root.at, root.word));
  // Each step waits for memory: where an object's slots begin, the slots, the states of what they
  // lead to. So a handful of objects take each step together.
  std::array<ObjectId, 32> some;
  constexpr usize kFewSlots = 8;
  while (!typed_.empty() || !untyped_.empty()) {
    if (typed_.empty()) {
      ObjectId id = untyped_.back();
      untyped_.pop_back();
      if (graph_.type(id) == kUnknownType) follow_untyped(id);
      continue;
    }
    usize count = std::min(some.size(), typed_.size());
    std::copy_n(typed_.end() - static_cast<i64>(count), count, some.begin());
    typed_.resize(typed_.size() - count);
    for (usize i = 0; i < count; ++i) {
      __builtin_prefetch(&graph_.slot_begin_[some[i]]);
      __builtin_prefetch(&graph_.states_[some[i]]);
    }
    for (usize i = 0; i < count; ++i) {
      __builtin_prefetch(graph_.slots_.data() + graph_.slot_begin_[some[i]]);
    }
    for (usize i = 0; i < count; ++i) {
      std::span<const u32> slots = graph_.slots(some[i]);
      for (u32 slot : slots.first(std::min(slots.size(), kFewSlots))) {
        __builtin_prefetch(&graph_.states_[HeapGraph::target(slot)]);
      }
    }
    for (usize i = count; i-- > 0;) follow(some[i]);
  }
}

void TypeFlow::visit(u32 slot, const PointerWord& word) {
  ObjectId id = HeapGraph::target(slot);
  u32& state = graph_.states_[id];
  bool is_new = (state & HeapGraph::kReachedBit) == 0;
  state |= HeapGraph::kReachedBit;
  auto rank = static_cast<Rank>(state >> HeapGraph::kRankShift & HeapGraph::kRankMask);
  bool is_better = false;
  if (word.flow == Flow::kInterface || word.flow == Flow::kFunc) confirm_hint(state);
  // Most pointers lead to what is known as well as it can be.
  bool may_be_better = rank != Rank::kHeader && word.flow != Flow::kOpaque &&
                       (word.target != state >> HeapGraph::kTypeShift);
  if (may_be_better) is_better = propose(graph_, id, judge(graph_, slot, word, true));
  bool has_slots = id <= graph_.last_scan_id_;
  if (!has_slots || (!is_new && !is_better)) return;
  (graph_.type(id) == kUnknownType ? untyped_ : typed_).push_back(id);
}

void TypeFlow::confirm_hint(u32& state) {
  if ((state >> HeapGraph::kRankShift & HeapGraph::kRankMask) != static_cast<u32>(Rank::kHint)) {
    return;
  }
  state += (static_cast<u32>(Rank::kStructure) - static_cast<u32>(Rank::kHint))
           << HeapGraph::kRankShift;
}

void TypeFlow::follow_untyped(ObjectId id) {
  for (u32 slot : graph_.slots(id)) {
    if (slot != 0) visit(slot, {});
  }
}

void TypeFlow::follow(ObjectId id) {
  const HeapType& type = type_at(graph_.type(id));
  std::span<const u32> slots = graph_.slots(id);
  usize words = type.words.size();
  bool is_row = type.form == Form::kArray || type.form == Form::kMapDirectory;
  bool repeats = is_row && !type.is_prefix;
  usize k = 0;
  u64 row = 0;
  for (u32 slot : slots) {
    if (slot != 0) {
      const PointerWord word = k < words ? type.words[k] : PointerWord();
      TargetAddr at = is_hidden(word) ? graph_.addr(id) + row + word.offset : TargetAddr();
      visit(slot, resolve(at, word));
    }
    if (++k == words && repeats) {
      k = 0;
      row += type.size_bytes;
    }
  }
}

PointerWord TypeFlow::resolve(TargetAddr at, const PointerWord& word) {
  if (!is_hidden(word)) return word;
  const process::Memory& memory = *graph_.image_.memory;
  std::optional<u64> type = at ? memory.find<u64>(at - 8) : std::nullopt;
  if (!type) return {};
  TypeId dynamic = types_.of_runtime_type(graph_.image_.bias.to_image(TargetAddr(*type)));
  if (word.flow == Flow::kBoxed) return types_.boxed(dynamic);
  std::optional<u64> flags = memory.find<u64>(at + 8);
  if (!flags || dynamic == kUnknownType) return {};
  return (*flags & kFlagIndir) != 0 ? PointerWord{0, Flow::kPointer, dynamic}
                                    : types_.boxed(dynamic);
}

}  // namespace geist::heap
