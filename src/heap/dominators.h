// Dominators of a HeapGraph: who alone keeps what, and how much would be free without it.
//
//   roots ─▶ a ─▶ b ─▶ d        idom(b) = a, idom(d) = a: d hangs on b and c, both on a alone
//            └──▶ c ─▶ d        retained(a) = a + b + c + d
//
// Semi-NCA over the vertices in the order of a depth-first walk. An object without pointers that
// only one pointer leads to is dominated by whatever holds that pointer: such leaves, most strings
// and buffers, take no part. Source: Georgiadis, Tarjan, Werneck, "Finding Dominators in Practice"
// (2006); path compression without recursion, since lists are millions of objects deep.
#pragma once

#include <vector>

#include "heap/graph.h"

namespace geist::heap {

class Dominators {
 public:
  // Of the graph only objects, slots and roots are used: it may be one whose types are being found.
  explicit Dominators(const HeapGraph& graph);

  // The object that alone keeps this one; kNoObject when roots do, or several objects that no
  // single one keeps. The object must be reached.
  ObjectId idom(ObjectId id) const;
  // Bytes of the object and of all that it alone keeps, as the allocator counts.
  u64 retained(ObjectId id) const;

  // All objects but leaves, each behind the one that dominates it.
  std::span<const ObjectId> order() const { return std::span(object_).subspan(1); }

  struct OfType {
    u64 objects = 0, bytes = 0;
    // Of the objects that no other object of the type keeps: nothing counts twice.
    u64 retained = 0;
  };
  // By TypeId.
  std::vector<OfType> count_types() const;

 private:
  using Number = u32;  // in the order of the walk, 0 is above all roots
  static constexpr u32 kLeafBit = u32{1} << 31;

  void find_leaves(std::vector<u8>& in_degree) const;
  void walk();
  void find_predecessors();
  void find_dominators();
  void sum_retained();
  Number eval(Number v, Number last_linked, std::vector<Number>& stack);
  bool is_leaf(ObjectId id) const;

  const HeapGraph& graph_;
  std::vector<u8> in_degree_;     // of objects without pointers, at most 2; garbage counts too
  std::vector<Number> number_;    // by object; a leaf: kLeafBit | the number of its holder
  std::vector<ObjectId> object_;  // by number
  std::vector<Number> idom_;      // by number
  std::vector<u64> retained_;     // by number
  // While it is made:
  std::vector<Number> ancestor_, semi_, label_;
  std::vector<u32> pred_begin_;
  std::vector<Number> preds_;
};

}  // namespace geist::heap
