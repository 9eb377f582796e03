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

// Of class ghost_write, found by an experiment: nobody saw what was overwritten.
constexpr ClassWords kUnseenGhostWrite{
    .finding_class = "ghost_write",
    .rule = "GB001",
    .rule_name = "GhostWrite",
    .one = "ghost write",
    .many = "ghost writes",
    .happened = "append{site} overwrote something that the program uses afterwards",
    .would_happen = "an append to {operand} would overwrite something",
    .victim = "something that the program uses afterwards",
    .former_victim = "something that was in use",
    .writer = "overwritten at",
    .reader = "read afterwards",
    .not_read = "Nobody looked for the victim: healing the append changed what the program does.",
    .way = "overwritten by",
    .way_writer = "overwritten by this append",
    .way_reader = "read afterwards",
    .in_short = "An append overwrote something that the program uses afterwards",
    .in_full = "The append found room in an array that something else in the program uses.",
    .help = "Cut the capacity of the operand to its length, so that the append has to copy.",
};

}  // namespace

std::span<const ClassWords> all_classes() {
  return kClasses;
}

const ClassWords& words_of(const Finding& finding) {
  const bool is_unseen = finding.level == Level::kProved && !finding.victim.is_known() &&
                         !finding.append_stack.empty();
  if (is_unseen && finding.finding_class == kUnseenGhostWrite.finding_class)
    return kUnseenGhostWrite;
  auto found = std::ranges::find(kClasses, finding.finding_class, &ClassWords::finding_class);
  return found == kClasses.end() ? kUnknown : *found;
}

const ClassWords& words_of(const Report& report) {
  if (report.findings.empty()) return kClasses.front();
  const ClassWords& first = words_of(report.findings.front());
  bool is_shared = std::ranges::all_of(report.findings, [&](const Finding& finding) {
    return words_of(finding).finding_class == first.finding_class;
  });
  return is_shared ? first : kUnknown;
}

}  // namespace geist::findings
