// Names of victims, as a person would write them: a path from a variable or global to the slice
// header, or what a closure captured.
//
//   header ◀─ object ◀─ pointer in another object … ◀─ root: a variable in a frame of the
//                                                     append's stack, or a global
//
// Objects are in the heap, or on the stack where the compiler kept them there. The way back is found
// by scanning for pointers, the way forward is walked by DWARF types, which gives the fields. A root
// that DWARF does not place is told by its declaration (judge/declared.h). What the types do not say
// for sure ends the path with "…"; nothing is guessed. Needs the live process.
#pragma once

#include <optional>
#include <string>

#include "judge/append.h"

namespace geist::judge {

struct HolderName {
  std::string name;  // empty when nothing can be said
  std::string type;
  std::string function;  // of the variable the path begins at; empty for globals
  // Where the word of a frame was set that the way begins at, when the variable is not known: the
  // instruction, and the function it is in.
  ImageAddr set_at = {};
  std::optional<read::Function> set_in = {};
};

// Of a victim in the heap or in globals, and of one in a frame for which DWARF has no name.
HolderName find_holder_name(Context& context, const Append& append, const View& view);

}  // namespace geist::judge
