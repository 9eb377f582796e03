// Activation: which call of a function a frame is.
//
// Stacks move when they grow or shrink (runtime.copystack), so a frame is known by its goroutine
// and its distance from the stack's upper end, which stays; by its address where the end is not
// known.
#pragma once

#include "heap/unwind.h"

namespace geist::judge {

struct Activation {
  read::FuncIndex function;
  TargetAddr cfa;
  u64 g = 0;      // 0: not known
  u64 depth = 0;  // from the stack's upper end down to the CFA; only together with g

  bool operator==(const Activation& other) const {
    if (function != other.function) return false;
    if (g != 0 && other.g != 0) return g == other.g && depth == other.depth;
    return cfa == other.cfa;
  }
};

// Of a frame on the stack of `g` that ends at stack_hi; both 0 where they are not known.
inline Activation make_activation(const heap::StackFrame& frame, u64 g, TargetAddr stack_hi) {
  bool is_known = g != 0 && stack_hi && frame.cfa <= stack_hi;
  return {frame.function.index, frame.cfa, is_known ? g : 0, is_known ? stack_hi - frame.cfa : 0};
}

}  // namespace geist::judge
