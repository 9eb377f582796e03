// A variable that a closure captured and only fills:
//
//   row := m.cells[i][:0]
//   each(func(v int) { row = append(row, v) })     the append
//   n += len(row)                                  the maker of the closure
//
// It was cut to nothing from a slice that was there before, and neither the closure nor its maker
// looks at an element through it, or hands it on. Then the append writes for whoever has that slice,
// as with a variable of its own function (decision 0019). The maker must be on the stack: what a
// closure does that outlived it is not known.
#pragma once

#include <optional>
#include <set>

#include "judge/append.h"
#include "judge/view.h"
#include "program/write_cursor.h"

namespace geist::detect::append {

// When the append's operand is such a variable: the instructions of the closure that store its result
// there. Whether it goes elsewhere as well is for the caller to follow.
std::optional<std::set<u32>> find_homes_of_filled(judge::Context& context,
                                                  const judge::Append& append,
                                                  const program::CallUse& calls);

}  // namespace geist::detect::append
