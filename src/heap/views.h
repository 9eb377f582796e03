// Views: slice and string headers in heap objects and globals that look into given byte ranges.
//
// A scan reads every pointer-bearing span in use and data/bss once, and reports each word that points into (or right
// at the start of) a wanted array together with the two words behind it, as long as they read as a header:
// len <= cap, ptr + cap*size <= end of the array (a string: len only). One scan serves many arrays.
// The target runs meanwhile: every hit is read again before it is reported.
#pragma once

#include <vector>

#include "base/address.h"
#include "heap/spans.h"
#include "read/go/go_binary.h"
#include "target/memory.h"

namespace geist::heap {

// The array (heap object, or a range of globals or stack) a header may look into.
struct ArrayRange {
  TargetAddr begin;
  TargetAddr end;
};

struct HeaderHit {
  TargetAddr at;        // where the ptr word is
  TargetAddr ptr;
  u64 len = 0;          // word behind ptr
  u64 cap = 0;          // word behind len, as it stands; the caller decides whether it is a slice or a string
  bool in_globals = false;
  TargetAddr holder;    // base of the heap object that holds it; 0 in globals
  u64 holder_size = 0;
  u32 array = 0;        // index into the wanted arrays
};

struct ScanStats {
  u64 bytes_read = 0;
  u64 spans = 0;
  u64 spans_damaged = 0;
  u64 bytes_unreadable = 0;
};

class ViewScanner {
 public:
  ViewScanner(const target::Memory& memory, const read::GoBinary& binary, const RuntimeSymbols& symbols, LoadBias bias);

  // All words in heap and globals that point into one of `arrays` (which must not overlap), len/cap as found behind
  // them, allocated objects only. Every pointer hit is reported, header-shaped or not: `HeaderHit::len/cap` are raw.
  // `max_bytes` bounds the scan; what was left out is in stats.bytes_unreadable.
  std::vector<HeaderHit> scan(const std::vector<ArrayRange>& arrays, u64 max_bytes, ScanStats* stats) const;

  // Is the object at `base` reachable from globals, goroutine stacks or registers given? Walks the heap from the roots by
  // pointer words (conservative: any word that points into an object keeps it). Bounded by max_bytes; nothing = not known.
  std::optional<bool> is_reachable(const std::vector<TargetAddr>& objects, u64 max_bytes, std::vector<bool>* out) const;

 private:
  const target::Memory* memory_;
  const read::GoBinary* binary_;
  RuntimeSymbols symbols_;
  LoadBias bias_;
  SpanTable spans_;
};

}  // namespace geist::heap
