// What `geist test` makes of a go test command line: the user's own words, with geist put between
// go and the test binary.
#pragma once

#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace geist::run {

struct GoTestCommand {
  std::vector<std::string> arguments;  // of go, "test" first
  bool runs_nothing = false;           // -c: the binary is built and kept, no test runs
};

// `words` is what the user wrote behind `geist test`, geist's own flags taken out; `goflags` the
// variable GOFLAGS; `exec_words` the command that runs a test binary, with its flags. Test binaries
// keep their names (go test strips them otherwise), unless the user's -ldflags say something else.
// Fails on what geist cannot do together with go test: the race detector and sanitizers, an -exec
// of the user's own, and a word that cannot be quoted for go.
Result<GoTestCommand> make_go_test_command(const std::vector<std::string>& words,
                                           const std::string& goflags,
                                           const std::vector<std::string>& exec_words);

}  // namespace geist::run
