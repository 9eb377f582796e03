// geist snap PID|CORE|IMAGE [QUESTION [WHAT]]: the heap of a process at one moment.
#pragma once

#include <optional>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "cli/flags.h"

namespace geist::cli {

struct SnapOptions {
  std::string target;           // a process id or a core file
  std::string question;         // empty: the summary
  std::string what;             // path: an address or a type; diff: another target
  std::string format = "json";  // export
  std::string binary;           // of a core
  std::string save;             // where the image goes; empty: nowhere
  u64 most = 20;
  u64 min_bytes = 4096;
  u32 share_percent = 25;
  bool json = false;
  bool stop = false;
  std::optional<int> assume_go_minor;
};

// Fails when the question is unknown, or misses its WHAT.
Result<SnapOptions> make_snap_options(const ParsedFlags& parsed);

// To stdout; what was done to the process to stderr.
int cmd_snap(const SnapOptions& options);

}  // namespace geist::cli
