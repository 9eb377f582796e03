#include "findings/classes.h"

#include <algorithm>
#include <array>

namespace geist::findings {
namespace {

constexpr std::array kClasses = {
#include "findings/classes.inc"
};

constexpr ClassWords kUnknown{
    .finding_class = "",
    .rule = "",
    .rule_name = "Finding",
    .one = "finding",
    .many = "findings",
    .happened = "found{site}",
    .would_happen = "found at {operand}",
    .victim = "something in use",
    .former_victim = "something that was in use",
    .writer = "done",
    .reader = "seen afterwards",
    .not_read = "Nothing was seen afterwards.",
    .way = "done by, the victim, seen by",
    .way_writer = "done here",
    .way_reader = "seen afterwards",
    .in_short = "A finding of another release of geist",
    .in_full = "A finding of another release of geist.",
    .help = "See the documentation of that release.",
};

}  // namespace

std::span<const ClassWords> all_classes() {
  return kClasses;
}

const ClassWords& words_of(const Finding& finding) {
  auto found = std::ranges::find(kClasses, finding.finding_class, &ClassWords::finding_class);
  return found == kClasses.end() ? kUnknown : *found;
}

const ClassWords& words_of(const Report& report) {
  if (report.findings.empty()) return kClasses.front();
  const ClassWords& first = words_of(report.findings.front());
  bool is_shared = std::ranges::all_of(
      report.findings, [&](const Finding& finding) { return &words_of(finding) == &first; });
  return is_shared ? first : kUnknown;
}

}  // namespace geist::findings
