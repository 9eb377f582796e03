// Spans: which heap object an address belongs to, in a running Go process.
//
//   mheap_.arenas ─▶ heapArena.spans[page] ─▶ mspan {startAddr, limit, elemsize, spanclass, ...}
//
// Read without stopping the target, so each answer is checked (state in use, bounds hold, sizes are
// size classes) and may still be stale a moment later; callers verify again before they claim.
// Source: runtime/mheap.go spanOf, runtime/mbitmap.go findObject, go1.21 to go1.27.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "heap/runtime_symbols.h"
#include "process/memory.h"
#include "read/go/layout.h"

namespace geist::heap {

enum class SpanState : u8 { kDead = 0, kInUse = 1, kManual = 2 };

struct Span {
  TargetAddr start;  // startAddr
  TargetAddr limit;  // end of the last element; of a large object: of the bytes asked for
  u64 npages = 0;
  u64 elem_size = 0;
  u64 nelems = 0;
  u64 freeindex = 0;
  u32 div_mul = 0;
  u32 sweepgen = 0;
  u32 alloc_count = 0;  // of a span that waits to be swept: before that
  bool noscan = false;
  u8 size_class = 0;
  SpanState state = SpanState::kDead;
  TargetAddr alloc_bits;
  TargetAddr gcmark_bits;
  TargetAddr large_type;  // of a large object, from go1.22 on: its abi.Type
  TargetAddr specials;    // first of the list of finalizers and other records
  TargetAddr mspan;       // where the runtime keeps it

  TargetAddr end() const { return start + npages * 8192; }
  bool is_heap() const { return state == SpanState::kInUse; }
  bool holds(TargetAddr addr) const { return addr >= start && addr < limit; }
  // Of the slot that holds addr, which must be in the span.
  u64 index_of(TargetAddr addr) const { return (addr - start) / elem_size; }
  TargetAddr slot(u64 index) const { return start + index * elem_size; }
};

// Where the copy of a span of small objects says which of its words are pointers, one bit each, as
// an offset from its start; nothing where that is said elsewhere: in the arena (go1.21), in the
// objects' malloc headers. Source: runtime/mbitmap.go heapBitsInSpan, spanHeapBits;
// runtime/mgcmark_greenteagc.go spanInlineMarkBits.
std::optional<u64> find_heap_bits(const read::Layout& layout, u64 elem_size, u64 span_bytes);
inline constexpr u64 kHeapBitsBytes = 128;  // one bit a word of an 8 KiB page

// From the allocBits: set, or below freeindex. What died but was not swept yet still counts as
// allocated.
bool is_allocated(const Span& span, ByteView alloc_bits, u64 index);

struct Object {
  TargetAddr base;  // of the slot; with malloc headers the user's bytes begin at `user`
  TargetAddr user;
  u64 size_bytes = 0;  // usable bytes from `user`
  bool noscan = false;
  bool is_stack =
      false;  // the address is on a goroutine stack (state manual), base/size are the span's
};

class SpanTable {
 public:
  SpanTable(const process::Memory& memory, const read::Layout& layout, TargetAddr mheap)
      : memory_(&memory), layout_(&layout), mheap_(mheap) {}

  // The span that holds addr now; reads the target each time.
  std::optional<Span> find_span(TargetAddr addr) const;
  // The same mspan as it is now, if it is still a span of the same pages.
  std::optional<Span> reread(const Span& span) const;
  // The object slot that holds addr, allocated or not (freeness by freeindex and allocBits is
  // checked: a free slot answers nothing).
  std::optional<Object> find_object(TargetAddr addr) const;
  // Is this slot allocated by the bits of now? Of a span that is gone, none is.
  bool is_allocated(const Span& span, u64 index) const;
  // The object of `span` that holds addr, wherever the span came from; the same rules.
  std::optional<Object> find_object_in(const Span& span, TargetAddr addr) const;
  // The object in a slot of a span in use, allocated or not.
  Object object_in_slot(const Span& span, u64 index) const;
  // The allocBits of the span, one bit an object, and the span as it was when it had them: sweeping
  // replaces both, and reuses the memory of old bits. Nothing when they do not come to rest, or the
  // span is no longer one of the same objects.
  struct SpanBits {
    Span span;
    std::vector<u8> alloc_bits;
    bool is_allocated(u64 index) const { return heap::is_allocated(span, alloc_bits, index); }
  };
  std::optional<SpanBits> read_bits(const Span& span) const;
  // All spans in use (heap and manual), through mheap_.allspans, ascending and disjoint; damaged
  // entries are left out and counted (`damaged` may be null). A span that the target frees or
  // splits meanwhile may count as damaged.
  std::vector<Span> read_all(u64* damaged) const;
  // The heapArena that describes the 64 MiB around addr.
  std::optional<TargetAddr> find_arena(TargetAddr addr) const;
  // mheap_.sweepgen: grows by 2 with every completed GC cycle.
  std::optional<u32> sweepgen() const;

 private:
  enum class Health { kGood, kDead, kDamaged };
  // Reads an mspan's bytes; the span is complete only when good.
  Health parse_span(TargetAddr mspan, ByteView bytes, Span* span) const;
  std::optional<Span> read_span(TargetAddr mspan) const;
  const process::Memory* memory_;
  const read::Layout* layout_;
  TargetAddr mheap_;
};

}  // namespace geist::heap
