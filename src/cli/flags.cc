// The parser that the table makes.
//
// A command line is cut into the flags of the verb and the operands, which for `run` include
// everything from the program's name on, whatever it looks like. Cutting needs the table only (does
// this flag take the next word?), and it is where an unknown flag is met, so that is where the
// nearest known one is named. Once all is cut, values are checked in the order of the table. Values
// from the variable GEIST go in front of those, so that the command line wins.
#include "cli/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/check.h"

namespace geist::cli {
namespace {

constexpr std::array kVerbs = {
#define GEIST_FLAG(...)
#define GEIST_VERB(name, operands, kind, text, summary, description) \
  Verb{name, Operands::operands, OperandKind::kind, text, summary, description, false},
#define GEIST_HIDDEN_VERB(name, operands, kind, text, summary, description) \
  Verb{name, Operands::operands, OperandKind::kind, text, summary, description, true},
#include "cli/flags.inc"
#undef GEIST_VERB
#undef GEIST_HIDDEN_VERB
#undef GEIST_FLAG
};

constexpr std::array kFlags = {
#define GEIST_VERB(...)
#define GEIST_HIDDEN_VERB(...)
#define GEIST_FLAG(verb, name, short_name, kind, value, choices, fallback, help) \
  Flag{verb, name, short_name, FlagKind::kind, value, choices, fallback, help},
#include "cli/flags.inc"
#undef GEIST_VERB
#undef GEIST_HIDDEN_VERB
#undef GEIST_FLAG
};

struct EnvironmentKey {
  std::string_view key;
  std::string_view flag;
};
constexpr std::array kEnvironment = {
#define GEIST_ENV(key, flag) EnvironmentKey{key, flag},
#include "cli/environment.inc"
#undef GEIST_ENV
};

usize edit_distance(std::string_view a, std::string_view b) {
  std::vector<usize> row(b.size() + 1);
  for (usize j = 0; j <= b.size(); j++) row[j] = j;
  for (usize i = 1; i <= a.size(); i++) {
    usize diagonal = row[0];
    row[0] = i;
    for (usize j = 1; j <= b.size(); j++) {
      usize substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

std::string join_choices(std::string_view choices) {
  std::vector<std::string> list = split_choices(choices);
  std::string out;
  for (usize i = 0; i < list.size(); i++) {
    if (i > 0) out += i + 1 == list.size() ? " or " : ", ";
    out += list[i];
  }
  return out;
}

std::optional<i64> parse_number(std::string_view text) {
  i64 number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// "2%" is 2.
std::string_view without_percent(std::string_view text) {
  return text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
}

Status check_number(const Flag& flag, const std::string& shown, const std::string& value) {
  usize dots = flag.choices.find("..");
  GEIST_CHECK(dots != std::string_view::npos);
  i64 low = parse_number(flag.choices.substr(0, dots)).value_or(0);
  i64 high = parse_number(flag.choices.substr(dots + 2)).value_or(0);
  std::optional<i64> number =
      parse_number(flag.kind == FlagKind::kPercent ? without_percent(value) : value);
  if (!number || *number < low || *number > high) {
    return Error(
        fmt::format("{}: expected a number from {} to {}, found \"{}\"", shown, low, high, value));
  }
  return Done{};
}

// `shown` is how the user wrote the flag: "--level" or "GEIST: level".
Status check_value(const Flag& flag, const std::string& shown, const std::string& value) {
  if (flag.kind == FlagKind::kNumber || flag.kind == FlagKind::kPercent)
    return check_number(flag, shown, value);
  if (flag.kind == FlagKind::kChoice) {
    std::vector<std::string> choices = split_choices(flag.choices);
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
      auto error = Error(
          fmt::format("{}: expected {}, found \"{}\"", shown, join_choices(flag.choices), value));
      if (auto nearest = find_nearest(value, choices))
        return std::move(error).with_hint(fmt::format("Did you mean {}={}?", shown, *nearest));
      return error;
    }
  }
  if (value.empty()) return Error(fmt::format("{}: the value is empty", shown));
  return Done{};
}

}  // namespace

std::span<const Verb> all_verbs() {
  return kVerbs;
}

std::vector<Flag> flags_of(std::string_view verb) {
  std::vector<Flag> flags;
  std::copy_if(kFlags.begin(), kFlags.end(), std::back_inserter(flags),
               [&](const Flag& flag) { return flag.verb == verb; });
  return flags;
}

const Verb* find_verb(std::string_view name) {
  auto it = std::find_if(kVerbs.begin(), kVerbs.end(),
                         [&](const Verb& verb) { return verb.name == name; });
  return it == kVerbs.end() ? nullptr : &*it;
}

std::vector<std::string> split_choices(std::string_view choices) {
  std::vector<std::string> list;
  for (usize start = 0; start < choices.size();) {
    usize end = std::min(choices.find('|', start), choices.size());
    list.emplace_back(choices.substr(start, end - start));
    start = end + 1;
  }
  return list;
}

std::optional<std::string> find_nearest(std::string_view word,
                                        const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  usize best_distance =
      std::max<usize>(word.size(), 3) / 3 + 1;  // one more than a third of the word is another word
  for (const std::string& candidate : candidates) {
    usize distance = edit_distance(word, candidate);
    // Names are also cut short: "--assume" is meant for "--assume-go".
    if (word.size() >= 3) {
      distance = std::min(distance, edit_distance(word, candidate.substr(0, word.size())) + 1);
    }
    if (distance < best_distance || (distance == best_distance && !best)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string ParsedFlags::value(std::string_view flag) const {
  if (auto it = values_.find(std::string(flag)); it != values_.end() && !it->second.empty())
    return it->second.back();
  std::vector<Flag> rows = flags_of(verb);
  auto row = std::find_if(rows.begin(), rows.end(), [&](const Flag& f) { return f.name == flag; });
  GEIST_CHECK(row != rows.end());
  return std::string(row->fallback);
}

i64 ParsedFlags::number(std::string_view flag) const {
  std::optional<i64> number = parse_number(without_percent(value(flag)));
  GEIST_CHECK(number.has_value());
  return *number;
}

const std::vector<std::string>& ParsedFlags::list(std::string_view flag) const {
  static const std::vector<std::string> kEmpty;
  auto it = values_.find(std::string(flag));
  return it == values_.end() ? kEmpty : it->second;
}

class FlagParser {
 public:
  FlagParser(const Verb& verb, ParsedFlags* parsed)
      : verb_(verb), flags_(flags_of(verb.name)), parsed_(parsed) {
    parsed_->verb = std::string(verb.name);
  }

  // "key=value key=value"; later than these come the flags.
  Status take_environment(std::string_view text) {
    constexpr std::string_view kSpace = " \t\n";
    for (usize start = text.find_first_not_of(kSpace); start != std::string_view::npos;) {
      usize end = std::min(text.find_first_of(kSpace, start), text.size());
      GEIST_TRY_STATUS(take_environment_word(text.substr(start, end - start)));
      start = text.find_first_not_of(kSpace, end);
    }
    return Done{};
  }

  Status take_arguments(const std::vector<std::string>& arguments) {
    GEIST_TRY_STATUS(cut(arguments));
    if (parsed_->wants_help) return Done{};
    for (const Flag& flag : flags_) {
      for (const std::string& value : given_[std::string(flag.name)]) {
        GEIST_TRY_STATUS(check_value(flag, fmt::format("--{}", flag.name), value));
        parsed_->values_[std::string(flag.name)].push_back(value);
      }
    }
    return check_operands();
  }

 private:
  Status take_environment_word(std::string_view word) {
    usize equals = word.find('=');
    std::string key(word.substr(0, equals));
    std::vector<std::string> known;
    for (const EnvironmentKey& row : kEnvironment) {
      known.emplace_back(row.key);
      if (row.key != key) continue;
      std::string shown = "GEIST: " + key;
      if (equals == std::string_view::npos) return Error(shown + ": expected " + key + "=value");
      std::string value(word.substr(equals + 1));
      auto flag = std::find_if(flags_.begin(), flags_.end(),
                               [&](const Flag& f) { return f.name == row.flag; });
      GEIST_CHECK(flag != flags_.end());
      GEIST_TRY_STATUS(check_value(*flag, shown, value));
      parsed_->values_[std::string(flag->name)].push_back(value);
      return Done{};
    }
    Error error(fmt::format("GEIST: unknown key \"{}\"", key));
    if (auto nearest = find_nearest(key, known))
      return std::move(error).with_hint(fmt::format("Did you mean {}=?", *nearest));
    return std::move(error).with_hint(fmt::format("Known keys: {}", fmt::join(known, ", ")));
  }

  bool is_command() const {
    return verb_.operands == Operands::kCommand || verb_.operands == Operands::kOptionalCommand;
  }

  const Flag* find_flag(std::string_view word) const {
    for (const Flag& flag : flags_) {
      bool is_long = word.starts_with("--") && word.substr(2) == flag.name;
      bool is_short =
          flag.short_name != 0 && word.size() == 2 && word[0] == '-' && word[1] == flag.short_name;
      if (is_long || is_short) return &flag;
    }
    return nullptr;
  }

  Error unknown_flag(const std::string& name) const {
    std::vector<std::string> known = {"help"};
    for (const Flag& flag : flags_) known.emplace_back(flag.name);
    usize dashes = std::min(name.find_first_not_of('-'), name.size());
    Error error(fmt::format("unknown flag {}", name));
    if (auto nearest = find_nearest(name.substr(dashes), known))
      return std::move(error).with_hint(fmt::format("Did you mean --{}?", *nearest));
    return error;
  }

  // Splits into the values of flags (given_) and operands.
  Status cut(const std::vector<std::string>& arguments) {
    bool only_operands = false;
    const bool for_go = verb_.operands == Operands::kGoTest;
    for (usize i = 0; i < arguments.size(); i++) {
      const std::string& word = arguments[i];
      bool is_operand = only_operands || word.size() < 2 || word[0] != '-';
      if (is_operand) {
        parsed_->operands.push_back(word);
        only_operands = only_operands || is_command();
        continue;
      }
      if (word == "--" && !for_go) {
        only_operands = true;
        continue;
      }
      if (word == "--help" || word == "-h") {
        parsed_->wants_help = true;
        continue;
      }
      // Go's own flags have one dash: "-level=x" is read as "--level=x".
      usize equals = word.find('=');
      std::string name = word.substr(0, equals);
      const Flag* flag = find_flag(name);
      // `geist test -v` is go's: there, geist's flags have two.
      if (flag == nullptr && !for_go && name.size() > 2 && name[1] != '-')
        flag = find_flag("-" + name);
      if (flag == nullptr && for_go) {
        parsed_->operands.push_back(word);
        only_operands = name == "-args" || name == "--args";
        continue;
      }
      if (flag == nullptr) return unknown_flag(name);
      GEIST_TRY_STATUS(take_flag(*flag, arguments, &i));
    }
    return Done{};
  }

  // arguments[*at] is the flag, perhaps with its value; *at is left at the last word that belongs to it.
  Status take_flag(const Flag& flag, const std::vector<std::string>& arguments, usize* at) {
    const std::string& word = arguments[*at];
    const usize equals = word.find('=');
    std::string canonical = fmt::format("--{}", flag.name);
    std::vector<std::string>& values = given_[std::string(flag.name)];
    if (!flag.takes_value()) {
      if (equals != std::string::npos) return Error(fmt::format("{} takes no value", canonical));
      values.assign(1, "true");
      return Done{};
    }
    if (equals == std::string::npos && *at + 1 == arguments.size())
      return Error(fmt::format("{} needs a value: {}={}", canonical, canonical, flag.value));
    std::string value = equals == std::string::npos ? arguments[++*at] : word.substr(equals + 1);
    if (value.empty()) return Error(fmt::format("{}: the value is empty", canonical));
    values.push_back(std::move(value));
    return Done{};
  }

  Status check_operands() const {
    usize count = parsed_->operands.size();
    bool is_missing = count == 0 && verb_.operands != Operands::kNone &&
                      verb_.operands != Operands::kOptional &&
                      verb_.operands != Operands::kOptionalCommand;
    if (is_missing)
      return Error(
          fmt::format("what to work on is missing: geist {} {}", verb_.name, verb_.operand_text));
    bool is_any =
        is_command() || verb_.operands == Operands::kMany || verb_.operands == Operands::kGoTest;
    usize most = verb_.operands == Operands::kNone ? 0 : is_any ? count : 1;
    if (count > most)
      return Error(fmt::format("unexpected \"{}\": geist {} {}", parsed_->operands[most],
                               verb_.name, verb_.operand_text));
    return Done{};
  }

  const Verb& verb_;
  std::vector<Flag> flags_;
  ParsedFlags* parsed_;
  std::map<std::string, std::vector<std::string>> given_;
};

Result<ParsedFlags> parse_flags(const Verb& verb, const std::vector<std::string>& arguments,
                                std::string_view environment) {
  ParsedFlags parsed;
  FlagParser parser(verb, &parsed);
  if (verb.name == "run" || verb.name == "test")
    GEIST_TRY_STATUS(parser.take_environment(environment));
  GEIST_TRY_STATUS(parser.take_arguments(arguments));
  return parsed;
}

}  // namespace geist::cli
