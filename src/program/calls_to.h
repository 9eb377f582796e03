// The direct calls of chosen functions, found by looking at every byte of the text: to decode all
// of it would take seconds.
#pragma once

#include <span>
#include <vector>

#include "read/go/go_binary.h"

namespace geist::program {

struct CallPlace {
  ImageAddr at;        // of the CALL rel32 or JMP rel32
  ImageAddr target;    // one of those asked for
  bool jumps = false;  // a JMP, which leaves the caller's return address in place
};

// Ascending by address. What looks like a call inside another instruction is among them: whoever
// needs to be sure decodes the function.
std::vector<CallPlace> find_calls_to(const read::GoBinary& binary,
                                     std::span<const ImageAddr> entries);

}  // namespace geist::program
