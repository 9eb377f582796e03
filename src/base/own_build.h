// Which build of geist this is: what it remembers between runs is worth nothing to another one.
#pragma once

#include "base/bytes.h"

namespace geist {

// The GNU build id of the running executable; empty when it was linked without one.
ByteView own_build_id();

}  // namespace geist
