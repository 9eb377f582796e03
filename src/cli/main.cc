// geist: which verb, then that verb. Everything before a verb's own file is here: finding the verb,
// help, version, and what happens when geist itself is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "cli/cmd_advise.h"
#include "cli/cmd_doctor.h"
#include "cli/cmd_dump.h"
#include "cli/cmd_lab.h"
#include "cli/cmd_locate.h"
#include "cli/cmd_pprof.h"
#include "cli/cmd_snap.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/print.h"
#include "read/go/layout.h"
#include "run/program_path.h"

namespace geist::cli {
namespace {

[[noreturn]] void on_our_bug(const char* condition, const char* file, int line) {
  const char* slash = std::strrchr(file, '/');
  print_err(printable_lines(
      fmt::format("geist: this is a bug of geist {}: {} does not hold ({}:{})\n"
                  "  Please report it with the command and, if you can, the binary. The program "
                  "itself was not at fault.\n",
                  GEIST_VERSION, condition, slash == nullptr ? file : slash + 1, line)));
  std::_Exit(to_int(ExitCode::kOurBug));
}

int show(const std::string& text) {
  return print_out(printable_lines(text)) ? to_int(ExitCode::kOk) : to_int(ExitCode::kBadInput);
}

int cmd_help(const ParsedFlags& parsed) {
  bool as_manual = parsed.has("man");
  if (parsed.operands.empty()) return show(as_manual ? emit_overview_manual() : emit_overview());
  const std::string& name = parsed.operands.front();
  const Verb* verb = find_verb(name);
  if (verb != nullptr) return show(as_manual ? emit_verb_manual(*verb) : emit_verb_help(*verb));
  std::vector<std::string> names;
  for (const Verb& known : all_verbs()) names.emplace_back(known.name);
  auto nearest = find_nearest(name, names);
  std::string hint = nearest ? fmt::format("Did you mean {}?", *nearest) : "";
  return fail_usage(Error(fmt::format("no verb \"{}\"", name)).with_hint(hint), "");
}

int cmd_completion(const ParsedFlags& parsed) {
  Result<std::string> script = emit_completion(parsed.operands.front());
  if (!script.ok()) return fail_usage(script.error(), parsed.verb);
  return print_data(script.value()) ? to_int(ExitCode::kOk) : to_int(ExitCode::kBadInput);
}

// A verb whose flags become a struct of its own first.
template <auto kMakeOptions, auto kCommand>
int run_with(const ParsedFlags& parsed) {
  auto options = kMakeOptions(parsed);
  return options.ok() ? kCommand(options.value()) : fail_usage(options.error(), parsed.verb);
}

int run_run(const ParsedFlags& parsed) {
  if (parsed.has("prove")) return run_with<make_prove_options_of_run, cmd_prove>(parsed);
  if (parsed.has("no-judge")) return run_with<make_heal_options_of_run, cmd_heal>(parsed);
  return run_with<make_run_options, cmd_run>(parsed);
}

struct VerbCode {
  std::string_view name;
  int (*run)(const ParsedFlags& parsed);
};
// One for each row of flags.inc.
constexpr VerbCode kVerbs[] = {
    {"run", run_run},
    {"test", run_with<make_test_options, cmd_test>},
    {"attach", run_with<make_attach_options, cmd_attach>},
    {"heal", run_with<make_heal_options, cmd_heal>},
    {"prove", run_with<make_prove_options, cmd_prove>},
    {"shake", run_with<make_shake_options, cmd_shake>},
    {"sites", run_with<make_sites_options, cmd_sites>},
    {"snap", run_with<make_snap_options, cmd_snap>},
    {"report", run_with<make_report_options, cmd_report>},
    {"pprof", run_with<make_pprof_options, cmd_pprof>},
    {"advise", run_with<make_advise_options, cmd_advise>},
    {"lab", run_with<make_lab_options, cmd_lab>},
    {"locate", run_with<make_locate_options, cmd_locate>},
    {"doctor",
     [](const ParsedFlags& parsed) {
       return cmd_doctor(wants_color(color_mode(parsed), STDOUT_FILENO));
     }},
    {"completion", cmd_completion},
    {"help", cmd_help},
    {"dump", [](const ParsedFlags& parsed) { return cmd_dump(parsed.operands); }},
};

int run_verb(const ParsedFlags& parsed) {
  const auto* verb = std::ranges::find(kVerbs, std::string_view(parsed.verb), &VerbCode::name);
  GEIST_CHECK(verb != std::end(kVerbs));
  return verb->run(parsed);
}

// A first word that is neither a verb nor a program is most likely a verb with a typo.
std::optional<std::string> find_meant_verb(const std::string& word) {
  if (word.empty() || word[0] == '-' || word.find('/') != std::string::npos ||
      run::program_exists(word))
    return std::nullopt;
  std::vector<std::string> names;
  for (const Verb& verb : all_verbs()) {
    if (!verb.hidden) names.emplace_back(verb.name);
  }
  return find_nearest(word, names);
}

int run_command_line(std::vector<std::string> arguments) {
  if (arguments.empty()) {
    print_err(printable_lines(emit_overview()));
    return to_int(ExitCode::kUsage);
  }
  const std::string first = arguments.front();
  if (first == "--help" || first == "-h") return show(emit_overview());
  if (first == "--version" || first == "-V") {
    return show(
        fmt::format("geist {} ({}, linux/amd64)\n", GEIST_VERSION, read::supported_releases()));
  }
  const Verb* verb = find_verb(first);
  if (verb != nullptr) {
    arguments.erase(arguments.begin());
  } else if (auto meant = find_meant_verb(first)) {
    return fail_usage(Error(fmt::format("\"{}\" is neither a verb nor a program", first))
                          .with_hint(fmt::format("Did you mean geist {}?", *meant)),
                      "");
  } else {
    verb = find_verb("run");
  }
  const char* environment = std::getenv("GEIST");
  Result<ParsedFlags> parsed =
      parse_flags(*verb, arguments, environment == nullptr ? "" : environment);
  if (!parsed.ok()) return fail_usage(parsed.error(), verb->name);
  if (parsed->wants_help) return show(emit_verb_help(*verb));
  return run_verb(parsed.value());
}

}  // namespace
}  // namespace geist::cli

int main(int argc, char** argv) {
  geist::set_check_handler(geist::cli::on_our_bug);
  return geist::cli::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
}
