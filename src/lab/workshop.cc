// What the four ways say is told as facts with a dot in their names, which no program can tell:
//
//   WAY.runs WAY.found WAY.wall_ms of plain, race, geist    vet.findings
//   race.reports geist.findings geist.confirmed: the most in one run    go.minor cpus
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
std::string death_of(const run::ChildResult& run) {
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

std::string how_it_ended(const run::ChildResult& run) {
  if (run.timed_out) return "did not end in time";
  std::string line = death_of(run);
  return fmt::format("exit status {}{}{}", run.code, line.empty() ? "" : ": ", line);
}

// Several looks at one program by one way: it is seen when one of them sees it.
class Looks {
 public:
  explicit Looks(std::string prefix) : prefix_(std::move(prefix)) {}

  void add(const run::ChildResult& run, bool sees, std::string words) {
    ++runs_;
    if (runs_ == 1 || run.wall_ms < wall_ms_) wall_ms_ = run.wall_ms;
    if (runs_ == 1 || (sees && found_ == 0)) words_ = std::move(words);
    if (sees) ++found_;
  }

  // As facts PREFIX.runs, PREFIX.found, PREFIX.wall_ms, and for people.
  Sight tell(const char* way, Facts& facts) const {
    facts.tell(prefix_ + ".runs", static_cast<double>(runs_));
    facts.tell(prefix_ + ".found", static_cast<double>(found_));
    facts.tell(prefix_ + ".wall_ms", static_cast<double>(wall_ms_));
    std::string words = words_;
    if (found_ != 0 && found_ != runs_) words += fmt::format(" ({} of {} runs)", found_, runs_);
    return Sight{way, true, found_ != 0, words, wall_ms_};
  }

 private:
  std::string prefix_, words_;
  u64 runs_ = 0, found_ = 0, wall_ms_ = 0;
};

std::string describe_races(const run::ChildResult& run, u64 races, const std::string& name) {
  if (races == 0) return run.timed_out ? "no data race, did not end in time" : "no data race";
  std::string words = fmt::format("{} data race{}", races, races == 1 ? "" : "s");
  std::string place = first_place(run.err, name);
  return place.empty() ? words : words + ", the first at " + place;
}

std::string describe_findings(const findings::Report& report, u64 confirmed) {
  if (report.findings.empty()) return "nothing";
  const findings::Finding& first = report.findings.front();
  std::string words = fmt::format("{}, {} confirmed", report::count_in_words(report), confirmed);
  if (!first.append_stack.empty())
    words +=
        fmt::format(": {}:{}", base_name(first.append_stack[0].file), first.append_stack[0].line);
  return printable(words);
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
                       "GOTRACEBACK=",
                       "GORACE=atexit_sleep_ms=0",
                       "GOARCH=amd64",
                       "GOOS=linux",
                       "GOTMPDIR=",
                       "TMPDIR=" + top + "/tmp",
                       "GEIST_LAB_GEIST=" + shop.geist_};
  if (!toolchain.empty()) shop.environment_.push_back("GOTOOLCHAIN=" + toolchain);
  GEIST_TRY_STATUS(write_file(top + "/go.mod", "module geist.example/lab\n\ngo 1.21\n"));
  Result<run::ChildResult> version = shop.run_go({"env", "GOVERSION"}, kGoTimeout);
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

Result<run::ChildResult> Workshop::run_here(std::vector<std::string> argv, u64 timeout_s,
                                            const char* way) const {
  run::ChildRequest request{std::move(argv), folder_.path(), environment_, timeout_s};
  request.environment.push_back(fmt::format("GEIST_LAB_WAY={}", way));
  return run::run_child(request, *signals_);
}

Result<run::ChildResult> Workshop::run_go(std::vector<std::string> words, u64 timeout_s) const {
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
  Looks looks("plain");
  for (u64 i = 0; i < lab_case.looks; ++i) {
    GEIST_TRY(run, run_here({binary_of(lab_case, "bin")}, lab_case.timeout_s, "plain"));
    if (i == 0) facts.read(run.out);
    const std::string last = printable(run.last_line());
    const bool has_failed = run.code != 0 || run.timed_out;
    looks.add(run, has_failed || last.starts_with("WRONG"), has_failed ? how_it_ended(run) : last);
    if (run.timed_out) break;
  }
  return looks.tell("plain run", facts);
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
    for (const char* name : {"reports", "found", "runs", "wall_ms"})
      facts.excuse(fmt::format("race.{}", name), "-race " + why->second);
    return Sight{"-race", false, false, why->second, 0};
  }
  Looks looks("race");
  u64 most = 0;
  for (u64 i = 0; i < lab_case.looks; ++i) {
    GEIST_TRY(run, run_here({binary_of(lab_case, "race")}, lab_case.timeout_s, "race"));
    const u64 races = count_of(run.err, "WARNING: DATA RACE");
    most = std::max(most, races);
    looks.add(run, races != 0, describe_races(run, races, lab_case.name));
    if (run.timed_out) break;
  }
  facts.tell("race.reports", static_cast<double>(most));
  return looks.tell("-race", facts);
}

