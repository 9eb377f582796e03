// The repairs of an append that overwrites, as Go benchmarks: one function for each, called with a
// slice of the finding's length and capacity.
//
// Each benchmark first does its work once on an array of its own, compares the result byte by byte and
// counts which elements of the array it changed: what a repair is good for is measured as well.
#pragma once

#include <string>
#include <vector>

#include "advise/element.h"

namespace geist::advise {

enum class Repair : u8 { kAsItIs, kDeepCopy, kClip, kConcat, kOwn, kPool };
struct RepairName {
  Repair repair;
  std::string_view name;  // in JSON, and as part of the benchmark's name
  std::string_view text;
};
constexpr RepairName kRepairs[] = {
    {Repair::kAsItIs, "as_it_is", "as it is, shared"},
    {Repair::kDeepCopy, "deep_copy", "slices.Clone, then append"},
    {Repair::kClip, "clip", "s[:len(s):len(s)]"},
    {Repair::kConcat, "concat", "slices.Concat"},
    {Repair::kOwn, "own_array", "own array, made to size"},
    {Repair::kPool, "pool", "array from a sync.Pool"},
};

// What is measured once, for however many findings have it.
struct Shape {
  Element element;
  u64 len = 0, cap = 0, added = 0;
  std::vector<int> findings;  // their ids
  std::string note;           // what was assumed; empty: nothing
};

// slices.Concat is of Go 1.22.
bool has_repair(Repair repair, int go_minor);
// "Benchmark3_clip" is this of shape 3.
std::string benchmark_name(usize shape, Repair repair);
std::string emit_slice_bench(const std::vector<Shape>& shapes, int go_minor);

}  // namespace geist::advise
