// What a run says of itself: the parts of a report that come from the binary, the process and the
// tracker.
#pragma once

#include "cli/cmd_run.h"
#include "cli/debug_opener.h"
#include "judge/tracker.h"
#include "program/append_sites.h"

namespace geist::cli {

judge::Target describe_target(const std::vector<std::string>& command,
                              const read::GoBinary& binary);
judge::SiteCounts count_sites(const program::SiteTable& table);

// Findings, counters, losses and notes of one process that has ended.
void fill_report(judge::Report& report, const judge::Tracker& tracker,
                 const target::ProbedProcess& process, double cpu_s);
// Notes on what this machine or this binary did not allow.
void note_what_was_missing(judge::Report& report, const judge::Tracker& tracker,
                           const DebugOpener& debug, const RunOptions& options);
judge::TrackerOptions tracker_options(const RunOptions& options);
// "SIGSEGV"
std::string signal_name(int signal);

}  // namespace geist::cli
