// Which findings of a report are shown: by level, by a suppression file, by a baseline. Pure
// functions on the Report.
//
// A suppression file has one rule a line and a reason for each:
//   site:echo.(*Group).add           # fixed upstream, we wait for v2.1
//   victim:*scratch*                 # overwritten before use
//   module:example.com/legacy/*      # has its own report
//   test:example.com/x.TestGrowth*   # asserts capacities
// '*' stands for any text, '?' for one character; everything else is itself (Go names are full of
// brackets).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "findings/finding.h"

namespace geist::report {

struct Suppression {
  enum class Kind { kSite, kVictim, kModule, kTest } kind = Kind::kSite;
  std::string glob;
  std::string reason;
  std::string text;  // the line as written, trimmed
};

// Fails on the first line that is not a rule with a reason, by its number.
Result<std::vector<Suppression>> read_suppressions(std::string_view text);

bool matches_glob(std::string_view glob, std::string_view text);

// site: the site's function in full, short (echo.(*Group).add), or short with place
// (echo.(*Group).add:group.go:145). victim: the victim's name or its type. module: the package of
// the site's function, or a path above it. test: the Go tests that a finding was seen in, all of
// them: "example.com/x.TestGrowth/deep", or without the path of its package.
bool matches(const Suppression& suppression, const findings::Finding& finding,
             const findings::Target& target);

// The finding with this number, or those with this fingerprint or alias; false: there is none.
bool keep_only(std::string_view which, findings::Report* report);

// Each removes findings and numbers the rest from 1. Suppressed ones are counted in the report, and
// rules that matched nothing are listed there. Rules of tests also hide what changed in a test and
// is no finding.
void drop_below(findings::Level level, findings::Report* report);
void apply_suppressions(const std::vector<Suppression>& suppressions, findings::Report* report);
// Hides findings that are the same bug as one of the baseline (findings/fingerprint.h); a note says
// how many.
void apply_baseline(const findings::Report& baseline, findings::Report* report);

// Is there a finding of at least this level?
bool has_finding(const findings::Report& report, findings::Level level);

}  // namespace geist::report
