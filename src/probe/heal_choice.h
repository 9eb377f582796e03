// Which sites a run heals, chosen by name before anything is started: what cannot be healed is
// refused here, by name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "probe/patch_plan.h"

namespace geist::probe {

struct HealChoice {
  std::map<ImageAddr, abi::SiteMode> modes;  // by call, for PlanOptions
  std::map<std::string, u64> refused;  // sites that were meant but stay as they are, by reason
  std::vector<std::string> notes;      // one sentence each, for the user
};

// `names` are those of sites::find_sites_named, or "all"; a '!' behind one means kHealAlways, and
// so does `always` for all of them. Fails when a name means nothing, is ambiguous, or when no site
// of it can be healed.
Result<HealChoice> choose_healed_sites(const read::GoBinary& binary, const sites::SiteTable& table,
                                       const std::vector<std::string>& names, bool always);

// Why this site cannot be healed: the name of a bucket or of a refusal; empty when it can.
// `refused` is what planning has found out.
std::string_view why_not_healable(const sites::AppendSite& site,
                                  const sites::Refused& refused = {});

}  // namespace geist::probe
