// Builds that cannot be patched, refused before anything runs.
#pragma once

#include "read/go/go_binary.h"

namespace geist::run {

// Builds with a sanitizer expand appends early and map shadow memory where geist would go.
Status refuse_sanitized(const read::GoBinary& binary);

}  // namespace geist::run
