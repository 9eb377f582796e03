// What a command line means. flags.inc is the table; this turns it into a parser and keeps what it
// parsed as text, which options.h makes into the structs of the verbs.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace geist::cli {

// kGoTest: every word that is no flag of the table, whatever it looks like; behind -args even
// those.
enum class Operands { kNone, kOne, kOptional, kMany, kCommand, kOptionalCommand, kGoTest };
// kCase: of geist lab; kAdvice: a word of geist advise, then a file.
enum class OperandKind { kProgram, kFile, kShell, kVerb, kCase, kAdvice, kNothing };
enum class FlagKind { kSwitch, kChoice, kNumber, kPercent, kText, kPath, kList };

struct Verb {
  std::string_view name;
  Operands operands;
  OperandKind operand_kind;
  std::string_view operand_text;
  std::string_view summary;
  std::string_view description;
  bool hidden;
};

struct Flag {
  std::string_view verb;
  std::string_view name;  // without the dashes
  char short_name;        // 0: none
  FlagKind kind;
  std::string_view value;    // "LEVEL"; empty for switches
  std::string_view choices;  // kChoice, kList: "a|b"; kNumber, kPercent: "0..255"
  std::string_view fallback;
  std::string_view help;
  bool takes_value() const { return kind != FlagKind::kSwitch; }
};

std::span<const Verb> all_verbs();
std::vector<Flag> flags_of(std::string_view verb);
const Verb* find_verb(std::string_view name);
// "a|b|c" → a, b, c.
std::vector<std::string> split_choices(std::string_view choices);

// The candidate with the smallest edit distance to `word`, if it is small enough to be a slip of
// the finger.
std::optional<std::string> find_nearest(std::string_view word,
                                        const std::vector<std::string>& candidates);

// A parsed command line: what was given, and nothing else.
class ParsedFlags {
 public:
  bool has(std::string_view flag) const { return values_.contains(std::string(flag)); }
  // Last value given, or the default of the table.
  std::string value(std::string_view flag) const;
  // A number that was checked against its range.
  i64 number(std::string_view flag) const;
  const std::vector<std::string>& list(std::string_view flag) const;

  std::string verb;
  std::vector<std::string> operands;
  bool wants_help = false;

 private:
  friend class FlagParser;
  std::map<std::string, std::vector<std::string>> values_;
};

// `arguments` is what stands behind the verb, `environment` the variable GEIST (empty: not set),
// which only `run` and `test` obey. Fails: unknown flag (names the nearest), missing or wrong
// value, operands that are missing or too many.
Result<ParsedFlags> parse_flags(const Verb& verb, const std::vector<std::string>& arguments,
                                std::string_view environment);

}  // namespace geist::cli
