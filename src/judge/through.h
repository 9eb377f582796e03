// Does an address register belong to one variable? Asked of DWARF at the instruction that read the
// changed bytes.
#pragma once

#include <string>
#include <vector>

#include "abi/event.h"
#include "judge/access.h"
#include "judge/append.h"
#include "judge/view.h"
#include "read/dwarf/debug_info.h"
#include "x86/insn.h"

namespace geist::judge {

// Is the register that the access read through, by DWARF's word, the pointer of the victim's
// variable, which is still as long as the victim is, and of no other slice variable?
bool names_pointer(read::DebugInfo& debug, const Access& access, const View& victim,
                   const abi::Event& event);

// What the code does with the header whose length instruction `insn` may load.
HeaderLoad find_header_load(const program::FunctionCode& code, u32 insn);

// Is there, in a frame of this access, a slice variable that is the victim by its very header (same
// pointer and length), while the append's operand and result have other headers? Then the reader
// was handed the victim. What begins where the operand does may be the append's result, or become
// its like when that is appended to further: then the answer is no.
bool holds_victim_header(read::DebugInfo& debug, const Access& access, const View& victim,
                         const Append& append);

// Did this read of the changed bytes take its pointer, right before, out of the victim's own word
// in its own frame, while the header there was the victim's and not the append's result? True after
// the stack has moved, too.
bool loads_victim_pointer(const program::FunctionCode& code, const Access& access,
                          const View& victim, const abi::Event& event);

// The same of a reader further in: did the victim's own frame, `frame` of the access and `code` its
// function, load the victim's pointer and length into the arguments of the call that led to the
// read?
bool passes_victim(const program::FunctionCode& code, const Access& access, usize frame,
                   const View& victim, const abi::Event& event);

}  // namespace geist::judge
