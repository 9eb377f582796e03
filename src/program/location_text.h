// A ValueLocation as text, for reports: what report/debugger.h turns into a debugger's words.
//
//   "5"  "rax"  "rax+8"  "[rsp+0x38]"  "[[rsp+0x8]+0x10]-1"  "image+0x4d2000"
//
// A number is decimal or, from 16 on, hex. [x] is the 8-byte word at x. "image+N" is the address N
// as linked, wherever the program was loaded.
#pragma once

#include <string>

#include "program/value_location.h"

namespace geist::program {

std::string location_text(const ValueLocation& location);

}  // namespace geist::program
