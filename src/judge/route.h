// Route: through which slice header did a read of the changed bytes go?
//
// Victim and result often hold the same pointer (kept := rows[:0], both begin where rows does), so
// the address that was read says nothing. The code does: the register that the address was made
// from is followed back, over joins, spills and callers, to the words it was loaded from.
//
//   MOVQ t+0x40(SP), AX        t, whose word is read from the sampled stack
//   MOVQ 0x8(AX), CX           t.rows.ptr: the victim's own word     ─▶ kVictim
//   MOVQ (CX)(DX*8), SI        the read
//
//   CALL runtime.growslice     what an append gives back is also what it would have given back
//   MOVQ AX, CX                after growing: the result             ─▶ kOther
//
// Only what was loaded after the append counts: a pointer that was loaded from the victim's word
// before is the operand's as well.
#pragma once

#include "judge/access.h"
#include "judge/append.h"
#include "judge/view.h"

namespace geist::judge {

enum class Route : u8 {
  kUnknown,  // the code does not tell, or not on all ways
  kVictim,   // all ways lead to the victim's own words
  kOther,    // at least one leads to the append's result, or to another header
};

struct RouteAnswer {
  Route route = Route::kUnknown;
  // All that is not known is which word these instructions loaded the pointer from; empty when more
  // is not known.
  struct Load {
    usize frame = 0;  // of the access
    ImageAddr insn;
  };
  std::vector<Load> loads;
  // The victim's pointer alone is not enough: its header must have been read as a whole, too.
  bool needs_whole = false;
};

// `access` must have its sample. Asked of reads after the append's write only.
RouteAnswer find_route(Context& context, const Append& append, const View& victim,
                       const Access& access);

// A word of memory that a pointer was loaded from, and by the code of which function.
struct LoadedWord {
  TargetAddr at;
  read::FuncIndex by;
  bool is_variable = false;  // a word of that function's frame
};

// The words of memory that the append's operand was loaded from, before the branch: whose slice it
// writes into. Asked while the append waits. Nothing when the code does not tell on all ways;
// empty when the operand was in no memory.
std::optional<std::vector<LoadedWord>> find_operand_words(Context& context, const Append& append);
// The same, of all that the operand was made from: what the calls on the stack allocated was in no
// memory before, and a word of a frame is asked what was stored there.
std::optional<std::vector<LoadedWord>> find_operand_sources(Context& context,
                                                            const Append& append);
// The words of frames that those who handed the operand down kept its pointer in, unshifted: their
// variables are the slice that it is a front part of.
std::vector<LoadedWord> find_handed_words(Context& context, const Append& append);

}  // namespace geist::judge
