// A command, run with its output caught and its time limited. It is the leader of a process group of
// its own: what it starts ends with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "run/child_signals.h"

namespace geist::run {

struct ChildRequest {
  std::vector<std::string> argv;  // [0]: a path, or a name that is looked up in PATH
  std::string folder;
  std::vector<std::string> environment;  // NAME=VALUE, in the place of ours of that name
  u64 timeout_s = 30;
};

struct ChildResult {
  int code = 0;  // 128 + signal when it was ended by one
  std::optional<int> signal;
  bool timed_out = false;
  std::string out, err;
  u64 wall_ms = 0;

  // What it wrote last and first that says something: "WRONG: 2 orders lost".
  std::string last_line() const;
};

// Runs it to its end. Fails when it cannot be started, when it writes more than 16 MiB, and when
// somebody asks geist to end meanwhile.
Result<ChildResult> run_child(const ChildRequest& request, const ChildSignals& signals);

}  // namespace geist::run
