#include "report/diff.h"

#include <algorithm>

#include <fmt/format.h>

#include "findings/fingerprint.h"

namespace geist::report {
namespace {

using findings::Finding;

void add_lines(const char* what, const char* paint, const std::vector<const Finding*>& findings,
               bool color, std::string* out) {
  for (const Finding* finding : findings) {
    std::string head = fmt::format("{:<4}", what);
    if (color) head = paint + head + "\x1b[0m";
    const std::string victim = finding->victim.is_known() && finding->stacks.empty()
                                   ? ": " + describe_victim(finding->victim)
                                   : "";
    *out += fmt::format("{}  {:<9}  {}{}\n", head, findings::level_name(finding->level),
                        emit_sentence(*finding), victim);
  }
}

}  // namespace

ReportDiff compare_reports(const findings::Report& older, const findings::Report& newer) {
  ReportDiff diff;
  auto has = [](const findings::Report& report, const Finding& finding) {
    return std::ranges::any_of(report.findings, [&](const Finding& other) {
      return findings::is_same_bug(other, finding);
    });
  };
  for (const Finding& finding : newer.findings)
    (has(older, finding) ? diff.same : diff.appeared).push_back(&finding);
  for (const Finding& finding : older.findings) {
    if (!has(newer, finding)) diff.gone.push_back(&finding);
  }
  return diff;
}

std::string emit_diff_text(const ReportDiff& diff, bool color) {
  std::string out;
  add_lines("new", "\x1b[1;31m", diff.appeared, color, &out);
  add_lines("gone", "\x1b[32m", diff.gone, color, &out);
  add_lines("same", "", diff.same, false, &out);
  return out + fmt::format("geist: {} new · {} gone · {} same\n", diff.appeared.size(),
                           diff.gone.size(), diff.same.size());
}

}  // namespace geist::report
