// The command line of a test binary, for running it again: one test of it, or all that it ran.
#pragma once

#include <string>
#include <vector>

namespace geist::run {

// `command` is what go test started: the binary, its -test flags, then the words behind -args.
// `test` is the name of a test as go prints it ("TestOrders/two_chunks"); empty: all that were run.
// The run leaves no files of its own (profiles, coverage), fuzzes nothing, runs each test once and
// tells every verdict.
std::vector<std::string> make_rerun_command(const std::vector<std::string>& command,
                                            const std::string& test);

}  // namespace geist::run
