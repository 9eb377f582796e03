// geist: which verb, then that verb. Everything before a verb's own file is here: finding the verb,
// help, version, and what happens when geist itself is wrong.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "cli/cmd_doctor.h"
#include "cli/cmd_dump.h"
#include "cli/cmd_lab.h"
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

int run_verb(const ParsedFlags& parsed) {
  if (parsed.verb == "run" && parsed.has("prove")) {
    Result<ProveOptions> options = make_prove_options_of_run(parsed);
    return options.ok() ? cmd_prove(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "run" && parsed.has("no-judge")) {
    Result<HealOptions> options = make_heal_options_of_run(parsed);
    return options.ok() ? cmd_heal(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "shake") {
    Result<ShakeOptions> options = make_shake_options(parsed);
    return options.ok() ? cmd_shake(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "prove") {
    Result<ProveOptions> options = make_prove_options(parsed);
    return options.ok() ? cmd_prove(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "run") {
    Result<RunOptions> options = make_run_options(parsed);
    return options.ok() ? cmd_run(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "heal") {
    Result<HealOptions> options = make_heal_options(parsed);
    return options.ok() ? cmd_heal(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "attach") {
    Result<AttachOptions> options = make_attach_options(parsed);
    return options.ok() ? cmd_attach(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "test") {
    Result<TestOptions> options = make_test_options(parsed);
    return options.ok() ? cmd_test(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "sites") {
    Result<SitesOptions> options = make_sites_options(parsed);
    return options.ok() ? cmd_sites(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "snap") {
    Result<SnapOptions> options = make_snap_options(parsed);
    return options.ok() ? cmd_snap(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "report") {
    Result<ReportOptions> options = make_report_options(parsed);
    return options.ok() ? cmd_report(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "pprof") {
    Result<PprofOptions> options = make_pprof_options(parsed);
    return options.ok() ? cmd_pprof(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "lab") {
    Result<LabOptions> options = make_lab_options(parsed);
    return options.ok() ? cmd_lab(options.value()) : fail_usage(options.error(), parsed.verb);
  }
  if (parsed.verb == "doctor") return cmd_doctor(wants_color(color_mode(parsed), STDOUT_FILENO));
  if (parsed.verb == "completion") return cmd_completion(parsed);
  if (parsed.verb == "help") return cmd_help(parsed);
  GEIST_CHECK(parsed.verb == "dump");
  return cmd_dump(parsed.operands);
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
