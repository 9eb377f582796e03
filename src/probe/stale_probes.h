// Where an append that found no room moves its array: the CALLs of growslice of probed append sites
// outside the standard library. The CALL goes by way of a trampoline, nothing else is changed.
//
//   runtime.growslice(old AX, newLen BX, oldCap CX, num DI, et SI)
//
// An event of abi::kStale has the facts of an append to an empty slice at `old`: dest is `old`,
// new_len and num are the old length, cap is the old capacity. Growth from nothing is not told, nor
// that of arrays on the stack, nor of elements of one byte. Appends that never find room are left
// out: nobody can rely on sharing with them. Source: runtime/slice.go growslice, go1.21 to go1.27.
#pragma once

#include <functional>
#include <vector>

#include "probe/patch_plan.h"

namespace geist::probe {

std::vector<PointProbe> find_stale_probes(const read::GoBinary& binary,
                                          const sites::SiteTable& sites);

// The same of chosen appends, as events of abi::kRefill, with the mode kListGrows.
std::vector<PointProbe> find_list_growth_probes(
    const read::GoBinary& binary, const sites::SiteTable& sites,
    const std::function<bool(const sites::AppendSite&)>& is_meant);

}  // namespace geist::probe
