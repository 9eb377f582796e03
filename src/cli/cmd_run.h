// geist run: what the command line asked for, checked.
#pragma once

#include "cli/report_output.h"
#include "probe/condition.h"

namespace geist::cli {

struct RunOptions {
  std::vector<std::string> command;  // program and arguments, at least one
  OutputOptions output;  // levels, reports, filters, exit code: finish_report() does all of that
  std::optional<int> assume_go_minor;
  std::vector<std::string> healed_sites;  // names of appends; "all"; with '!' behind: always
  std::vector<probe::Condition> conditions;
  bool no_watch = false;
  bool is_test = false;   // go test runs this: what geist cannot watch must not fail a test
  bool thorough = false;  // also appends to slots that are all zero
  bool no_cache = false;  // neither take nor keep the table of append sites
  bool follow =
      false;  // the command may be anything; each Go program that it or its children exec is probed
  u32 budget_percent = 2;  // parked time allowed beyond the grace, percent of wall time
  bool keeps_run = true;   // in the store, for geist report
  u32 kept_runs = 200;
  std::string
      kept_folder;  // a program with findings is kept below, to be run again; empty: it is not
  bool keeps_always = false;           // also one without
  std::vector<std::string> detectors;  // those asked for, by their flag or with --detect
  bool watches_appends = true;         // false: --detect names others only
  bool ends_as_program = true;         // geist dies of the signal that the program died of
  // What findings can be of: the detectors that --detect chooses from.
  std::vector<std::string> looked_for() const;
  u32 history = 512;                   // overwriting appends that are followed up at a time
};

// Runs and reports; the exit status of geist.
int cmd_run(const RunOptions& options);

}  // namespace geist::cli
