// What the goroutine of a waiting append can still reach: the roots of a walk over the heap at the
// event.
#pragma once

#include <optional>
#include <vector>

#include "judge/append.h"

namespace geist::detect::append {

using judge::Append;
using judge::Context;

// The pointers its frames can still use, by the stack maps, and those in registers. Nothing when
// the event does not have the whole stack, or it cannot be unwound.
std::optional<std::vector<u64>> find_append_roots(Context& context, const Append& append);

}  // namespace geist::detect::append
