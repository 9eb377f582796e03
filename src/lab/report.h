// What the lab found, as text, JSON, HTML and Markdown. Everything shown is in the LabReport.
#pragma once

#include <string>
#include <vector>

#include "lab/workshop.h"

namespace geist::lab {

// The cases under one Go release.
struct ReleaseRun {
  std::string go;  // "go1.26.8"
  int minor = 0;
  std::vector<CaseResult> results;  // one a case, in the order of LabReport::cases
  u64 wall_ms = 0;                  // with building
};

struct LabReport {
  std::vector<const Case*> cases;
  std::vector<ReleaseRun> runs;  // at least one
  unsigned processors = 0;
  double load = 0;  // of the machine when it began: who is not alone measures time coarsely
};

struct VerdictCounts {
  u64 decided_true = 0, decided_false = 0, depends = 0, undecided = 0;
};
// ", busy (load 16.4): figures of time are coarse"; empty when the machine was quiet.
std::string describe_load(const LabReport& report);
VerdictCounts count_verdicts(const LabReport& report);
// Of a claim, over all releases.
std::string verdict_over_releases(const LabReport& report, usize which_case, usize which_claim);

// One case a line, and how to go on.
std::string emit_list(const std::vector<Case>& cases);
// The page of a case, who sees it, and its claims. `color`: with the colours of printable_lines().
std::string emit_case(const LabReport& report, bool color);
// One table of all cases.
std::string emit_table(const LabReport& report, bool color);
// geist-lab/1; the list of cases when nothing was run.
std::string emit_lab_json(const LabReport& report);
std::string emit_list_json(const std::vector<Case>& cases);
// A page that loads nothing.
std::string emit_lab_html(const LabReport& report);
// `command`: what wrote it, for those who want to write it again.
std::string emit_lab_markdown(const LabReport& report, const std::string& command);

}  // namespace geist::lab
