// Views on stacks: slice headers, whole or taken apart, in the frames of the goroutine that appends
// and of goroutines that are parked.
//
// With DWARF: every slice (or string, or struct with such fields) whose ptr and len are known at
// the frame's pc. Without: three neighbouring words that read as a header, or words apart that the
// code uses as one (program/header_words.h). In all cases the ptr must be live: a slot that the
// stack maps of the call call live (that is what makes x = f(x) harmless), or, in the appending
// frame itself, a value that is live across the grow path's call. Variables whose address is taken
// are stack objects without liveness: they are marked as not sure.
#pragma once

#include "judge/append.h"

namespace geist::judge {

// Views into the append's array held by its own goroutine's frames, without the first so many.
std::vector<View> find_stack_views(Context& context, const Append& append, usize left_out = 0);
// The same for goroutines that wait somewhere; running ones cannot be unwound from outside and are
// left out.
std::vector<View> find_parked_views(Context& context, const Append& append);

}  // namespace geist::judge
