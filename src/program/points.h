// Points by the names of functions: what a detector asks for, and what the program has of it.
#pragma once

#include <string>
#include <vector>

#include "program/point.h"

namespace geist::program {

// A name as pclntab has it, "container/list.(*List).Remove"; a '*' at its end stands for anything.
struct PointRequest {
  PointKind kind = PointKind::kEntry;
  // kEntry, kReturn: the function. kInlined: what was inlined. kCall, kAfterCall: who calls; empty:
  // anybody.
  std::string function;
  std::string callee;  // kCall, kAfterCall
};

struct FoundPoints {
  std::vector<Point> points;  // by address
  // At least one when there are no points. What is asked for may be there in part only: whoever
  // needs all of it (each return of a function) looks here.
  std::vector<RefusedPoint> refused;
};

// Library code and the runtime are as good as any: to leave them out is the caller's choice.
FoundPoints find_points(const read::GoBinary& binary, const PointRequest& request);

}  // namespace geist::program
