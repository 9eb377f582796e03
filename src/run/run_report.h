// What a run says of itself: the parts of a report that come from the binary, the process and the
// desk. Shared by every verb that watches: run, run --follow, attach.
#pragma once

#include "detect/detector.h"
#include "judge/desk.h"
#include "run/debug_opener.h"
#include "sites/append_sites.h"
#include "source/source.h"

namespace geist::run {

findings::Target describe_target(const std::vector<std::string>& command,
                                 const read::GoBinary& binary);
// The same for a binary that was opened under another name than its own: `path` is the program's
// file as a person knows it.
findings::Target describe_target(const std::vector<std::string>& command,
                                 const read::GoBinary& binary, const std::string& path);
// Adds what only the source tells: the findings' lines and fixes, and the appends that nobody can
// probe (sites/plain_appends.h).
void add_from_source(findings::Report& report, const read::GoBinary& binary,
                     const sites::SiteTable& table, source::SourceCache& sources);
// `refused` is what the plan of the process could not probe.
findings::SiteCounts count_sites(const sites::SiteTable& table, const sites::Refused& refused);

// Findings, counters, losses and notes of one process that is watched no more. `cpu_s`: what it
// used itself, 0 when that is not known. After count_sites().
void fill_report(findings::Report& report, const judge::Desk& desk, detect::Session& detectors,
                 const read::GoBinary& binary, const process::ProbedProcess& process, double cpu_s);
// Notes on what this machine or this binary did not allow.
void note_what_was_missing(findings::Report& report, const judge::Desk& desk,
                           const DebugOpener& debug, bool wants_watches);
judge::DeskOptions desk_options(bool wants_watches, u32 history, u32 budget_percent);
// "SIGSEGV"
std::string signal_name(int signal);

}  // namespace geist::run
