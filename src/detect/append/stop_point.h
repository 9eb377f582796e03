// Where a debugger stops before this append, for a report.
#pragma once

#include <fmt/format.h>

#include "findings/finding.h"
#include "program/location_text.h"
#include "sites/append_sites.h"

namespace geist::detect::append {

// Nothing of a site that is not probed: where its values are is not known.
inline findings::StopPoint stop_point_of(const sites::AppendSite& site) {
  if (site.bucket != sites::SiteBucket::kProbed) return {};
  findings::StopPoint stop;
  stop.pc = fmt::format("{:#x}", site.branch.value);
  stop.array = program::location_text(site.old_ptr);
  stop.new_len = program::location_text(site.new_len);
  stop.cap = program::location_text(site.cap);
  stop.added = program::location_text(site.num);
  return stop;
}

}  // namespace geist::detect::append
