// Completion scripts from the flag table. Each shell gets one script that knows every verb, its
// flags and the values a flag may have; behind `geist run PROGRAM` the shell completes as if the
// program had been typed alone.
//
// The scripts ask nothing of geist when they run, so completion works while a build is broken.
#include <fmt/format.h>

#include "cli/help.h"
#include "lab/case.h"

namespace geist::cli {
namespace {

std::vector<const Verb*> shown_verbs() {
  std::vector<const Verb*> verbs;
  for (const Verb& verb : all_verbs()) {
    if (!verb.hidden) verbs.push_back(&verb);
  }
  return verbs;
}

std::string verb_names() {
  std::string names;
  for (const Verb* verb : shown_verbs())
    names += fmt::format("{}{}", names.empty() ? "" : " ", verb->name);
  return names;
}

// Those that geist carries.
std::string case_names() {
  Result<std::vector<lab::Case>> cases = lab::embedded_cases();
  std::string names;
  if (!cases.ok()) return names;
  for (const lab::Case& one : cases.value())
    names += fmt::format("{}{}", names.empty() ? "" : " ", one.name);
  return names;
}

constexpr std::string_view kAdvices = "slices maps escape";

// First sentence or so, without what the three shells read as syntax.
std::string short_help(std::string_view help) {
  std::string text(help.substr(0, help.find_first_of(";.:(")));
  std::erase_if(text,
                [](char c) { return c == '\'' || c == '"' || c == '[' || c == ']' || c == '`'; });
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string bash_flags(const Verb& verb) {
  std::string words;
  for (const Flag& flag : flags_of(verb.name))
    words += fmt::format("--{}{} ", flag.name, flag.takes_value() ? "=" : "");
  return words + "--help";
}

std::string bash_operand(const Verb& verb) {
  switch (verb.operand_kind) {
    case OperandKind::kShell:
      return R"(COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur")))";
    case OperandKind::kVerb:
      return fmt::format(R"(COMPREPLY=($(compgen -W "{}" -- "$cur")))", verb_names());
    case OperandKind::kCase:
      return fmt::format(R"(COMPREPLY=($(compgen -W "{}" -- "$cur")))", case_names());
    case OperandKind::kAdvice:
      return fmt::format(
          R"(if ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W "{}" -- "$cur")); )"
          R"(else COMPREPLY=($(compgen -f -- "$cur")); fi)",
          kAdvices);
    case OperandKind::kNothing:
      return "COMPREPLY=()";
    case OperandKind::kProgram:
    case OperandKind::kFile:
      return R"(COMPREPLY=($(compgen -f -- "$cur")))";
  }
  return "";
}

std::string emit_bash() {
  std::string cases;
  std::string values;
  for (const Verb* verb : shown_verbs()) {
    cases += fmt::format(
        "    {})\n      flags=\"{}\"\n      [[ $cur == -* ]] || {{ {}; return; }}\n      ;;\n",
        verb->name, bash_flags(*verb), bash_operand(*verb));
    for (const Flag& flag : flags_of(verb->name)) {
      if (flag.kind == FlagKind::kChoice) {
        values +=
            fmt::format("    {}:--{}) COMPREPLY=($(compgen -W \"{}\" -- \"$value\")); return ;;\n",
                        verb->name, flag.name, fmt::join(split_choices(flag.choices), " "));
      } else if (flag.kind == FlagKind::kPath) {
        values += fmt::format("    {}:--{}) COMPREPLY=($(compgen -f -- \"$value\")); return ;;\n",
                              verb->name, flag.name);
      }
    }
  }
  return fmt::format(R"(# bash completion for geist; source <(geist completion bash)
_geist() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} verb=${{COMP_WORDS[1]}} flags="" flag value
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "{verbs} --version --help" -- "$cur") $(compgen -f -- "$cur"))
    return
  fi
  # "--flag=va" arrives as three words, because = breaks words.
  if [[ $cur == "=" ]]; then
    flag=${{COMP_WORDS[COMP_CWORD - 1]}} value=""
  elif [[ ${{COMP_WORDS[COMP_CWORD - 1]}} == "=" ]]; then
    flag=${{COMP_WORDS[COMP_CWORD - 2]}} value=$cur
  fi
  case $verb:$flag in
{values}  esac
  case $verb in
{cases}  esac
  COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  [[ ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace
}}
complete -o filenames -F _geist geist
)",
                     fmt::arg("verbs", verb_names()), fmt::arg("values", values),
                     fmt::arg("cases", cases));
}

