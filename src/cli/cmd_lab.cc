// geist lab: which cases; built and run by each Go release that was asked for; told.
#include "cli/cmd_lab.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/system_error.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/print.h"
#include "lab/report.h"

namespace geist::cli {
namespace {

bool is_release(const std::string& word) {
  return word.starts_with("1.") && word.size() <= 12 &&
         std::ranges::all_of(word, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

std::vector<std::string> split_releases(const std::string& text) {
  std::vector<std::string> words;
  for (usize at = 0; at <= text.size();) {
    usize end = std::min(text.find(',', at), text.size());
    std::string word = text.substr(at, end - at);
    words.push_back(word.starts_with("go") ? word.substr(2) : word);
    at = end + 1;
  }
  return words;
}

Result<std::vector<const lab::Case*>> choose(const std::vector<lab::Case>& cases,
                                             const LabOptions& options) {
  std::vector<const lab::Case*> chosen;
  std::vector<std::string> names;
  for (const lab::Case& one : cases) {
    names.push_back(one.name);
    if (options.all || one.name == options.name) chosen.push_back(&one);
  }
  if (!chosen.empty()) return chosen;
  auto nearest = find_nearest(options.name, names);
  return Error(fmt::format("the lab has no case \"{}\"", options.name))
      .with_hint(nearest ? fmt::format("Did you mean {}?", *nearest) : "geist lab lists them.");
}

// For what takes minutes; only where somebody looks.
void say_progress(const std::string& what) {
  if (::isatty(STDERR_FILENO) == 1) say("geist: " + what + "\n");
}

Result<lab::ReleaseRun> run_cases(const std::vector<const lab::Case*>& cases,
                                  const std::string& release, const run::ChildSignals& signals) {
  const auto begin = std::chrono::steady_clock::now();
  GEIST_TRY(shop, lab::Workshop::open(release.empty() ? "" : "go" + release, signals));
  lab::ReleaseRun run{shop.go(), shop.minor(), {}, 0};
  say_progress(fmt::format("building {} with {}", cases.size() == 1 ? cases[0]->name : "all cases",
                           shop.go()));
  GEIST_TRY_STATUS(shop.build(cases));
  for (const lab::Case* one : cases) {
    say_progress(fmt::format("{} ({} of {})", one->name, run.results.size() + 1, cases.size()));
    GEIST_TRY(result, shop.run(*one));
    // Of one case there is nothing else to tell.
    if (cases.size() == 1 && !result.broken.empty())
      return Error(result.broken).in(one->name + " under " + shop.go());
    run.results.push_back(std::move(result));
  }
  run.wall_ms = static_cast<u64>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::steady_clock::now() - begin)
                                     .count());
  return run;
}

std::string command_of(const LabOptions& options) {
  std::string command = "geist lab " + (options.all ? std::string("--all") : options.name);
  if (!options.releases.empty())
    command += fmt::format(" --go={}", fmt::join(options.releases, ","));
  return command + " --markdown";
}

int tell(const lab::LabReport& report, const LabOptions& options) {
  bool written = true;
  if (options.json)
    written = print_data(emit_lab_json(report));
  else if (options.markdown)
    written = print_data(emit_lab_markdown(report, command_of(options)));
  else
    written = print_out(printable_lines(
        options.all ? emit_table(report, options.color) : emit_case(report, options.color),
        options.color));
  if (!written) return fail(Error("stdout: cannot be written", ErrorKind::kSystem));
  return to_int(count_verdicts(report).undecided == 0 ? ExitCode::kOk : ExitCode::kFound);
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Status write_page(File page, const std::string& path, const lab::LabReport& report) {
  bool written = write_all(emit_lab_html(report), page.get());
  if (std::fclose(page.release()) != 0 || !written) return system_error(path);
  return Done{};
}

int list(const std::vector<lab::Case>& cases, bool as_json) {
  bool written =
      as_json ? print_data(emit_list_json(cases)) : print_out(printable_lines(emit_list(cases)));
  return written ? to_int(ExitCode::kOk)
                 : fail(Error("stdout: cannot be written", ErrorKind::kSystem));
}

}  // namespace

Result<LabOptions> make_lab_options(const ParsedFlags& parsed) {
  LabOptions options;
  options.name = parsed.operands.empty() ? "" : parsed.operands.front();
  options.all = parsed.has("all");
  options.json = parsed.has("json");
  options.markdown = parsed.has("markdown");
  options.html = parsed.value("html");
  options.cases = parsed.value("cases");
  options.color = wants_color(color_mode(parsed), STDOUT_FILENO);
  if (options.all && !options.name.empty())
    return Error(fmt::format("--all and \"{}\": one or the other", options.name));
  if (options.json && options.markdown) return Error("--json and --markdown: one or the other");
  const bool runs = options.all || !options.name.empty();
  for (const char* flag : {"markdown", "html", "go"}) {
    if (parsed.has(flag) && !runs) return Error(fmt::format("--{} needs a case or --all", flag));
  }
  if (!parsed.has("go")) return options;
  options.releases = split_releases(parsed.value("go"));
  for (const std::string& release : options.releases) {
    if (!is_release(release))
      return Error(fmt::format("--go: \"{}\" is no release of Go, such as 1.26.8", release));
  }
  return options;
}

int cmd_lab(const LabOptions& options) {
  // The cases, and the file of the page. Both fail before anything is built.
  Result<std::vector<lab::Case>> cases =
      options.cases.empty() ? lab::embedded_cases() : lab::read_cases(options.cases);
  if (!cases.ok()) return fail(cases.error());
  if (!options.all && options.name.empty()) return list(cases.value(), options.json);
  Result<std::vector<const lab::Case*>> chosen = choose(cases.value(), options);
  if (!chosen.ok()) return fail(chosen.error());
  File page(nullptr, &std::fclose);
  if (!options.html.empty()) {
    page.reset(std::fopen(options.html.c_str(), "we"));
    if (!page) return fail(system_error(options.html));
  }

  // Run. A signal ends what runs and leaves no folder behind.
  Result<run::ChildSignals> signals = run::ChildSignals::block();
  if (!signals.ok()) return fail(signals.error());
  signals->child_started();
  lab::LabReport report;
  report.cases = chosen.value();
  report.processors = std::thread::hardware_concurrency();
  if (::getloadavg(&report.load, 1) != 1) report.load = 0;
  std::vector<std::string> releases = options.releases;
  if (releases.empty()) releases.emplace_back();
  for (const std::string& release : releases) {
    Result<lab::ReleaseRun> run = run_cases(report.cases, release, signals.value());
    if (!run.ok()) return fail(run.error());
    report.runs.push_back(std::move(run).value());
  }

  // Tell.
  if (page) {
    Status status = write_page(std::move(page), options.html, report);
    if (!status.ok()) return fail(status.error());
  }
  return tell(report, options);
}

}  // namespace geist::cli
