// Names of heap and global holders, as a person would write them: a path from a variable or global
// to the slice header, or what a closure captured.
//
//   header ◀─ object ◀─ pointer in another object … ◀─ root: a variable in a frame of the
//                                                     append's stack, or a global
//
// The way back is found by scanning for pointers, the way forward is walked by DWARF types, which
// gives the fields. What the types do not say for sure ends the path with "…"; nothing is guessed.
// Needs the live process.
#pragma once

#include <string>

#include "judge/append.h"

namespace geist::judge {

struct HolderName {
  std::string name;  // empty when nothing can be said
  std::string type;
  std::string function;  // of the variable the path begins at; empty for globals
};

HolderName find_holder_name(Context& context, const Append& append, const View& view);

}  // namespace geist::judge
