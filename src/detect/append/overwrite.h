// Overwrite: what is known of one overwriting append: the event, the array it wrote into, and the
// victims.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/event.h"
#include "detect/append/evidence.h"
#include "judge/append.h"
#include "judge/moves.h"
#include "judge/view.h"
#include "sites/identity.h"

namespace geist::detect::append {

using judge::Place;
using judge::View;

// A view that covers the destination, and what became of it.
struct Candidate {
  View view;
  usize family = 0;  // the same for a victim and the copies of its header
  u32 copies_followed = 0;
  std::vector<Evidence> evidence;   // one for each watched part of the changed bytes
  bool watched_throughout = false;  // from before the write, nothing lost, never taken off
  bool watched_a_while = false;  // from before the write for a while, nothing lost; then the watch
                                 // was needed elsewhere
  bool change_watched = false;   // the changed bytes were, likewise
  bool moved =
      false;  // the view is where its header went when its holder grew, and was watched until then
  bool copy_missing = false;  // its holder grew, and where the header went it is not (yet)
  bool lost_track = false;    // its stack moved, and what became of it there was not seen
  bool handed_on =
      false;  // of the appending frame, which hands it on as the slice that it was before
  bool is_owner = false;           // the append's operand was loaded from this very header
  bool is_refilled = false;        // likewise, and cut to nothing first: x.buf[:0]
  bool is_handed = false;          // a caller's variable that the operand was cut from
  bool is_meant = false;           // the append may write for it: it stays a suspect
  bool has_twin = false;           // the same header stands in another place that is in use
  std::vector<Place> copies;       // other places the header was copied to
  usize copies_seen = 0;           // of the evidence's
  std::vector<u8> appended;        // the destination as the append left it, once it was seen
  bool change_was_copied = false;  // what the append copied there was seen, and that it differs
  bool closed = false;             // header replaced, element overwritten again, or confirmed
  bool confirmed = false;
  std::optional<Access> reader;  // the read that confirmed it
  std::string reader_goroutine;  // of that read, as far as it is known
  u32 seen_unchanged =
      0;  // later looks at which header and changed bytes were as the append left them
};

// A g and the goroutine that had it: Go uses the g of an ended goroutine for a new one.
struct KnownGoroutine {
  TargetAddr g;
  u64 goid = 0;
};

struct Overwrite {
  std::string_view rule = "GB001", finding_class = "ghost_write";
  // Of a write that is no append: which of its function's.
  std::optional<sites::AppendIdentity> identity;
  const abi::Event* event = nullptr;
  Append append;
  u32 sweepgen = 0;              // when it happened, for survived_gc
  std::vector<u8> array_before;  // from the operand's start, while the append waits; bounded
  std::vector<Candidate> candidates;
  bool is_owner_left_out = false;  // of the candidates: the append writes for it
  std::vector<KnownGoroutine> goroutines;  // at the event
  std::string test;                        // the Go test it happened in, see test_names.h
  std::vector<std::string>
      before;  // the first overwritten elements in their type, printed while they were there
};

}  // namespace geist::detect::append
