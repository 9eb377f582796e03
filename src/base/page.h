// What the kernel maps and protects memory by, on x86-64.
#pragma once

#include "base/ints.h"

namespace geist {

inline constexpr u64 kPageBytes = 4096;

}  // namespace geist
