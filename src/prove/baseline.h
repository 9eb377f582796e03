// Baseline: what plain runs of a program show, and what of it varies by itself. A healed run is
// held against it.
//
//   plain runs ─▶ per part (test verdicts, stdout, exit, stderr, files):
//                 fixed, or fixed but for some tokens, or fixed but for the order of lines, or
//                 nothing fixed
//   healed run ─▶ the first difference in what is fixed
//
// What varied is left out of the comparison, never guessed equal: times, addresses, ports, map
// order need no names here. A part of which no two runs agree is not compared at all, and named in
// unstable().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "prove/outcome.h"

namespace geist::prove {

struct Difference {
  std::string what;  // as judge::Proof
  i64 line = 0;
  std::string plain, healed;
  std::vector<std::string> diff;
};

// A text of which several versions were seen.
class StableText {
 public:
  explicit StableText(std::vector<std::string> versions);
  bool is_stable() const { return kind_ != Kind::kNone; }
  // Of the lines that are fixed; `what` is left empty.
  std::optional<Difference> find_difference(const std::string& text) const;

 private:
  enum class Kind : u8 { kExact, kTokens, kSorted, kNone } kind_ = Kind::kExact;
  bool line_differs(usize line, const std::string& text) const;
  std::optional<Difference> compare_lines(const std::vector<std::string>& lines) const;
  std::optional<Difference> compare_sorted(std::vector<std::string> lines) const;

  std::vector<std::vector<std::string>> versions_;  // lines
};

class Baseline {
 public:
  // At least one plain run; two tell what varies.
  explicit Baseline(std::vector<Outcome> plain);
  void add(Outcome plain) { plain_.push_back(std::move(plain)); }
  usize runs() const { return plain_.size(); }
  const Outcome& first() const { return plain_.front(); }
  std::optional<Difference> find_difference(const Outcome& healed) const;
  // Tests whose verdict differs, each with its difference; of a test and its subtests, those
  // subtests.
  std::vector<Difference> changed_tests(const Outcome& healed) const;
  // Parts that vary so much that they are not compared: "stdout".
  std::vector<std::string> unstable() const;

 private:
  std::vector<std::string> versions_of_stdout() const;
  std::vector<std::string> versions_of_stderr() const;
  std::vector<std::string> versions_of_file(const std::string& path) const;
  std::optional<Difference> compare_verdicts(const Outcome& healed) const;
  std::optional<Difference> compare_exit(const Outcome& healed) const;

  std::vector<Outcome> plain_;
};

// "exit status 1", "killed by SIGSEGV".
std::string describe_exit(const Outcome& outcome);

// Without the times in the verdict lines of a Go test binary.
std::string without_test_times(const std::string& out);

// test name → "PASS", "FAIL" or "SKIP", from the output of a Go test binary (-test.v, or only what
// failed) or from `go test -json`; empty for other programs.
std::map<std::string, std::string> read_verdicts(const std::string& out);

}  // namespace geist::prove
