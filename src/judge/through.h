// Does an address register belong to one variable? Asked of DWARF at the instruction that read the changed bytes.
#pragma once

#include <string>

#include "abi/event.h"
#include "judge/access.h"
#include "judge/view.h"
#include "read/dwarf/debug_info.h"
#include "x86/insn.h"

namespace geist::judge {

// True when at `insn` the pointer of the slice or string variable `name` (with field path) of `function` is in `reg`, and
// no other slice variable's pointer is.
bool names_pointer(read::DebugInfo& debug, ImageAddr insn, x86::Reg reg, const std::string& name,
                   const std::string& function);

// Is there, in a frame of this access, a slice variable that is the victim by its very header (same pointer and length),
// while the append's operand and result have other headers? Then the reader was handed the victim.
bool holds_victim_header(read::DebugInfo& debug, const Access& access, const View& victim, const abi::Event& event);

// Did this read of the changed bytes take its pointer, right before, out of the victim's own word in its own frame, while the
// header there was the victim's and not the append's result? True after the stack has moved, too.
bool loads_victim_pointer(const program::FunctionCode& code, const Access& access, const View& victim, const abi::Event& event);

}  // namespace geist::judge
