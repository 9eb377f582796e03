// geist locate: what the command line asked for, checked.
#pragma once

#include "cli/cmd_attach.h"
#include "cli/cmd_run.h"
#include "cli/flags.h"

namespace geist::cli {

struct LocateOptions {
  std::string url;     // of an allocation profile; empty: none is asked for
  u64 timeout_s = 10;  // for its server
  // One of these is used: the command of a program, or a process.
  std::optional<RunOptions> run;
  AttachOptions attach;
  usize most_rows = 20;
  std::string json_path;  // "-": stdout; empty: none
};

Result<LocateOptions> make_locate_options(const ParsedFlags& parsed);

// Watches, prints the table of appends; the exit status of geist.
int cmd_locate(const LocateOptions& options);

}  // namespace geist::cli
