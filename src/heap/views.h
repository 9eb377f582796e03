// Views: slice and string headers in heap objects and globals that look into given byte ranges.
//
// A scan reads every pointer-bearing span in use and data/bss once, and reports each word that
// points into (or right at the start of) a wanted array together with the two words behind it, as
// long as they read as a header: len <= cap, ptr + cap*size <= end of the array (a string: len
// only). One scan serves many arrays. The target runs meanwhile: every hit is read again before it
// is reported.
#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "heap/spans.h"
#include "process/memory.h"
#include "read/go/go_binary.h"

namespace geist::heap {

// The array (heap object, or a range of globals or stack) a header may look into.
struct ArrayRange {
  TargetAddr begin;
  TargetAddr end;
};

struct HeaderHit {
  TargetAddr at;  // where the ptr word is
  TargetAddr ptr;
  u64 len = 0;  // word behind ptr; 0 when the holder ends there
  u64 cap = 0;  // word behind len, as it stands; the caller decides whether it is a slice or a
                // string. 0 when the holder ends there
  bool in_globals = false;
  TargetAddr holder;  // base of the heap object that holds it, behind a malloc header; 0 in globals
  u64 holder_size = 0;  // usable bytes from there
  u32 array = 0;        // index into the wanted arrays
};

// A goroutine that runs as far as Go knows, but is known to stand at `sp`: what lies below is left
// from calls that returned. With `roots` the words that it can still use are known.
struct StandingGoroutine {
  TargetAddr g;
  TargetAddr sp;
  const std::vector<u64>* roots = nullptr;
};

struct ScanStats {
  u64 bytes_read = 0;
  u64 spans = 0;
  u64 spans_damaged = 0;
  u64 spans_changed =
      0;  // freed or reused between the list of spans and a hit; their hits are left out
  u64 bytes_unreadable = 0;
  u64 hits_torn = 0;     // words that kept changing while they were read again; not reported
  u64 hits_dropped = 0;  // beyond kMaxHits
};

class ViewScanner {
 public:
  // Of one scan; a program with more words into the wanted arrays than that is counted in
  // hits_dropped.
  static constexpr u64 kMaxHits = u64{1} << 20;

  ViewScanner(const process::Memory& memory, const read::GoBinary& binary,
              const RuntimeSymbols& symbols, LoadBias bias);

  // All words in heap and globals that point into one of `arrays` (which must not overlap), len/cap
  // as found behind them, allocated objects only. Every pointer hit is reported, header-shaped or
  // not: `HeaderHit::len/cap` are raw. `max_bytes` bounds the scan; what was left out is in
  // stats.bytes_unreadable.
  std::vector<HeaderHit> scan(const std::vector<ArrayRange>& arrays, u64 max_bytes,
                              ScanStats* stats) const;

  // Are these heap objects (any address inside each) reachable from data, bss and goroutine stacks?
  // A walk over the heap by pointer words: of globals and of objects of up to 512 bytes (go1.22 and
  // later) those that the collector knows, of others any word that points into an allocated object;
  // objects of noscan spans are leaves. Of a goroutine that
  // does not run, the words its stack maps call live are roots (heap/stack_roots.h); of a running
  // one the whole stack, from its sp on if `standing` says where it is.
  //
  // true: each was reached, by a chain of words that were seen one after the other while the target
  // ran. false: all was walked, and at least one was not reached: it is garbage, or the only way to
  // it leads through a register, a finalizer or cgo memory, or its last pointer moved behind our
  // back (ask again to be surer). Nothing: not known, as max_bytes was not enough or part of the
  // heap could not be read.
  //
  // (*out)[i] says which objects were reached, in all three cases. Addresses in data and bss are
  // always reachable, those on a goroutine stack as long as it lives. Takes memory for the spans it
  // walks, up to max_bytes.
  std::optional<bool> is_reachable(const std::vector<TargetAddr>& objects, u64 max_bytes,
                                   std::vector<bool>* out, StandingGoroutine standing = {}) const;

 private:
  class Scan;
  const process::Memory* memory_;
  const read::GoBinary* binary_;
  RuntimeSymbols symbols_;
  LoadBias bias_;
  SpanTable spans_;
};

}  // namespace geist::heap
