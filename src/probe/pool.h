// Pool: what sync.Pool gives back, chosen by us: nothing. "Any item stored in the Pool may be removed
// automatically at any time without notification" (documentation of sync.Pool), and the garbage
// collector does so; a program is as right with a pool that is always empty.
//
//   at the entry of sync.(*Pool).Put   x := nil, which Put does not store
//
// For all of the program, or for some calls of Put: then what runs there looks at the return
// address.
// Source: sync/pool.go Put(p AX, x BX CX), "if x == nil { return }", go1.21 to go1.27.
#pragma once

#include <optional>
#include <vector>

#include "probe/patch_plan.h"

namespace geist::probe {

// Where pools can be changed. Found once for a program, used for any number of plans.
class PoolPoints {
 public:
  // Fails when the program puts nothing into a sync.Pool, or Put cannot be probed in it.
  static Result<PoolPoints> find(const read::GoBinary& binary);

  // The program's calls of Put, ascending: the addresses of the CALLs. Those by way of a function
  // value, and what jumps there, are not among them.
  const std::vector<ImageAddr>& calls() const { return calls_; }
  // Adds what is needed to `options.points`: what `calls` put is lost; nothing: whatever is put.
  void add(const std::optional<std::vector<ImageAddr>>& calls, PlanOptions& options) const;

 private:
  program::Point entry_;
  ImageAddr text_;
  std::vector<ImageAddr> calls_;
};

}  // namespace geist::probe
