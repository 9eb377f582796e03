// A primitive for some of the calls of a function: what runs at its entry or its returns looks at
// the return address of its frame, and goes on only where that is a chosen call's.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "probe/point_trampoline.h"

namespace geist::probe {

// Addresses [begin, end].
struct CodeRange {
  ImageAddr begin, end;
  bool operator==(const CodeRange&) const = default;
};

// The chosen calls' return addresses as few ranges that hold no other one's. `calls`: the CALLs (of
// five bytes) of all of them, ascending; `chosen` in any order.
std::vector<CodeRange> ranges_of_returns(std::span<const ImageAddr> calls,
                                         std::vector<ImageAddr> chosen);

// What is chosen, for the primitives of a plan that share it.
struct ReturnFilter {
  ImageAddr base;  // of the program's code: the ranges are compared as offsets from here
  std::vector<CodeRange> ranges;  // sorted, apart
};
using SharedReturnFilter = std::shared_ptr<const ReturnFilter>;  // null: everything is chosen

// What a primitive needs that begins with the filter.
void take_return_filter(const SharedReturnFilter& filter, Primitive& primitive);
// Goes on only where the return address at `slot` above the point's stack pointer is chosen.
void emit_return_filter(x86::Assembler& as, const PrimitivePlace& place, const ReturnFilter& filter,
                        i64 slot);

}  // namespace geist::probe
