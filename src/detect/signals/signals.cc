// Counts of each append: how often there was room, how often the array grew, and what that copied.
// The trampolines keep them (abi/counters.h); here they get the names of their places in the
// source. An append that the compiler has inlined in several places, or for several types, is one
// place.
#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/ints.h"
#include "detect/detector.h"
#include "sites/names.h"

namespace geist::detect::signals {
namespace {

using Row = findings::Section::Row;

void ask(probe::PlanOptions& plan) {
  plan.counts = true;
}

// Most bytes copied first.
bool comes_before(const Row& a, const Row& b) {
  return std::tie(b.values[2], b.values[1], b.values[0], a.function, a.file, a.line) <
         std::tie(a.values[2], a.values[1], a.values[0], b.function, b.file, b.line);
}

void tell(const Watched& watched, findings::Report& report) {
  std::map<sites::SiteName, abi::SiteCounter> counts;
  std::map<sites::SiteName, u64> overwrites;
  for (const probe::ProbedSite& site : watched.process.plan.sites) {
    const abi::SiteCounter of_site = watched.process.ring.counts(site.record);
    if (of_site.in_place[0] == 0 && of_site.grows == 0) continue;
    const sites::SiteName name = sites::name_of(watched.binary, site.site);
    abi::SiteCounter& sum = counts[name];
    sum.in_place[0] += of_site.in_place[0];
    sum.grows += of_site.grows;
    sum.bytes += of_site.bytes;
    overwrites[name] += watched.process.ring.overwrites(site.record);
  }
  findings::Section section;
  section.columns = {"in_place", "grows", "bytes_copied", "overwrites"};
  for (const auto& [name, sum] : counts)
    section.rows.push_back(
        {name.function, name.file, name.line, {sum.in_place[0], sum.grows, sum.bytes, overwrites[name]}});
  std::ranges::sort(section.rows, comes_before);
  const u64 uncounted = report.sites.growslice_calls - report.sites.probed;
  if (uncounted != 0)
    section.note = fmt::format(
        "{} of {} calls of growslice are not counted: they always grow, or "
        "are not probed",
        uncounted, report.sites.growslice_calls);
  report.sections.emplace("signals", std::move(section));
}

}  // namespace

const Hooks kHooks{ask, tell};

}  // namespace geist::detect::signals
