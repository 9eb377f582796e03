// Benchmarks of geist's own making, built and run by the Go that is here.
//
//   source ──▶ TMP/bench_test.go ──▶ go test -c ──▶ TMP/bench.test, several rounds ──▶ a row each
//
// One round runs all benchmarks once, so that what else the machine does in between falls on all of
// them. Nothing is left of the folder when the object goes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "run/child.h"
#include "run/temporary_folder.h"

namespace geist::advise {

// What one line of `go test -bench` says: "BenchmarkX-2  100  12.5 ns/op  0 B/op".
struct BenchLine {
  std::string name;  // without the number of processors
  u64 iterations = 0;
  std::map<std::string, double> values;  // by unit
};
// Lines that are no benchmark's, or whose numbers are none, are passed over.
std::vector<BenchLine> read_bench_output(std::string_view text);

// All rounds of a benchmark.
struct Measured {
  double ns = 0, low = 0, high = 0;      // per operation: median, fastest and slowest round
  double bytes = 0, allocs = 0;          // per operation, medians
  std::map<std::string, double> others;  // of the last round, by unit
  u64 rounds = 0;
};
std::map<std::string, Measured> take_medians(const std::vector<std::vector<BenchLine>>& rounds);

class Bench {
 public:
  // Asks the go command of `folder` (a module's; empty or not there: ours) for its release. Fails when
  // there is none, or one before 1.21.
  static Result<Bench> open(const std::string& folder, const run::ChildSignals& signals);

  const std::string& go() const { return go_; }  // "go1.26.8"
  int go_minor() const { return minor_; }

  // `benchtime` as go test has it: "20ms", "100000x". Fails when it does not build, a benchmark fails or
  // takes too long, and when somebody asks geist to end.
  Result<std::map<std::string, Measured>> measure(const std::string& source,
                                                  const std::string& benchtime, u64 rounds) const;

 private:
  explicit Bench(const run::ChildSignals& signals) : signals_(&signals) {}
  Status ask_release(const std::string& folder);
  Result<run::ChildResult> run_here(std::vector<std::string> argv, u64 timeout_s) const;

  const run::ChildSignals* signals_;
  run::TemporaryFolder folder_;
  std::string go_command_ = "go";
  std::string go_;
  int minor_ = 0;
};

// The first line that says something, of what a tool wrote; printable and short.
std::string first_line(std::string_view text);
// Lines of at most 100 columns, each after `indent` spaces.
std::string wrap_text(std::string_view text, usize indent);
// Puts "needs the go command" to what the system said about it.
Error without_go(const Error& error);

}  // namespace geist::advise
