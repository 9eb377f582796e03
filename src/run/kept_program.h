// A program that is to be run again when those who started it have gone: go test removes its test
// binaries.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace geist::run {

struct KeptProgram {
  std::string path;
  std::vector<std::string> command;  // argv; [0] is the path
  std::string folder;                // it was started in
  std::vector<std::string> environment;
};

// Puts the file at `path`, and what it takes to start it from here as `command` again, into the
// folder `into`, which is made. The file is linked where that is possible.
Status keep_program(const std::string& path, const std::vector<std::string>& command,
                    const std::string& into);
// What keep_program() left. Fails when it is not all there.
Result<KeptProgram> read_kept_program(const std::string& from);

}  // namespace geist::run
