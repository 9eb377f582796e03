// Facts: what the programs of a case said, and what geist saw of their runs. A program says one in a
// line of its standard output:
//
//   fact NAME VALUE         fact wrong_percent 3.62        fact cap[24] 512
//   cannot NAME WHY         cannot gdb_stops no gdb in PATH
//
// A name is [a-z][a-z0-9_]*, perhaps with an index in brackets; names with a dot (plain.exit,
// geist.findings) are geist's own, and no program can say them. Programs are not trusted: every
// limit has a counter (rejected.inc), and what is not a fact by this grammar is none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace geist::lab {

struct Fact {
  std::string text;              // printable, one line
  std::optional<double> number;  // when all of the text is a finite number
};

enum class Rejected {
#define GEIST_REJECTED(name, help) name,
#include "lab/rejected.inc"
#undef GEIST_REJECTED
};

class Facts {
 public:
  // Takes the facts out of what a program wrote to its standard output.
  void read(std::string_view output);
  // A fact of geist's own.
  void tell(const std::string& name, std::string text);
  void tell(const std::string& name, double number);
  // Why a fact of geist's own is not there.
  void excuse(const std::string& name, std::string why) { reasons_[name] = std::move(why); }

  const Fact* find(const std::string& name) const;
  // Why it is not there, as the program said; for "wrong[3]" also what was said of "wrong", and for
  // "ms[race]" why nothing could be built with -race.
  std::optional<std::string> find_reason(const std::string& name) const;
  // The indices of name[...], numbers in their order before words in theirs.
  std::vector<std::string> indices(const std::string& name) const;

  const std::map<std::string, Fact>& all() const { return facts_; }
  // Name and explanation of each counter that is not zero, and its count.
  std::vector<std::pair<std::string, u64>> rejected() const;

 private:
  void read_line(std::string_view line);
  std::map<std::string, Fact> facts_;
  std::map<std::string, std::string> reasons_;
  std::map<Rejected, u64> rejected_;
};

// The number that all of the text is; nothing for infinities and what is no number.
std::optional<double> read_number(std::string_view text);

}  // namespace geist::lab
