// `go build` for packages given in the place of a binary.
#pragma once

#include <string>

#include "base/ints.h"
#include "base/result.h"

namespace geist::cli {

// A built binary in a temporary folder of its own, removed with this object.
class BuiltProgram {
 public:
  BuiltProgram() = default;
  explicit BuiltProgram(std::string directory, std::string name);
  BuiltProgram(BuiltProgram&& other) noexcept;
  BuiltProgram& operator=(BuiltProgram&& other) noexcept;
  ~BuiltProgram();
  std::string path() const { return directory_ + "/" + name_; }

 private:
  void remove();
  std::string directory_;  // empty: owns nothing
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

}  // namespace geist::cli
