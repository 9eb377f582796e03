// Where map operations are looked at: the entries of the functions that the compiler calls for them
// (and reflection, and package maps), behind their stack checks.
//
// What stands there is few instructions: is it the goroutine that used this map last? Then only its
// return address is noted, for who comes next. Else the runtime is entered (runtime/maps.cc). Where
// operations are counted, that is done here too: the map's number of entries tells which writes have
// inserted something, as whoever comes next sees it.
// Source: runtime/map*.go and internal/runtime/maps/*.go, go1.21 to go1.27.
#pragma once

#include <string>
#include <vector>

#include "abi/maps.h"
#include "probe/patch_plan.h"

namespace geist::probe {

inline constexpr usize kMostMapProbes = 48;

struct MapProbes {
  std::vector<PointProbe> probes;
  std::vector<std::string> missing;  // functions of the program that cannot be probed, and why
};

// `counts`: what is done is counted, too, in MapEntry::mix.
MapProbes find_map_probes(const read::GoBinary& binary, bool counts = false);

// Where a map function has its arguments, by Go's register ABI.
struct MapArguments {
  x86::Reg map = x86::kRbx;
  x86::Reg type = x86::kRax;
  bool by_iterator = false;  // `map` points to an iterator, which has both
};
Primitive look_at_map(abi::MapOperation operation, MapArguments arguments, bool counts = false);

}  // namespace geist::probe
