// From the word on the command line to a binary on disk: a path, a name in PATH, or a Go package
// that is built first.
#pragma once

#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "run/go_build.h"

namespace geist::run {

struct Program {
  std::string path;    // to open and to exec
  BuiltProgram built;  // removed with this object; empty when the program was there
};

// The word names a file, or something executable in PATH.
bool program_exists(const std::string& word);

// Fails in the words of a shell: "not found" (127), "permission denied", "is a directory" (126); or
// with what `go build` said (bad input).
Result<Program> resolve_program(const std::string& word);
// The same, and scripts are fine: for who only starts it.
Result<Program> resolve_command(const std::string& word);
// The same for a file that is only read (geist sites): it needs no execute permission.
Result<Program> resolve_binary(const std::string& word);

}  // namespace geist::run
