// The fixes of a report as one patch. Findings of one file are merged, so that the patch applies as
// a whole; only the main module is patched, for a dependency lies in a cache that nobody edits.
#include <map>

#include "report/report.h"
#include "source/patch.h"

namespace geist::report {

std::string emit_fixes(const findings::Report& report, std::vector<std::string>* left_out) {
  std::map<std::string, source::Patch> by_file;
  for (const findings::Finding& finding : report.findings) {
    std::string file = finding.append_stack.empty() ? "" : finding.append_stack.front().file;
    if (!finding.fix_file.empty()) file = finding.fix_file;
    auto leave_out = [&](const char* why) {
      left_out->push_back(emit_sentence(finding) + ": " + why);
    };
    bool is_dependency =
        file.find('@') != std::string::npos || find_rest(file, report.target.goroot);
    std::optional<source::Patch> patch = source::read_patch(finding.fix_diff);
    if (is_dependency)
      leave_out("not in the main module");
    else if (!patch)
      leave_out("no fix is known for sure");
    else if (auto [it, is_new] = by_file.try_emplace(patch->path, *patch);
             !is_new && !source::merge_patch(*patch, &it->second)) {
      leave_out("another fix changes the same line");
    }
  }
  std::string out;
  for (const auto& [path, patch] : by_file) out += source::emit_patch(patch);
  return out;
}

}  // namespace geist::report
