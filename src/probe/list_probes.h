// Where list operations are looked at (program/list_questions.h). What stands there is few
// instructions:
//
//   Next, Prev       the element is in no list          ─▶ the runtime: who removed it?
//   Remove           always                             ─▶ the runtime: notes who removes what
//   Move…, Insert…   the element is another list's, or its neighbours do not know it  ─▶ the runtime
//
// See runtime/lists.cc.
#pragma once

#include <string>
#include <vector>

#include "abi/lists.h"
#include "probe/patch_plan.h"
#include "program/list_questions.h"

namespace geist::probe {

struct ListProbes {
  std::vector<PointProbe> probes;
  std::vector<std::string> missing;  // operations of container/list that are not looked at, and why
};
ListProbes find_list_probes(const read::GoBinary& binary);

// `frame_bytes`: from SP at the point to the return address.
Primitive look_at_list(const program::ListQuestion& question, i64 frame_bytes);

}  // namespace geist::probe
