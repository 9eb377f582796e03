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

// What the victim covers behind the end of the append's result, as it is now: appends to the result
// would write there. Empty when there is nothing, or more than is worth keeping.
std::vector<u8> read_behind_result(const process::Memory& memory, const View& victim,
                                   const abi::Event& event);

// What the code does with the header whose length instruction `insn` may load.
HeaderUse find_header_use(const program::FunctionCode& code, u32 insn);

// Is there, in a frame of this access, a slice variable that is the victim by its very header (same
// pointer and length), while the append's operand and result have other headers? Then the reader
// was handed the victim. `has_grown`: the result may have been appended to since, until it had the
// victim's header.
bool holds_victim_header(read::DebugInfo& debug, const Access& access, const View& victim,
                         const Append& append, bool has_grown);

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
