#include "run/proofs.h"

#include <algorithm>

#include <fmt/format.h>

#include "run/heal_names.h"

namespace geist::run {

void add_verdict(const prove::Verdict& verdict, findings::Finding& finding,
                 std::vector<std::string>& notes) {
  if (verdict.proof) {
    finding.level = findings::Level::kProved;
    finding.proof = verdict.proof;
    return;
  }
  std::string note =
      fmt::format("not proved: {}: {}", finding.heal.empty() ? append_name(finding) : finding.heal,
                  verdict.why_not);
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
}

void sort_by_level(std::vector<findings::Finding>& findings) {
  std::stable_sort(
      findings.begin(), findings.end(),
      [](const findings::Finding& a, const findings::Finding& b) { return a.level > b.level; });
}

}  // namespace geist::run
