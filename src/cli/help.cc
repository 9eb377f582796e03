// Help and manual pages from the flag table. Both say the same words; only the dress differs: help
// wraps at 80 columns for a terminal, a manual page is Markdown with one paragraph a flag.
#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exit_code.h"
#include "read/go/layout.h"

namespace geist::cli {
namespace {

constexpr usize kWidth = 80;
constexpr usize kFlagColumn = 26;

struct ExitRow {
  ExitCode code;
  std::string_view when;
};
constexpr ExitRow kExits[] = {
#define GEIST_EXIT(name, code, when) {ExitCode::k##name, when},
#include "cli/exit_codes.inc"
#undef GEIST_EXIT
};

constexpr std::string_view kAbout =
    "geist finds ghost bugs in Go programs that nobody rebuilt: values that change although no "
    "statement near them "
    "writes them, because two slices share one array. It works on the binary as it is.";

constexpr std::string_view kEnvironment =
    "GEIST holds defaults for `geist run`, as GORACE does for the race detector: words of "
    "key=value, separated by spaces. "
    "A flag on the command line wins.";

// Words of `text`, wrapped; every line but the first begins with `indent` spaces. The first one is
// taken to be there.
std::string wrap(std::string_view text, usize indent) {
  std::string out;
  usize column = indent;
  for (usize start = 0; start < text.size();) {
    if (text[start] == '\n') {
      out += '\n';
      if (start + 1 < text.size() && text[start + 1] != '\n') out += std::string(indent, ' ');
      column = indent;
      start++;
      continue;
    }
    usize end = std::min(text.find_first_of(" \n", start), text.size());
    std::string_view word = text.substr(start, end - start);
    bool is_first = out.empty() || column == indent;
    if (!is_first && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
      is_first = true;
    }
    out += is_first ? std::string(word) : " " + std::string(word);
    column += word.size() + (is_first ? 0 : 1);
    start = end < text.size() && text[end] == ' ' ? end + 1 : end;
  }
  return out;
}

std::string synopsis(const Verb& verb) {
  return fmt::format("geist {}{}{}", verb.name, verb.operand_text.empty() ? "" : " ",
                     verb.operand_text);
}

std::string flag_name(const Flag& flag) {
  std::string name = flag.short_name != 0 ? fmt::format("-{}, --{}", flag.short_name, flag.name)
                                          : fmt::format("--{}", flag.name);
  if (flag.takes_value()) name += fmt::format("={}", flag.value);
  return name;
}

std::string flag_text(const Flag& flag) {
  std::string text;
  std::vector<std::string> choices = split_choices(flag.choices);
  if (flag.kind == FlagKind::kChoice) text += fmt::format("{}: ", fmt::join(choices, ", "));
  text += flag.help;
  if (!flag.fallback.empty()) text += fmt::format(" (default {})", flag.fallback);
  return text;
}

std::string flag_rows(const Verb& verb) {
  std::string out;
  for (const Flag& flag : flags_of(verb.name)) {
    std::string name = "  " + flag_name(flag);
    out += name + (name.size() + 2 > kFlagColumn ? "\n" + std::string(kFlagColumn, ' ')
                                                 : std::string(kFlagColumn - name.size(), ' '));
    out += wrap(flag_text(flag), kFlagColumn) + "\n";
  }
  return out;
}

std::string environment_keys() {
  std::string keys;
#define GEIST_ENV(key, flag) keys += keys.empty() ? key : ", " key;
#include "cli/environment.inc"
#undef GEIST_ENV
  return keys;
}

// Only `run` has exit statuses of its own beside the general ones.
std::string exit_manual(bool for_run) {
  std::string out = "## EXIT STATUS\n\n";
  if (for_run) out += "`geist run` gives the exit status of the program, unless:\n\n";
  for (const ExitRow& row : kExits) {
    bool is_general = row.code <= ExitCode::kOurBug;
    bool is_of_other_verbs = row.code == ExitCode::kOk || row.code == ExitCode::kFound;
    if (for_run ? is_of_other_verbs : !is_general) continue;
    out += fmt::format("- **{}** {}\n", to_int(row.code), row.when);
  }
  return out;
}

}  // namespace

std::string emit_overview() {
  std::string out = wrap(kAbout, 0) + "\n\n";
  out += "  geist run [flags] -- ./prog args...   or just   geist ./prog args...\n\n";
  for (const Verb& verb : all_verbs()) {
    if (!verb.hidden) out += fmt::format("  {:<12}{}\n", verb.name, wrap(verb.summary, 14));
  }
  out += "\nMore: geist help VERB. Version: geist --version.\n";
  return out;
}

std::string emit_verb_help(const Verb& verb) {
  std::string out = fmt::format("{}\n\n{}\n", synopsis(verb), wrap(verb.description, 0));
  if (std::string rows = flag_rows(verb); !rows.empty()) out += "\nFlags:\n" + rows;
  if (verb.name == "run") {
    out += "\nEnvironment:\n  " +
           wrap(fmt::format("{} Keys: {}.", kEnvironment, environment_keys()), 2) + "\n";
    out += "\nExit status: the program's own, or\n";
    for (const ExitRow& row : kExits) {
      if (row.code != ExitCode::kOk && row.code != ExitCode::kFound)
        out += fmt::format("  {:<5}{}\n", to_int(row.code), wrap(row.when, 7));
    }
  }
  return out;
}

std::string emit_overview_manual() {
  std::string out =
      "# geist(1)\n\n## NAME\n\ngeist - finds ghost bugs in Go binaries\n\n## SYNOPSIS\n\n";
  out += "    geist PROGRAM [ARG...]\n";
  for (const Verb& verb : all_verbs()) {
    if (!verb.hidden) out += fmt::format("    {}\n", synopsis(verb));
  }
  out += fmt::format(
      "    geist --version\n\n## DESCRIPTION\n\n{}\n\nSupported: {}, linux on x86-64.\n\n## "
      "VERBS\n\n",
      kAbout, read::supported_releases());
  for (const Verb& verb : all_verbs()) {
    if (!verb.hidden)
      out += fmt::format("- [geist-{0}(1)](geist-{0}.1.md) {1}\n", verb.name, verb.summary);
  }
  return out;
}

std::string emit_verb_manual(const Verb& verb) {
  std::string out = fmt::format("# geist-{}(1)\n\n## NAME\n\ngeist {} - {}\n\n", verb.name,
                                verb.name, verb.summary);
  out += fmt::format("## SYNOPSIS\n\n    {}\n\n## DESCRIPTION\n\n{}\n", synopsis(verb),
                     verb.description);
  std::vector<Flag> flags = flags_of(verb.name);
  if (!flags.empty()) out += "\n## FLAGS\n";
  for (const Flag& flag : flags)
    out += fmt::format("\n**{}**\n: {}\n", flag_name(flag), flag_text(flag));
  if (verb.name == "run") {
    out += fmt::format(
        "\n## ENVIRONMENT\n\n{} Keys: {}.\n\n    GEIST='level=suspect report=json:geist.json' "
        "geist run ./prog\n",
        kEnvironment, environment_keys());
  }
  out += "\n" + exit_manual(verb.name == "run");
  return out + "\n## SEE ALSO\n\n[geist(1)](geist.1.md)\n";
}

}  // namespace geist::cli
