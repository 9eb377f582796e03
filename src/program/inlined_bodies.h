// Where the compiler put the code of functions that it inlined, by the inline trees of pclntab:
// they are there in stripped programs, too.
//
//   main.run   ▕░░░░▒▒▒▒░░▒▒░░░░▒▒▒░░▏   ▒ one call of (*List).Remove, with what that inlined
//
// The compiler moves instructions about, so a body has holes, and what it shares with the code
// around it may carry the position of either.
#pragma once

#include <functional>
#include <vector>

#include "program/code.h"

namespace geist::program {

struct CodeRange {
  ImageAddr begin, end;
};

struct InlinedBody {
  read::FuncIndex function;       // whose code it is in
  std::string_view name;          // of the function that was inlined
  std::vector<CodeRange> ranges;  // ascending, apart
};

// Does `name` fit? A '*' at the pattern's end stands for anything, also nothing.
bool fits_pattern(std::string_view name, std::string_view pattern);

// One for each call that was inlined, in the order of the code.
std::vector<InlinedBody> find_inlined_bodies(const read::GoBinary& binary,
                                             std::string_view pattern);
// Likewise of all whose names are wanted.
std::vector<InlinedBody> find_inlined_bodies(const read::GoBinary& binary,
                                             const std::function<bool(std::string_view)>& wants);

// The instruction of the body that comes before all its others, whichever way they are reached;
// nothing when there is none, or when the code has jumps that are not known.
std::optional<u32> find_body_entry(const FunctionCode& code, const InlinedBody& body);

}  // namespace geist::program
