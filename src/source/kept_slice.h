// Which variable has the slice still that elements were taken out of?
//
//     func remove(s []int, i int) []int { return append(s[:i], s[i+1:]...) }
//     nums := []int{1, 2, 3, 4}
//     rest := remove(nums, 1)
//     fmt.Println(nums)
//
// Where all of this is one function after inlining, and nothing grows, one register holds the pointer
// of both slices and their lengths are constants: only the source has two names. The name is
// followed from the append out to the function that declares it. It must be declared once there,
// never assigned to again, its address not taken, and the append's result must go by another name:
// then whatever is read of it later is read of the slice as it was. Source: Go spec, "Assignment
// statements", "Short variable declarations", "Range clause".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "source/source.h"

namespace geist::source {

// A line of a call stack, inlined calls included.
struct CallLine {
  const SourceText* text = nullptr;
  i32 line = 0;
  std::string function;  // that the line is in: a symbol
};

struct KeptSlice {
  std::string name;
  usize level = 0;  // which of the call lines is in the function that declares it
  i32 first_declared = 0, last_declared = 0;  // the lines of its declaration
  // Behind the append: where its elements are used and the append's result is not, and where it is
  // used as a whole beside that.
  std::vector<i32> lines, shared_lines;
};

// Of the append on the first line, `append(s[…], s[…]...)`, called from the second, and so on.
std::optional<KeptSlice> find_kept_slice(std::span<const CallLine> calls);

}  // namespace geist::source
