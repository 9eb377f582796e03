// Condition: something that the language leaves open, chosen for one run of the program. A detector
// watches; a condition changes, and only what a right program cannot depend on.
//
//   copy     an append that would overwrite something copies, as if there were no room
//   roomy    append gives much room when it grows (growth.h)
//   tight=N  append gives none, up to N elements; "tight64" is tight=64
//   pool     sync.Pool gives nothing back (pool.h)
//
// roomy and tight: "If the capacity of s is not large enough to fit the additional values, append
// allocates a new, sufficiently large underlying array" (specification, "Appending to and copying
// slices"): how large is not said. copy goes one step further: of an append with room the same
// sentence says "Otherwise, append re-uses the underlying array", so a program may rely on that;
// then a change under copy is no bug. pool: "Any item stored in the Pool may be removed automatically
// at any time without notification" (documentation of sync.Pool).
#pragma once

#include <string>
#include <vector>

#include "probe/growth.h"

namespace geist::probe {

enum class ConditionKind : u8 { kCopy, kRoomy, kTight, kPool };

struct Condition {
  ConditionKind kind = ConditionKind::kRoomy;
  u64 tight_len = 64;
  // Names (sites/names.h) of appends, of pool those of calls of Put; empty: all.
  std::vector<std::string> sites;
  // As read_condition takes it: "roomy", "tight=16:main.f:main.go:12"; with several sites, one of
  // these for each.
  std::vector<std::string> texts() const;
  std::string kind_text() const;    // "roomy", "tight=16", "tight64"
  std::string description() const;  // "append has much room when it grows"
};

// KIND or KIND:SITE. Fails saying which kinds there are.
Result<Condition> read_condition(std::string_view text);
// Those of one kind become one.
Result<std::vector<Condition>> read_conditions(const std::vector<std::string>& texts);

// What the conditions do becomes a part of the plan; `notes` gets a sentence for what they leave
// alone. Fails when a name means nothing, or when growth cannot be changed in this program.
Status add_conditions(const read::GoBinary& binary, const sites::SiteTable& table,
                      const std::vector<Condition>& conditions, PlanOptions& options,
                      std::vector<std::string>& notes);

}  // namespace geist::probe
