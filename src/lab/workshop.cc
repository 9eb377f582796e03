// What the four ways say is told as facts with a dot in their names, which no program can tell:
//
//   plain.exit plain.wrong plain.wall_ms   vet.findings   race.reports race.exit race.wall_ms
//   geist.findings geist.confirmed geist.wall_ms   go.minor cpus
#include "lab/workshop.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "base/text_file.h"
#include "findings/finding.h"
#include "report/report.h"

namespace geist::lab {
namespace {

namespace fs = std::filesystem;

constexpr u64 kGoTimeout = 600;  // the standard library may have to be compiled
constexpr int kOldestMinor = 21;

Status write_file(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return Error(path.string() + ": cannot be written", ErrorKind::kSystem);
  return Done{};
}

// The first line that says something; go names the package in lines with '#'.
std::string first_line(std::string_view text) {
  for (usize at = 0; at < text.size();) {
    usize end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (!line.empty() && line[0] != '#') return printable(line);
    at = end + 1;
  }
  return "";
}

// The line with which a Go program dies.
std::string death_of(const ChildResult& run) {
  for (std::string_view word : {"fatal error:", "panic:"}) {
    usize at = run.err.find(word);
    if (at != std::string::npos) return first_line(std::string_view(run.err).substr(at));
  }
  return first_line(run.err);
}

u64 count_of(std::string_view text, std::string_view word) {
  u64 count = 0;
  for (usize at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    ++count;
  return count;
}

// "main.go:31" of the first place in a .go file of the case that a text names; empty: none.
std::string first_place(std::string_view text, const std::string& name) {
  usize at = text.find("cases/" + name + "/");
  if (at == std::string_view::npos) return "";
  at += name.size() + 7;
  usize colon = text.find(':', at);
  if (colon == std::string_view::npos || colon - at > 80) return "";
  usize end = colon + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return printable(text.substr(at, end - at));
}

std::string how_it_ended(const ChildResult& run) {
  if (run.timed_out) return "did not end in time";
  std::string line = death_of(run);
  return fmt::format("exit status {}{}{}", run.code, line.empty() ? "" : ": ", line);
}

int read_minor(const std::string& go) {
  int minor = 0;
  if (!go.starts_with("go1.")) return 0;
  for (usize i = 4; i < go.size() && go[i] >= '0' && go[i] <= '9' && minor < 1000; ++i)
    minor = minor * 10 + (go[i] - '0');
  return minor;
}

}  // namespace

Result<Workshop> Workshop::open(const std::string& toolchain, const run::ChildSignals& signals) {
  Workshop shop(signals);
  std::error_code error;
  shop.geist_ = fs::read_symlink("/proc/self/exe", error).string();
  if (error) return Error("/proc/self/exe: " + error.message(), ErrorKind::kSystem);
  GEIST_TRY(folder, run::TemporaryFolder::make());
  shop.folder_ = std::move(folder);
  const std::string& top = shop.folder_.path();
  for (const char* part : {"/cases", "/bin", "/race", "/tmp"}) {
    fs::create_directory(top + part, error);
    if (error) return Error(top + part + ": " + error.message(), ErrorKind::kSystem);
  }
  shop.environment_ = {"GEIST=",
                       "GOFLAGS=",
                       "GOWORK=off",
                       "GODEBUG=",
                       "GORACE=atexit_sleep_ms=0",
                       "GOARCH=amd64",
                       "GOOS=linux",
                       "GOTMPDIR=",
                       "TMPDIR=" + top + "/tmp",
                       "GEIST_LAB_GEIST=" + shop.geist_};
  if (!toolchain.empty()) shop.environment_.push_back("GOTOOLCHAIN=" + toolchain);
  GEIST_TRY_STATUS(write_file(top + "/go.mod", "module geist.example/lab\n\ngo 1.21\n"));
  Result<ChildResult> version = shop.run_go({"env", "GOVERSION"}, kGoTimeout);
  if (!version.ok())
    return std::move(version.take_error())
        .with_hint(
            "The lab builds its programs with the go command, which must be in PATH "
            "(https://go.dev/dl/).");
  if (version->code != 0)
    return Error(fmt::format("go env GOVERSION: {}", first_line(version->err)));
  shop.go_ = first_line(version->out);
  shop.go_ = shop.go_.substr(0, shop.go_.find(' '));
  shop.minor_ = read_minor(shop.go_);
  if (shop.minor_ < kOldestMinor)
    return Error(fmt::format("the go command is {}; the lab needs Go 1.{} or later", shop.go_,
                             kOldestMinor));
  return shop;
}

Result<ChildResult> Workshop::run_here(std::vector<std::string> argv, u64 timeout_s) const {
  return run_child({std::move(argv), folder_.path(), environment_, timeout_s}, *signals_);
}

Result<ChildResult> Workshop::run_go(std::vector<std::string> words, u64 timeout_s) const {
  words.insert(words.begin(), "go");
  return run_here(std::move(words), timeout_s);
}

std::string Workshop::binary_of(const Case& lab_case, const char* folder) const {
  return fmt::format("{}/{}/{}", folder_.path(), folder, lab_case.name);
}

Status Workshop::build(const std::vector<const Case*>& cases) {
  for (const Case* one : cases) {
    const std::string folder = folder_.path() + "/cases/" + one->name;
    std::error_code error;
    fs::create_directory(folder, error);
    if (error) return Error(folder + ": " + error.message(), ErrorKind::kSystem);
    for (const CaseFile& file : one->files)
      GEIST_TRY_STATUS(write_file(folder + "/" + file.name, file.text));
  }
  // All at once is several times faster than one after the other.
  GEIST_TRY(all, run_go({"build", "-o", "bin/", "./cases/..."}, kGoTimeout));
  if (all.code != 0) GEIST_TRY_STATUS(build_each(cases));
  return build_with_race(cases);
}

Status Workshop::build_each(const std::vector<const Case*>& cases) {
  for (const Case* one : cases) {
    GEIST_TRY(built, run_go({"build", "-o", "bin/", "./cases/" + one->name}, kGoTimeout));
    if (built.code != 0)
      broken_[one->name] = fmt::format(
          "go build: {}", built.timed_out ? "did not end in time" : first_line(built.err));
  }
  return Done{};
}

Status Workshop::build_with_race(const std::vector<const Case*>& cases) {
  GEIST_TRY(all, run_go({"build", "-race", "-o", "race/", "./cases/..."}, kGoTimeout));
  if (all.code == 0) return Done{};
  for (const Case* one : cases) {
    if (broken_.contains(one->name)) continue;
    GEIST_TRY(built, run_go({"build", "-race", "-o", "race/", "./cases/" + one->name}, kGoTimeout));
    if (built.code != 0)
      without_race_[one->name] = built.timed_out ? "go build -race did not end in time"
                                                 : "cannot be built: " + first_line(built.err);
  }
  return Done{};
}

Result<Sight> Workshop::look_plain(const Case& lab_case, Facts& facts) const {
  GEIST_TRY(run, run_here({binary_of(lab_case, "bin")}, lab_case.timeout_s));
  facts.read(run.out);
  const std::string last = printable(run.last_line());
  const bool is_wrong = last.starts_with("WRONG");
  facts.tell("plain.exit", run.code);
  facts.tell("plain.wrong", is_wrong);
  facts.tell("plain.wall_ms", static_cast<double>(run.wall_ms));
  return Sight{"plain run", true, is_wrong || run.code != 0,
               run.code != 0 || run.timed_out ? how_it_ended(run) : last, run.wall_ms};
}

Result<Sight> Workshop::look_vet(const Case& lab_case, Facts& facts) const {
  GEIST_TRY(run, run_go({"vet", "./cases/" + lab_case.name}, kGoTimeout));
  const u64 found = count_of(run.err, "cases/" + lab_case.name + "/");
  facts.tell("vet.findings", static_cast<double>(found));
  std::string words = "nothing";
  if (run.code != 0) {
    words = first_line(run.err);
    usize at = words.find(lab_case.name + "/");
    if (at != std::string::npos) words = words.substr(at + lab_case.name.size() + 1);
  }
  return Sight{"go vet", true, run.code != 0, words, run.wall_ms};
}

Result<Sight> Workshop::look_race(const Case& lab_case, Facts& facts) const {
  if (auto why = without_race_.find(lab_case.name); why != without_race_.end()) {
    for (const char* name : {"race.reports", "race.exit", "race.wall_ms"})
      facts.excuse(name, "-race " + why->second);
    return Sight{"-race", false, false, why->second, 0};
  }
  GEIST_TRY(run, run_here({binary_of(lab_case, "race")}, lab_case.timeout_s));
  const u64 races = count_of(run.err, "WARNING: DATA RACE");
  facts.tell("race.reports", static_cast<double>(races));
  facts.tell("race.exit", run.code);
  facts.tell("race.wall_ms", static_cast<double>(run.wall_ms));
  std::string words = run.timed_out ? "no data race, did not end in time" : "no data race";
  if (races != 0) {
    words = fmt::format("{} data race{}", races, races == 1 ? "" : "s");
    if (std::string place = first_place(run.err, lab_case.name); !place.empty())
      words += ", the first at " + place;
  }
  return Sight{"-race", true, races != 0, words, run.wall_ms};
}

Result<Sight> Workshop::look_geist(const Case& lab_case, Facts& facts) const {
  const std::string json = folder_.path() + "/tmp/report.json";
  std::error_code ignored;
  fs::remove(json, ignored);
  std::vector<std::string> argv = {
      geist_, "run", "--no-store", "--no-cache", "--log=/dev/null", "--report=json:" + json};
  argv.insert(argv.end(), lab_case.geist_flags.begin(), lab_case.geist_flags.end());
  argv.insert(argv.end(), {"--", binary_of(lab_case, "bin")});
  GEIST_TRY(run, run_here(std::move(argv), lab_case.timeout_s));
  Result<std::string> text = read_text_file(json);
  Result<findings::Report> report =
      text.ok() ? report::read_json(text.value()) : Result<findings::Report>(text.take_error());
  if (!report.ok()) {
    std::string why = "left no report: " + how_it_ended(run);
    for (const char* name : {"geist.findings", "geist.confirmed", "geist.wall_ms"})
      facts.excuse(name, "geist " + why);
    return Sight{"geist", false, false, why, run.wall_ms};
  }
  const u64 confirmed = static_cast<u64>(
      std::ranges::count(report->findings, findings::Level::kConfirmed, &findings::Finding::level));
  facts.tell("geist.findings", static_cast<double>(report->findings.size()));
  facts.tell("geist.confirmed", static_cast<double>(confirmed));
  facts.tell("geist.wall_ms", static_cast<double>(run.wall_ms));
  std::string words = "nothing";
  if (!report->findings.empty()) {
    const findings::Finding& first = report->findings.front();
    words = fmt::format("{}, {} confirmed", report::count_in_words(report.value()), confirmed);
    if (!first.append_stack.empty())
      words +=
          fmt::format(": {}:{}", base_name(first.append_stack[0].file), first.append_stack[0].line);
  }
  return Sight{"geist", true, !report->findings.empty(), printable(words), run.wall_ms};
}

// The runs that measure.
Status Workshop::measure(const Case& lab_case, CaseResult& result) const {
  for (const std::vector<std::string>& words : lab_case.runs) {
    std::vector<std::string> argv = {binary_of(lab_case, "bin")};
    argv.insert(argv.end(), words.begin(), words.end());
    GEIST_TRY(run, run_here(std::move(argv), lab_case.timeout_s));
    result.facts.read(run.out);
    if (run.code != 0 || run.timed_out)
      result.notes.push_back(
          fmt::format("the run \"{}\": {}", fmt::join(words, " "), how_it_ended(run)));
  }
  return Done{};
}

Result<CaseResult> Workshop::run(const Case& lab_case) {
  const auto begin = std::chrono::steady_clock::now();
  CaseResult result;
  result.name = lab_case.name;
  result.title = lab_case.title;
  if (auto why = broken_.find(lab_case.name); why != broken_.end()) {
    result.broken = why->second;
    for (usize i = 0; i < lab_case.claims.size(); ++i)
      result.decisions.push_back({Verdict::kUndecided, "undecided", result.broken});
    return result;
  }
  result.facts.tell("go.minor", minor_);
  result.facts.tell("cpus", std::thread::hardware_concurrency());
  for (auto look :
       {&Workshop::look_plain, &Workshop::look_vet, &Workshop::look_race, &Workshop::look_geist}) {
    GEIST_TRY(sight, (this->*look)(lab_case, result.facts));
    result.sights.push_back(std::move(sight));
  }
  GEIST_TRY_STATUS(measure(lab_case, result));
  for (const Claim& claim : lab_case.claims)
    result.decisions.push_back(decide(claim, result.facts));
  for (const auto& [help, count] : result.facts.rejected())
    result.notes.push_back(fmt::format("{} that {} no fact{}: {}",
                                       count == 1 ? "1 line" : fmt::format("{} lines", count),
                                       count == 1 ? "is" : "are", count == 1 ? "" : "s", help));
  result.wall_ms = static_cast<u64>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now() - begin)
                                        .count());
  return result;
}

}  // namespace geist::lab
