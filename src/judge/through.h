// Does an address register belong to one variable? Asked of DWARF at the instruction that read the changed bytes.
#pragma once

#include <string>

#include "read/dwarf/debug_info.h"
#include "x86/insn.h"

namespace geist::judge {

// True when at `insn` the pointer of the slice or string variable `name` (with field path) of `function` is in `reg`, and
// no other slice variable's pointer is.
bool names_pointer(read::DebugInfo& debug, ImageAddr insn, x86::Reg reg, const std::string& name,
                   const std::string& function);

}  // namespace geist::judge
