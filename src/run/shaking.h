// A program shaken: the runs of prove/shake.h, each first one watched by a geist of its own, and
// what they tell as findings.
#pragma once

#include <string>
#include <vector>

#include "findings/finding.h"
#include "prove/shake.h"
#include "run/site_finding.h"

namespace geist::run {

struct ShakeRequest {
  std::vector<std::string> command;    // as the user gave it
  std::string program;                 // what is run: of a package, what was built of it
  std::vector<std::string> run_flags;  // of the geist that watches
  std::vector<probe::Condition> conditions;
};

// The report of the watched plain run, with what only conditions show. Fails when the program
// cannot be run to its end or cannot be watched.
Result<findings::Report> shake_program(prove::Experiment& experiment, const read::GoBinary& binary,
                                       const sites::SiteTable& table, const ShakeRequest& request);

// One watched run, with more flags for its geist.
struct WatchedRun {
  prove::Outcome outcome;   // of the program
  findings::Report report;  // empty when it did not end in time
};
Result<WatchedRun> watch_run(prove::Runner& runner, const ShakeRequest& request,
                             const std::vector<std::string>& flags);

// A geist that writes its report as JSON into `report_file`, a descriptor of ours.
std::vector<std::string> watching_command(const std::vector<std::string>& command,
                                          const std::string& program,
                                          const std::vector<std::string>& run_flags,
                                          int report_file);

// What the answer tells becomes findings of `report`, of one test where it has a name. `watched`:
// what was seen under each condition, by Condition::kind_text; "": in a run as it is.
void add_shaken(const prove::ShakeAnswer& answer,
                const std::map<std::string, findings::Report>& watched, SiteFindings& make,
                source::SourceCache& sources, const std::string& test, findings::Report& report);
// The appends of the findings go first among those that may explain a difference.
void prefer_watched(const findings::Report& watched, prove::Shaker& shaker);
// Ghost writes that only a condition shows, and that no outcome told of.
void add_sleeping(const std::map<std::string, findings::Report>& watched, findings::Report& report);

}  // namespace geist::run
