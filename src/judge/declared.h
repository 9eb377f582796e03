// The variable that a word of a frame belongs to, where DWARF does not say which one it is.
//
// The optimiser keeps no record of where many variables are (a struct of one field, a pointer that
// only moves), but each is still declared, with its type and line. A word's own history tells the
// rest:
//
//   teams := []*team{…}     main.go:25    declared: teams []*team, nowhere at this pc
//   MOVQ CX, 0x60(SP)       main.go:25    the word was written last by code of that line
//   [0x60(SP)] → array → &team → members  and the type leads to what stands there
//
// The same holds for an object that the compiler kept in the frame, of which no word points to it:
// code of the line that declares c := &command{…} touches it.
//
// Nothing is guessed: several variables that fit equally well are no answer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "judge/view.h"

namespace geist::judge {

// A word of a frame: on the stack, or, in the innermost frame, in a register. Or an object in it.
struct FrameWord {
  const heap::StackFrame& frame;
  ImageAddr at;                // where the code is: of a caller where the call returns to
  ImageAddr scope;             // the same for scopes and lines: of a caller in the call
  std::optional<i64> slot;     // from frame.sp
  x86::Reg reg = x86::kNoReg;  // without a slot
  u64 object_size = 0;         // of an object, which begins at the slot
};

// A word of a declared variable: "q.jobs" of []main.job for a q that has such a field.
struct DeclaredWord {
  std::string path;
  const read::DebugType* type = nullptr;
  std::string function;  // that it is declared in
};

// The instructions that wrote the word last, on any way, or that touch the object; ascending. Empty
// when they are not known.
std::vector<ImageAddr> find_setters(Context& context, const FrameWord& word);

// The one word of a declared variable that `fits`, which may add to its path, and of which this is
// known: DWARF has its variable in that slot at other times, or the word was written on the line
// that declares it; `may_be_only` takes the only one that fits, too.
std::optional<DeclaredWord> find_declared_word(Context& context, const FrameWord& word,
                                               const std::function<bool(DeclaredWord&)>& fits,
                                               bool may_be_only);

}  // namespace geist::judge
