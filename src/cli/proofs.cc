#include "cli/proofs.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/heal_names.h"

namespace geist::cli {

void add_verdict(const prove::Verdict& verdict, judge::Finding& finding,
                 std::vector<std::string>& notes) {
  if (verdict.proof) {
    finding.level = judge::Level::kProved;
    finding.proof = verdict.proof;
    return;
  }
  std::string note =
      fmt::format("not proved: {}: {}", finding.heal.empty() ? append_name(finding) : finding.heal,
                  verdict.why_not);
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
}

void sort_by_level(std::vector<judge::Finding>& findings) {
  std::stable_sort(
      findings.begin(), findings.end(),
      [](const judge::Finding& a, const judge::Finding& b) { return a.level > b.level; });
}

}  // namespace geist::cli
