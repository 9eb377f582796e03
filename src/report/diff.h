// Two reports side by side: which findings are new, which are gone, which are in both. Findings are
// the same when they are the same bug (findings/fingerprint.h), whatever lines, addresses, victims
// and levels say.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace geist::report {

struct ReportDiff {
  std::vector<const findings::Finding*>
      appeared;                                // of the newer report, in its order; so is `same`
  std::vector<const findings::Finding*> gone;  // of the older one
  std::vector<const findings::Finding*> same;
};

// Points into both reports. One bug may be several findings, with several victims; they are all
// new, gone or the same.
ReportDiff compare_reports(const findings::Report& older, const findings::Report& newer);

// "new  confirmed  append in main.f (f.go:3) overwrote …", a line a finding, and a last line with
// the counts.
std::string emit_diff_text(const ReportDiff& diff, bool color);
// {"schema": "geist-diff/1", "new": […], "gone": […], "same": […]}, the findings as geist-report/1
// has them.
std::string emit_diff_json(const ReportDiff& diff);

}  // namespace geist::report
