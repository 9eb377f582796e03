// Is a pointer of the appending frame the result of another append?
//
//     a := append(s, x)      a.ptr is s.ptr, or what growslice returned
//     b := append(s, y)      overwrites a[len(s)]; the length of a may be a constant, kept nowhere
//
// In place, both results and their operand are one pointer; the code tells them apart by what they
// would have been, had the other append grown.
#pragma once

#include "judge/append.h"
#include "judge/view.h"

namespace geist::judge {

// `at`: where the pointer is at the append's branch.
bool is_result_of_another_append(Context& context, const Append& append,
                                 const program::ValueLocation& at);

}  // namespace geist::judge