Result<run::ChildResult> Workshop::run_under_geist(const Case& lab_case,
                                                   const std::string& json) const {
  std::error_code ignored;
  fs::remove(json, ignored);
  std::vector<std::string> argv = {
      geist_, "run", "--no-store", "--no-cache", "--log=/dev/null", "--report=json:" + json};
  argv.insert(argv.end(), lab_case.geist_flags.begin(), lab_case.geist_flags.end());
  argv.insert(argv.end(), {"--", binary_of(lab_case, "bin")});
  return run_here(std::move(argv), lab_case.timeout_s, "geist");
}

Result<Sight> Workshop::look_geist(const Case& lab_case, Facts& facts) const {
  const std::string json = folder_.path() + "/tmp/report.json";
  Looks looks("geist");
  usize most = 0;
  u64 most_confirmed = 0;
  for (u64 i = 0; i < lab_case.looks; ++i) {
    GEIST_TRY(run, run_under_geist(lab_case, json));
    Result<std::string> text = read_text_file(json);
    Result<findings::Report> report =
        text.ok() ? report::read_json(text.value()) : Result<findings::Report>(text.take_error());
    if (!report.ok()) {
      std::string why = "left no report: " + how_it_ended(run);
      for (const char* name : {"findings", "confirmed", "found", "runs", "wall_ms"})
        facts.excuse(fmt::format("geist.{}", name), "geist " + why);
      return Sight{"geist", false, false, why, run.wall_ms};
    }
    const u64 confirmed = static_cast<u64>(std::ranges::count(
        report->findings, findings::Level::kConfirmed, &findings::Finding::level));
    most = std::max(most, report->findings.size());
    most_confirmed = std::max(most_confirmed, confirmed);
    looks.add(run, !report->findings.empty(), describe_findings(report.value(), confirmed));
  }
  facts.tell("geist.findings", static_cast<double>(most));
  facts.tell("geist.confirmed", static_cast<double>(most_confirmed));
  return looks.tell("geist", facts);
}

std::vector<std::string> Workshop::argv_of(const Case& lab_case, const Run& run) const {
  std::vector<std::string> argv;
  if (run.way == Way::kGeist)
    argv = {geist_, "run", "--no-store", "--no-cache", "--log=/dev/null", "--exitcode=0", "--"};
  argv.push_back(binary_of(lab_case, run.way == Way::kRace ? "race" : "bin"));
  argv.insert(argv.end(), run.words.begin(), run.words.end());
  return argv;
}

// The runs that measure.
Status Workshop::measure(const Case& lab_case, CaseResult& result) const {
  for (const Run& one : lab_case.runs) {
    if (one.way == Way::kRace && without_race_.contains(lab_case.name)) continue;
    const char* way = one.way == Way::kPlain ? "plain" : one.way == Way::kRace ? "race" : "geist";
    GEIST_TRY(run, run_here(argv_of(lab_case, one), lab_case.timeout_s, way));
    result.facts.read(run.out);
    // A data race that was found is an exit status of its own, and no trouble of the run.
    const bool is_race = one.way == Way::kRace && run.code == 66;
    if ((run.code != 0 && !is_race) || run.timed_out)
      result.notes.push_back(fmt::format("the run \"{}\" ({}): {}", fmt::join(one.words, " "), way,
                                         how_it_ended(run)));
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
