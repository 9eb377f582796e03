// The go command: `go build` for packages given in the place of a binary, and any other one in the
// background.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "run/temporary_folder.h"

namespace geist::run {

// A built binary in a temporary folder of its own, removed with this object.
class BuiltProgram {
 public:
  BuiltProgram() = default;
  BuiltProgram(TemporaryFolder folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {}
  std::string path() const { return folder_.path() + "/" + name_; }

 private:
  TemporaryFolder folder_;
  std::string name_;
};

// Is there a *.go file directly in this directory?
bool holds_go_files(const std::string& directory);
// "example.com/x/cmd/server", "cmd/gofmt": what Go reads as an import path and a shell as a
// relative path.
bool is_import_path(const std::string& word);
// Asks `go list`; false when it cannot be listed, is no command, or there is no go.
bool is_main_package(const std::string& package);

// Builds a directory, a .go file or an import path. What go says goes to stderr.
Result<BuiltProgram> build_go_package(const std::string& package);

// Starts go with these arguments, our stdin, stdout and stderr, and this signal mask. The process
// id; the caller waits.
Result<int> start_go(const std::vector<std::string>& arguments, const sigset_t& mask);

}  // namespace geist::run
