// HeapGraph: every object of a Go heap at one moment, what it points to, what it is, and who holds
// it.
//
//   spans ─▶ objects (32-bit ids)      scan spans first, then those without pointers
//         ─▶ slots                     of each object, its pointer words in order:
//                                      id << 1 | interior
//   roots ─▶ reached objects             typed by flow
//
// An id is given to every slot of every span, allocated or not: the id and the address are each
// other's function, so neither is stored. A slot of 0 is a pointer to nothing in the heap. Where an
// object's type is known, its k-th slot is the k-th pointer word of that type, which is how names
// are found without keeping offsets.
//
// The memory must not change while the graph is made: a stopped process, its copy, a core.
// Source: runtime/mbitmap.go, runtime/mgcmark.go (markroot), go1.21 to go1.27.
#pragma once

#include <bit>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "heap/goroutines.h"
#include "heap/heap_types.h"
#include "heap/runtime_symbols.h"
#include "heap/span_index.h"
#include "heap/unwind.h"
#include "process/memory.h"

namespace geist::heap {

using ObjectId = u32;
inline constexpr ObjectId kNoObject = 0;

// A thread of the image: which, and its registers when it was stopped.
struct ThreadState {
  int tid = 0;
  TargetAddr pc, sp;
  std::vector<u64> registers;  // all that may hold a pointer
};

// Where a graph is made from.
struct HeapImage {
  const process::Memory* memory = nullptr;
  const read::GoBinary* binary = nullptr;
  read::DebugInfo* debug = nullptr;  // may be null
  RuntimeSymbols symbols;
  LoadBias bias;
  std::vector<ThreadState> threads;
};

// A variable, or what else the collector starts from.
struct RootHolder {
  enum class Kind : u8 { kGlobal, kStack, kFinalizer, kOther };
  Kind kind = Kind::kOther;
  std::string name = {};      // "main.sessions"; of a stack: the variable, or empty
  std::string function = {};  // of a stack frame
  u64 goid = 0;               // of a stack
  TargetAddr addr = {};       // of the variable
  TypeId type = kUnknownType;
};

struct Root {
  u32 holder = 0;    // index into holders
  u32 slot = 0;      // as in an object: id << 1 | interior
  TargetAddr at;     // of the pointer word; 0 for registers
  PointerWord word;  // how it sees its object; offset is within the variable
  // Of a slice or string: where its length and capacity are; 0 when they are nowhere in memory.
  TargetAddr len_at, cap_at;
};

// What the slots of a span have in common; small, for walks that ask for every object.
struct SlotShape {
  u64 first_user = 0;  // address of the user's bytes in the first slot
  u64 slot_bytes = 0;  // what the allocator counts
  u64 user_bytes = 0;  // usable, behind a malloc header
  u64 smallest = 0;    // a request of fewer bytes would have got a smaller slot
  bool noscan = false;
  bool is_tiny_class = false;  // may hold several small values
};

struct RuntimeCounts {
  u64 objects = 0, bytes = 0;
};

struct GraphStats {
  // By the spans, with garbage that was not swept yet.
  u64 allocated_objects = 0, allocated_bytes = 0;
  std::optional<RuntimeCounts> runtime;  // the same by the runtime's own counters
  u64 reached_objects = 0, reached_bytes = 0;
  u64 typed_bytes = 0;  // of those reached
  u64 spans = 0, spans_damaged = 0;
  u64 goroutines_damaged = 0;
  u64 stacks_incomplete = 0;  // taken word by word
  u64 specials_damaged = 0;   // lists of finalizers and cleanups
  u64 bytes_unreadable = 0;
  u64 types_unreadable = 0;  // malloc headers that name no type of the program
};

class HeapGraph {
 public:
  // Called with a graph that has objects, slots and roots, but does not know yet what is reached
  // and of which type.
  using Beside = std::function<void(const HeapGraph&)>;

  // Fails when the heap's tables cannot be read at all, or has more objects than 31 bits count.
  // With several threads `beside` runs in one of its own, while the types are found: neither needs
  // the other, and each is one long chain of cache misses.
  static Result<std::unique_ptr<HeapGraph>> make(const HeapImage& image, u32 threads,
                                                 const Beside& beside = nullptr);

  const HeapImage& image() const { return image_; }
  HeapTypes& types() const { return *types_; }
  const GraphStats& stats() const { return stats_; }
  const std::vector<Goroutine>& goroutines() const { return goroutines_; }
  const std::vector<RootHolder>& holders() const { return holders_; }
  const std::vector<Root>& roots() const { return roots_; }

