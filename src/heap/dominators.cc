// Everything is done in numbers of the walk, and without recursion. Memory bounds what heaps can be
// looked at: eight words a vertex while the tree is made, three when it is there.
#include "heap/dominators.h"

#include <algorithm>

namespace geist::heap {

Dominators::Dominators(const HeapGraph& graph) : graph_(graph) {
  find_leaves(in_degree_);
  walk();
  find_predecessors();
  find_dominators();
  // The tree is all that stays: memory is what limits the heaps that can be looked at.
  for (std::vector<u32>* one : {&pred_begin_, &preds_, &ancestor_, &semi_, &label_}) {
    std::vector<u32>().swap(*one);
  }
  sum_retained();
}

void Dominators::find_leaves(std::vector<u8>& in_degree) const {
  in_degree.assign(graph_.last_id() - graph_.last_scan_id() + 1, 0);
  auto count = [&](u32 slot) {
    ObjectId id = HeapGraph::target(slot);
    if (id <= graph_.last_scan_id()) return;
    u8& degree = in_degree[id - graph_.last_scan_id()];
    if (degree < 2) ++degree;
  };
  for (const Root& root : graph_.roots()) count(root.slot);
  graph_.for_each_allocated(1, u64{graph_.last_scan_id()} + 1, [&](ObjectId id) {
    for (u32 slot : graph_.slots(id)) count(slot);
  });
}

bool Dominators::is_leaf(ObjectId id) const {
  return id > graph_.last_scan_id() && in_degree_[id - graph_.last_scan_id()] < 2;
}

void Dominators::walk() {
  number_.assign(u64{graph_.last_id()} + 1, 0);
  // Room for all that might be reached: what is not used costs no memory.
  usize count = 1;
  graph_.for_each_allocated([&](ObjectId id, u64) { count += !is_leaf(id); });
  object_.reserve(count);
  ancestor_.reserve(count);
  object_.push_back(kNoObject);
  ancestor_.push_back(0);
  struct Step {
    ObjectId id;
    u32 next;  // of its slots
  };
  std::vector<Step> stack;
  auto enter = [&](ObjectId id, Number from) {
    if (number_[id] != 0) return;
    if (is_leaf(id)) {
      number_[id] = kLeafBit | from;
      return;
    }
    number_[id] = static_cast<Number>(object_.size());
    object_.push_back(id);
    ancestor_.push_back(from);
    stack.push_back({id, 0});
  };
  for (const Root& root : graph_.roots()) {
    enter(HeapGraph::target(root.slot), 0);
    while (!stack.empty()) {
      Step& step = stack.back();
      std::span<const u32> slots = graph_.slots(step.id);
      if (step.next == slots.size()) {
        stack.pop_back();
        continue;
      }
      Number from = number_[step.id];
      u32 slot = slots[step.next++];
      if (slot != 0) enter(HeapGraph::target(slot), from);
    }
  }
}

// A run of predecessors for each number, both ends of every edge in numbers.
void Dominators::find_predecessors() {
  usize count = object_.size();
  pred_begin_.assign(count + 2, 0);
  auto visit_edges = [&](auto visit) {
    auto edge = [&](Number from, u32 slot) {
      if (slot == 0) return;
      Number to = number_[HeapGraph::target(slot)];
      if ((to & kLeafBit) == 0) visit(from, to);
    };
    for (const Root& root : graph_.roots()) edge(0, root.slot);
    for (Number from = 1; from < count; ++from) {
      for (u32 slot : graph_.slots(object_[from])) edge(from, slot);
    }
  };
  visit_edges([&](Number, Number to) { ++pred_begin_[to + 2]; });
  for (usize i = 2; i < pred_begin_.size(); ++i) pred_begin_[i] += pred_begin_[i - 1];
  preds_.resize(pred_begin_.back());
  visit_edges([&](Number from, Number to) { preds_[pred_begin_[to + 1]++] = from; });
}

// The vertex with the smallest semidominator on the path from v up to what is linked last.
Dominators::Number Dominators::eval(Number v, Number last_linked, std::vector<Number>& stack) {
  if (ancestor_[v] < last_linked) return label_[v];
  stack.clear();
  Number at = v;
  do {
    stack.push_back(at);
    at = ancestor_[at];
  } while (ancestor_[at] >= last_linked);
  Number above = at;
  Number above_label = label_[above];
  while (!stack.empty()) {
    at = stack.back();
    stack.pop_back();
    ancestor_[at] = ancestor_[above];
    if (semi_[above_label] < semi_[label_[at]]) {
      label_[at] = above_label;
    } else {
      above_label = label_[at];
    }
    above = at;
  }
  return label_[v];
}

void Dominators::find_dominators() {
  usize count = object_.size();
  idom_ = ancestor_;
  semi_.resize(count);
  label_.resize(count);
  for (Number v = 0; v < count; ++v) semi_[v] = label_[v] = v;
  std::vector<Number> stack;
  for (Number v = static_cast<Number>(count) - 1; v > 0; --v) {
    semi_[v] = ancestor_[v];
    for (u32 p = pred_begin_[v]; p < pred_begin_[v + 1]; ++p) {
      Number semi = semi_[eval(preds_[p], v + 1, stack)];
      semi_[v] = std::min(semi_[v], semi);
    }
  }
  for (Number v = 1; v < count; ++v) {
    Number above = idom_[v];
    while (above > semi_[v]) above = idom_[above];
    idom_[v] = above;
  }
}

void Dominators::sum_retained() {
  retained_.assign(object_.size(), 0);
  graph_.for_each_allocated([&](ObjectId id, u64 bytes) {
    if (number_[id] != 0) retained_[number_[id] & ~kLeafBit] += bytes;
  });
  for (usize v = object_.size() - 1; v > 0; --v) retained_[idom_[v]] += retained_[v];
}

ObjectId Dominators::idom(ObjectId id) const {
  Number number = number_[id];
  if ((number & kLeafBit) != 0) return object_[number & ~kLeafBit];
  return object_[idom_[number]];
}

u64 Dominators::retained(ObjectId id) const {
  Number number = number_[id];
  return (number & kLeafBit) != 0 ? graph_.slot_size(id) : retained_[number];
}

std::vector<Dominators::OfType> Dominators::count_types() const {
  std::vector<OfType> types(graph_.types().count());
  graph_.for_each_reached([&](ObjectId id, u64 bytes) {
    OfType& type = types[graph_.type(id)];
    ++type.objects;
    type.bytes += bytes;
    if ((number_[id] & kLeafBit) != 0) type.retained += bytes;
  });
  // The tree from its root down; open[t] says how many objects of type t are above.
  usize count = object_.size();
  std::vector<u32> begin(count + 2, 0);
  for (usize v = 1; v < count; ++v) ++begin[idom_[v] + 2];
  for (usize i = 2; i < begin.size(); ++i) begin[i] += begin[i - 1];
  std::vector<Number> children(count);
  for (Number v = 1; v < count; ++v) children[begin[idom_[v] + 1]++] = v;
  std::vector<u32> open(types.size(), 0);
  std::vector<Number> path = {0};
  std::vector<u32> next(1, begin[0]);
  while (!path.empty()) {
    Number v = path.back();
    if (next.back() < begin[v + 1]) {
      Number child = children[next.back()++];
      TypeId type = graph_.type(object_[child]);
      if (open[type]++ == 0) types[type].retained += retained_[child];
      path.push_back(child);
      next.push_back(begin[child]);
      continue;
    }
    if (v != 0) --open[graph_.type(object_[v])];
    path.pop_back();
    next.pop_back();
  }
  return types;
}

}  // namespace geist::heap
