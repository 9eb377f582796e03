// What every verb that watches a program does before and after: which builds are refused, names,
// and the report's numbers.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "judge/finding.h"
#include "judge/tracker.h"
#include "program/append_sites.h"
#include "read/dwarf/debug_info.h"
#include "read/go/go_binary.h"

namespace geist::cli {

// Builds with a sanitizer expand appends early and map shadow memory where geist would go.
Status refuse_sanitized(const read::GoBinary& binary);

// DWARF is opened beside the search for sites; both take their time on large binaries.
class DebugOpener {
 public:
  explicit DebugOpener(const read::GoBinary& binary);
  ~DebugOpener();
  // Waits for it; null when the binary has none that can be read.
  read::DebugInfo* join();
  // Why there are no names, for the report; empty when there are.
  const std::string& why_not() const { return why_not_; }

 private:
  std::unique_ptr<read::DebugInfo> info_;
  std::string why_not_;
  std::thread thread_;
};

// `path` is the program's file as a person knows it.
judge::Target describe_target(const read::GoBinary& binary, const std::vector<std::string>& command,
                              const std::string& path);
judge::SiteCounts count_sites(const program::SiteTable& table);
// Findings, counts, losses and costs.
void fill_from_tracker(judge::Report& report, const judge::Tracker& tracker,
                       const target::ProbedProcess& process, double wall_s);
// Notes on what could not be had here and what that means. Call when `debug` is joined.
void note_what_is_missing(judge::Report& report, const DebugOpener& debug,
                          const judge::Tracker& tracker, bool wants_watches);

}  // namespace geist::cli
