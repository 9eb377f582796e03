// Why code cannot give way to a jump. What a detector makes of it is its own word.
#pragma once

#include "base/ints.h"

namespace geist::program {

enum class Refusal : u8 {
  kNoRoom,    // there are no 5 bytes that can be replaced safely
  kMayFault,  // what is to be moved may raise a nil-pointer panic, which must happen in place
};

}  // namespace geist::program
