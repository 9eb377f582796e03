// Types by flow: from variables whose type is known along pointers to objects, and what each
// pointer is worth as evidence.
//
//   roots ─▶ objects of known type ─▶ ... ─▶ then those that nothing typed leads to, which only
//                                            pass on that they are reached
//
// An object may be seen by several pointers: as the struct it is, as the first field of it, as a
// slice over part of it. So evidence has ranks, the object keeps the best it saw, and what it leads
// to is looked at again when it got better. A rank only grows, which is why this ends. Evidence
// that the heap's own bitmap contradicts (another number of pointers, another size) is none.
#pragma once

#include <vector>

#include "heap/graph.h"

namespace geist::heap {

enum class Rank : u8 {
  kNone = 0,
  kPartial = 1,    // a pointer to something smaller at its begin
  kHint = 2,       // a type or code pointer in the word beside the pointer, whatever holds both
  kString = 3,     // bytes of a string
  kSlice = 4,      // elements of a slice
  kPointer = 5,    // a pointer to something of just its size
  kStructure = 6,  // a map, a channel; a closure or the content of an interface, seen as such
  kHeader = 7,     // the allocator says so
};

struct Evidence {
  TypeId type = kUnknownType;
  Rank rank = Rank::kNone;
};

class TypeFlow {
 public:
  explicit TypeFlow(HeapGraph& graph) : graph_(graph), types_(*graph.types_) {}

  // Marks what the roots reach, and types it.
  void run();

  // What a pointer that sees its target so says of it. Without slots_known, the number of pointers
  // of the target is not held against the type.
  static Evidence judge(const HeapGraph& graph, u32 slot, const PointerWord& word,
                        bool slots_known);
  // Takes the evidence if it is better than what the object has; safe for several threads.
  static bool propose(HeapGraph& graph, ObjectId id, const Evidence& evidence);

 private:
  void visit(u32 slot, const PointerWord& word);
  // What kBoxed and kReflected words, read at `at`, say by the words around them.
  PointerWord resolve(TargetAddr at, const PointerWord& word);
  // An interface or func value that leads to what a hint said: the hint was right.
  static void confirm_hint(u32& state);
  void follow(ObjectId id);
  void follow_untyped(ObjectId id);
  const HeapType& type_at(TypeId id);

  HeapGraph& graph_;
  HeapTypes& types_;
  std::vector<ObjectId> typed_, untyped_;
  std::vector<const HeapType*> cache_;
};

}  // namespace geist::heap