std::string zsh_operand(const Verb& verb) {
  switch (verb.operand_kind) {
    case OperandKind::kShell:
      return "'1:shell:(bash zsh fish)'";
    case OperandKind::kVerb:
      return fmt::format("'1:verb:({})'", verb_names());
    case OperandKind::kProgram:
      return verb.operands == Operands::kCommand || verb.operands == Operands::kOptionalCommand
                 ? "'1:program:_files' '*::argument:_files'"
                 : "'1:program:_files'";
    case OperandKind::kFile:
      return "'1:file:_files'";
    case OperandKind::kCase:
      return fmt::format("'1:case:({})'", case_names());
    case OperandKind::kAdvice:
      return fmt::format("'1:advice:({})' '*:file:_files'", kAdvices);
    case OperandKind::kNothing:
      return "";
  }
  return "";
}

std::string emit_zsh() {
  std::string verbs;
  std::string cases;
  for (const Verb* verb : shown_verbs()) {
    verbs += fmt::format("    '{}:{}'\n", verb->name, short_help(verb->summary));
    std::string specs;
    for (const Flag& flag : flags_of(verb->name)) {
      std::string action = flag.kind == FlagKind::kChoice
                               ? fmt::format(":({})", fmt::join(split_choices(flag.choices), " "))
                           : flag.kind == FlagKind::kPath ? std::string(":_files")
                                                          : std::string(": ");
      specs += fmt::format(" '--{}{}[{}]{}'", flag.name, flag.takes_value() ? "=" : "",
                           short_help(flag.help),
                           flag.takes_value() ? fmt::format(":{}{}", flag.value, action) : "");
    }
    cases += fmt::format("    {}) _arguments{} {} ;;\n", verb->name, specs, zsh_operand(*verb));
  }
  return fmt::format(R"(#compdef geist
# zsh completion for geist; save as _geist in a folder of fpath
_geist() {{
  local -a verbs
  verbs=(
{verbs}  )
  if ((CURRENT == 2)); then
    _describe verb verbs
    _files
    return
  fi
  local verb=$words[2]
  shift words
  ((CURRENT--))
  case $verb in
{cases}  esac
}}
_geist "$@"
)",
                     fmt::arg("verbs", verbs), fmt::arg("cases", cases));
}

std::string emit_fish() {
  std::string out = "# fish completion for geist; geist completion fish | source\n";
  for (const Verb* verb : shown_verbs()) {
    out += fmt::format("complete -c geist -n __fish_use_subcommand -a {} -d '{}'\n", verb->name,
                       short_help(verb->summary));
    std::string when = fmt::format("-n '__fish_seen_subcommand_from {}'", verb->name);
    for (const Flag& flag : flags_of(verb->name)) {
      out += fmt::format("complete -c geist {} -l {}", when, flag.name);
      if (flag.short_name != 0) out += fmt::format(" -s {}", flag.short_name);
      if (flag.takes_value()) out += flag.kind == FlagKind::kPath ? " -r -F" : " -x";
      if (flag.kind == FlagKind::kChoice)
        out += fmt::format(" -a '{}'", fmt::join(split_choices(flag.choices), " "));
      out += fmt::format(" -d '{}'\n", short_help(flag.help));
    }
    if (verb->operand_kind == OperandKind::kShell)
      out += fmt::format("complete -c geist {} -f -a 'bash zsh fish'\n", when);
    if (verb->operand_kind == OperandKind::kVerb)
      out += fmt::format("complete -c geist {} -f -a '{}'\n", when, verb_names());
    if (verb->operand_kind == OperandKind::kCase)
      out += fmt::format("complete -c geist {} -f -a '{}'\n", when, case_names());
    if (verb->operand_kind == OperandKind::kAdvice)
      out += fmt::format("complete -c geist {} -a '{}'\n", when, kAdvices);
    if (verb->operand_kind == OperandKind::kNothing)
      out += fmt::format("complete -c geist {} -f\n", when);
  }
  return out;
}

}  // namespace

Result<std::string> emit_completion(std::string_view shell) {
  if (shell == "bash") return emit_bash();
  if (shell == "zsh") return emit_zsh();
  if (shell == "fish") return emit_fish();
  return Error(fmt::format("expected bash, zsh or fish, found \"{}\"", shell));
}

}  // namespace geist::cli