  // Ids run from 1 to last_id(); those up to last_scan_id() may have slots.
  ObjectId last_id() const { return last_id_; }
  ObjectId last_scan_id() const { return last_scan_id_; }
  bool is_allocated(ObjectId id) const { return (allocated_[id / 64] >> (id % 64) & 1) != 0; }
  bool is_reached(ObjectId id) const { return (states_[id] & kReachedBit) != 0; }
  TypeId type(ObjectId id) const { return states_[id] >> kTypeShift; }
  std::span<const u32> slots(ObjectId id) const {
    if (id > last_scan_id_) return {};
    return {slots_.data() + slot_begin_[id], slot_begin_[id + 1] - slot_begin_[id]};
  }
  static ObjectId target(u32 slot) { return slot >> 1; }
  static bool is_interior(u32 slot) { return (slot & 1) != 0; }

  const SlotShape& shape(ObjectId id) const { return shapes_[span_number(id)]; }
  // Of the user's bytes, behind a malloc header.
  TargetAddr addr(ObjectId id) const;
  u64 size(ObjectId id) const { return shape(id).user_bytes; }       // usable bytes from addr()
  u64 slot_size(ObjectId id) const { return shape(id).slot_bytes; }  // what the allocator counts
  // The object that holds an address; kNoObject when none is allocated there.
  ObjectId find_object(TargetAddr addr) const;
  // Calls visit(id) for each object of the ids [first, behind), ascending. Free slots cost a bit.
  template <typename Visit>
  void for_each_allocated(u64 first, u64 behind, Visit visit) const {
    for (u64 word = first / 64; word * 64 < behind; ++word) {
      u64 bits = allocated_[word];
      if (word == first / 64) bits &= ~u64{0} << (first % 64);
      for (; bits != 0; bits &= bits - 1) {
        u64 id = word * 64 + static_cast<u64>(std::countr_zero(bits));
        if (id >= behind) return;
        visit(static_cast<ObjectId>(id));
      }
    }
  }
  // Calls visit(id, slot_size) for each object, ascending.
  template <typename Visit>
  void for_each_allocated(Visit visit) const {
    for (usize s = 0; s < spans_.size(); ++s) {
      u64 bytes = spans_[s].elem_size;
      for_each_allocated(first_ids_[s], first_ids_[s] + spans_[s].nelems,
                         [&](ObjectId id) { visit(id, bytes); });
    }
  }
  template <typename Visit>
  void for_each_reached(Visit visit) const {
    for_each_allocated([&](ObjectId id, u64 bytes) {
      if (is_reached(id)) visit(id, bytes);
    });
  }
  // How many values of its type the object holds; 1 unless it is an array.
  u64 value_count(ObjectId id) const;
  // Offset of the object's k-th slot, by its type; nothing when the type does not say.
  std::optional<u64> find_slot_offset(ObjectId id, u64 k) const;
  // How the object's k-th slot sees its target.
  PointerWord find_slot_word(ObjectId id, u64 k) const;
  // "[]main.T", "main.T", "?".
  std::string type_name(ObjectId id) const;

 private:
  friend class GraphScan;
  friend class GraphRoots;
  friend class TypeFlow;
  static constexpr u32 kIdBlock = 64;
  static constexpr u32 kReachedBit = 1, kRankShift = 1, kRankMask = 7, kTypeShift = 4;

  explicit HeapGraph(const HeapImage& image);
  Status read_spans();
  void make_lookups();
  SlotShape make_shape(const Span& span) const;
  void read_allocated();
  // Those below `from`, and those that `bits` has of the others; returns how many are.
  u64 set_allocated(usize span, u64 from, ByteView bits);
  // What a pointer word of this value is as a slot; 0 when it leads to no allocated object.
  u32 find_slot(u64 word) const;
  usize span_number(ObjectId id) const;
  void count();

  HeapImage image_;
  std::unique_ptr<HeapTypes> types_;
  std::unique_ptr<SpanTable> table_;
  GraphStats stats_;
  std::vector<Span> spans_;         // heap spans; scan spans first, each part ascending
  std::vector<u32> first_ids_;      // of each span
  std::vector<u32> id_blocks_;      // of each kIdBlock ids: the span of the first one
  std::vector<SlotShape> shapes_;   // of each span
  std::vector<SpanEntry> entries_;  // ascending; first_bit is the first id
  std::optional<SpanLookup> lookup_;
  ObjectId last_id_ = 0, last_scan_id_ = 0;
  std::vector<u64> allocated_;   // a bit an id
  std::vector<u32> states_;      // type, rank of its evidence, reached
  std::vector<u32> slot_begin_;  // of scan ids, and one behind
  std::vector<u32> slots_;
  std::vector<Goroutine> goroutines_;
  std::vector<RootHolder> holders_;
  std::vector<Root> roots_;
};

}  // namespace geist::heap
