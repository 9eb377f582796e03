// By name or all of them: which sites get a healing trampoline, and why others do not. A name is
// refused only when no site of it can be healed; of an append that was inlined in several places
// some may be.
#include "probe/heal_choice.h"

#include <fmt/format.h>

#include "sites/names.h"

namespace geist::probe {
namespace {

using sites::AppendSite;
using sites::HealRefusal;
using sites::SiteBucket;

// Also asks whether the site can be patched, which only planning tells.
std::string_view why_not_here(const read::GoBinary& binary, const AppendSite& site) {
  if (std::string_view why = why_not_healable(site); !why.empty()) return why;
  sites::SiteTable alone;
  alone.sites.push_back(site);
  PlanOptions options;
  options.modes[site.call] = abi::kHeal;
  options.only_healed = true;
  options.with_hooks = false;
  return why_not_healable(site, plan_anywhere(binary, alone, options).refused);
}

std::string_view help_of(std::string_view reason) {
#define GEIST_BUCKET(name, text, help) \
  if (reason == text) return help;
#include "sites/buckets.inc"
#undef GEIST_BUCKET
#define GEIST_HEAL_REFUSAL(name, text, help) \
  if (reason == text) return help;
#include "sites/heal_refusals.inc"
#undef GEIST_HEAL_REFUSAL
  return "";
}

void choose_all(const sites::SiteTable& table, abi::SiteMode mode, HealChoice& choice) {
  for (const AppendSite& site : table.sites) {
    if (site.bucket == SiteBucket::kAlwaysGrows) continue;
    std::string_view why = why_not_healable(site);
    if (why.empty())
      choice.modes[site.call] = mode;
    else
      ++choice.refused[std::string(why)];
  }
}

Status choose_named(const read::GoBinary& binary, const sites::SiteTable& table,
                    const std::string& name, abi::SiteMode mode, HealChoice& choice) {
  GEIST_TRY(found, sites::find_sites_named(binary, table, name));
  usize meant = 0, healed = 0;
  std::string_view reason;
  for (usize index : found) {
    const AppendSite& site = table.sites[index];
    std::string_view why = why_not_here(binary, site);
    reason = reason.empty() ? why : reason;
    if (site.bucket == SiteBucket::kAlwaysGrows) continue;  // copies as it is
    ++meant;
    if (why.empty()) {
      choice.modes[site.call] = mode;
      ++healed;
    } else {
      ++choice.refused[std::string(why)];
      reason = why;
    }
  }
  if (healed == 0) {
    return Error(
        fmt::format("the append at {} cannot be healed: {} ({})", name, help_of(reason), reason));
  }
  if (healed < meant) {
    choice.notes.push_back(
        fmt::format("{} is compiled into {} places, {} of them cannot be healed: {}", name, meant,
                    meant - healed, help_of(reason)));
  }
  return Done{};
}

}  // namespace

std::string_view why_not_healable(const AppendSite& site, const sites::Refused& refused) {
  SiteBucket bucket = sites::bucket_of(site, refused);
  if (bucket != SiteBucket::kProbed) return sites::bucket_name(bucket);
  return sites::refusal_name(site.heal_refusal);
}

Result<HealChoice> choose_healed_sites(const read::GoBinary& binary, const sites::SiteTable& table,
                                       const std::vector<std::string>& names, bool always) {
  HealChoice choice;
  for (std::string name : names) {
    abi::SiteMode mode = always ? abi::kHealAlways : abi::kHeal;
    if (name.ends_with('!')) {
      mode = abi::kHealAlways;
      name.pop_back();
    }
    if (name == "all")
      choose_all(table, mode, choice);
    else
      GEIST_TRY_STATUS(choose_named(binary, table, name, mode, choice));
  }
  return choice;
}

}  // namespace geist::probe
