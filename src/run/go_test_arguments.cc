// go test reads its command line in two passes, and stops at -args; what stands behind belongs to
// the test binary. A flag has one dash or two, and its value behind '=' or in the next word.
// Source: cmd/go/internal/test/testflag.go.
#include "run/go_test_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace geist::run {
namespace {

// `go test` links with -s -w, which takes the names of variables; later flags win
// (cmd/go/internal/work/gc.go, ld).
constexpr std::string_view kKeepNames = "-s=0 -w=0";

// "-race=true" → "race"; empty for anything but a flag.
std::string flag_name(const std::string& word) {
  if (word.size() < 2 || word[0] != '-') return "";
  usize start = word[1] == '-' ? 2 : 1;
  return word.substr(start, word.find('=') - start);
}

std::optional<std::string> flag_value(const std::string& word) {
  usize equals = word.find('=');
  return equals == std::string::npos ? std::nullopt : std::optional(word.substr(equals + 1));
}

bool is_on(const std::string& word) {
  std::optional<std::string> value = flag_value(word);
  return !value || !(*value == "false" || *value == "0" || *value == "f" || *value == "F" ||
                     *value == "FALSE" || *value == "False");
}

std::optional<Error> refuse(const std::string& word) {
  std::string name = flag_name(word);
  for (const char* sanitizer : {"race", "msan", "asan"}) {
    if (name != sanitizer || !is_on(word)) continue;
    return Error(
               fmt::format("-{}: geist does not watch binaries that are built with it", sanitizer))
        .with_hint(
            fmt::format("Run both, one after the other: go test -{} and geist test.", sanitizer));
  }
  if (name == "exec") {
    return Error(
               "-exec: geist is what runs the test binaries, it cannot run another command in "
               "between")
        .with_hint("go test -exec 'CMD geist run --test' puts geist behind a command of your own.");
  }
  return std::nullopt;
}

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// As cmd/internal/quoted wants it: no escapes, so a word with both kinds of quotes cannot be said.
Result<std::string> quote(const std::string& word) {
  bool is_plain = !word.empty() && word.find_first_of(" \t\n\r'\"") == std::string::npos;
  if (is_plain) return word;
  for (char mark : {'\'', '"'}) {
    if (word.find(mark) == std::string::npos) return mark + word + mark;
  }
  return Error(fmt::format("{}: go cannot be told a command with both kinds of quotes", word));
}

// The user's -ldflags with ours in front. A value that begins with a package pattern ("main=-X
// ...") is left alone: ours stand in a flag of their own then, and hold for what the pattern does
// not match.
bool merge_ldflags(std::string& value) {
  bool has_pattern = !value.empty() && value[0] != '-' && value[0] != '\'' && value[0] != '"' &&
                     value.find('=') != std::string::npos;
  if (!has_pattern) value = fmt::format("{} {}", kKeepNames, value);
  return !has_pattern;
}

}  // namespace

Result<GoTestCommand> make_go_test_command(const std::vector<std::string>& words,
                                           const std::string& goflags,
                                           const std::vector<std::string>& exec_words) {
  GoTestCommand command;
  bool ours_is_in = false;
  for (const std::string& word : split_words(goflags)) {
    if (std::optional<Error> error = refuse(word)) return std::move(*error).in("GOFLAGS");
    ours_is_in = ours_is_in || flag_name(word) == "ldflags";
  }
  std::string exec;
  for (const std::string& word : exec_words) {
    GEIST_TRY(quoted, quote(word));
    exec += (exec.empty() ? "" : " ") + quoted;
  }
  auto end = std::find_if(words.begin(), words.end(),
                          [](const std::string& w) { return flag_name(w) == "args"; });
  std::vector<std::string> given(words.begin(), end);
  for (usize i = 0; i < given.size(); i++) {
    if (std::optional<Error> error = refuse(given[i])) return std::move(*error);
    std::string name = flag_name(given[i]);
    if (name == "c" && is_on(given[i])) command.runs_nothing = true;
    if (name != "ldflags") continue;
    if (flag_value(given[i])) {
      std::string value = *flag_value(given[i]);
      ours_is_in = merge_ldflags(value) || ours_is_in;
      given[i] = "-ldflags=" + value;
    } else if (i + 1 < given.size()) {
      ours_is_in = merge_ldflags(given[++i]) || ours_is_in;
    }
  }
  command.arguments = {"test"};
  // -C must be the first flag on a go command line.
  auto flags = given.begin();
  if (!given.empty() && flag_name(given.front()) == "C") {
    flags += flag_value(given.front()) ? 1 : std::min<i64>(2, static_cast<i64>(given.size()));
    command.arguments.insert(command.arguments.end(), given.begin(), flags);
  }
  if (!command.runs_nothing) command.arguments.push_back("-exec=" + exec);
  if (!ours_is_in) command.arguments.push_back(fmt::format("-ldflags={}", kKeepNames));
  command.arguments.insert(command.arguments.end(), flags, given.end());
  command.arguments.insert(command.arguments.end(), end, words.end());
  return command;
}

}  // namespace geist::run
