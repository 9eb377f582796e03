// Append sites: every call of runtime.growslice* traced back to the comparison that decides between
// growing and writing in place, with the places where the append's pointer, lengths and element
// size are at that instant.
//
//        CMP  cap, newLen ──┐ (flags may travel far, over moves and from several predecessors)
//        Jcc  grow ◀────────┘  the branch
//       ╱          ╲
//   in-place     [stack-buffer tests, Go ≥ 1.25]
//                ─▶ CALL runtime.growslice(AX oldPtr, BX newLen, CX oldCap, DI num, SI type)
//
// A site is believed only when the comparison's operands are, symbolically, the very newLen and cap
// that the call receives. Everything else ends in a named bucket, so that the counts add up to the
// number of calls. Source: cmd/compile/internal/ssagen (*state).append; runtime/slice.go growslice,
// go1.21 to go1.27.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "program/displace.h"
#include "program/value_location.h"
#include "read/go/go_binary.h"
#include "sites/bucket.h"

namespace geist::sites {

// A stack slot that growslice's caller says is a live pointer after the append, and where that
// value is at the branch.
struct LivePointer {
  i64 slot = 0;  // offset from SP
  program::ValueLocation at_branch;
};

// A variable that the source has and the code does not (source/kept_slice.h): its name, and the
// lines of one function's file behind the append that use its elements: alone, or beside the append's
// result.
struct KeptName {
  std::string name, function, file;
  std::vector<i32> lines, shared_lines;  // ascending
};

struct AppendSite {
  SiteBucket bucket = SiteBucket::kProbed;
  // An append without a grow path (plain_sites.h): call, branch and both entries are its first
  // store, before which it is looked at.
  bool is_plain = false;
  // Of those a copy within one array (removal_sites.h), looked at before its call: old_ptr is where
  // it copies to, and all lengths are how much, of elements or of bytes.
  bool is_removal = false;
  program::ValueLocation array;  // a place in the frame that is the array; else it is in the heap
  ImageAddr array_elem;          // then the abi.Type of the array's elements; 0: not known
  std::shared_ptr<const KeptName> kept;  // and who has the slice as it was, as the source tells
  read::FuncIndex function;
  ImageAddr call;                       // the CALL of growslice, rel32
  ImageAddr branch;                     // the Jcc; 0 when not found
  x86::Cond grow_cond = x86::Cond::kA;  // condition under which the branch goes to the grow path
  ImageAddr grow_entry;                 // first instruction of the grow path
  ImageAddr inplace_entry;              // first instruction of the in-place path
  bool inplace_is_taken = false;  // the Jcc jumps to the in-place path and falls into the grow path
  program::Displaced displaced;   // around the branch, when probed: what gives way to a jump

  program::ValueLocation old_ptr, new_len, cap, num, elem_type;
  u64 elem_size = 0;    // 0 when only known at run time (then elem_type locates the abi.Type)
  ImageAddr type_addr;  // of the element's abi.Type when it is a constant
  x86::RegMask live_inplace = 0;  // registers and flags live at inplace_entry
  x86::RegMask live_grow = 0;     // likewise at grow_entry
  HealRefusal heal_refusal = HealRefusal::kNone;
  std::vector<LivePointer> live_pointers;
  // Slots that the grow path fills before the call, with the values they get: what is in them at
  // the branch is older.
  std::vector<LivePointer> spills;

  // Where growslice returns to.
  ImageAddr behind_call() const { return is_plain ? call : call + 5; }
};

struct SiteTable {
  std::vector<AppendSite> sites;  // one for each growslice call outside the runtime, by address
  std::vector<AppendSite> plain;  // those without a call, as far as they are found; all probed
  u32 untold = 0;  // stores that are left out of `plain`, for their source is not here to ask
  u64 count_probed() const { return count(SiteBucket::kProbed) + plain.size(); }
  u64 count(SiteBucket bucket) const;
};

// Sites of a table that were to be probed and are not, by their call: what planning and patching
// found out about this process. The table itself is never changed.
using Refused = std::map<ImageAddr, SiteBucket>;
// The bucket that a site ends in.
SiteBucket bucket_of(const AppendSite& site, const Refused& refused);

// Finds and classifies every call, on `threads` threads.
SiteTable find_append_sites(const read::GoBinary& binary, unsigned threads);

}  // namespace geist::sites
