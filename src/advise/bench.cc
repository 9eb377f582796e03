// The go command of a module may be another one than that in PATH: its go.mod may name a toolchain. So
// it is asked in the module's folder which release it is and where that lies, and that one is used in
// ours, where no flag and no network of the user's can make a difference.
#include "advise/bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/printable.h"
#include "base/text.h"

namespace geist::advise {
namespace {

namespace fs = std::filesystem;

constexpr u64 kBuildTimeout = 300;  // the standard library may have to be compiled
constexpr u64 kRoundTimeout = 120;
constexpr int kOldestMinor = 21;
constexpr usize kMostLines = 10000;

Status write_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return Error(path + ": cannot be written", ErrorKind::kSystem);
  return Done{};
}

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
  std::vector<std::string_view> words;
  for (usize start = text.find_first_not_of(at); start != text.npos;
       start = text.find_first_not_of(at, start)) {
    usize end = std::min(text.find_first_of(at, start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end;
  }
  return words;
}

template <typename T>
bool read_number(std::string_view word, T& number) {
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

bool read_line(std::string_view text, BenchLine& line) {
  constexpr std::string_view kPrefix = "Benchmark";
  const std::vector<std::string_view> words = split(text, " \t\r");
  if (words.size() < 4 || words.size() % 2 != 0 || !words[0].starts_with(kPrefix)) return false;
  if (!read_number(words[1], line.iterations) || line.iterations == 0) return false;
  std::string_view name = words[0];
  if (usize dash = name.rfind('-'); dash != name.npos) {
    u64 processors = 0;
    if (read_number(name.substr(dash + 1), processors)) name = name.substr(0, dash);
  }
  line.name = std::string(name);
  for (usize i = 2; i < words.size(); i += 2) {
    double value = 0;
    if (!read_number(words[i], value) || !std::isfinite(value) || value < 0) return false;
    line.values[std::string(words[i + 1])] = value;
  }
  return line.values.contains("ns/op");
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const usize half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

int read_minor(std::string_view go) {
  int minor = 0;
  if (!go.starts_with("go1.")) return 0;
  std::from_chars(go.data() + 4, go.data() + go.size(), minor);
  return std::clamp(minor, 0, 1000);
}

}  // namespace

std::string first_line(std::string_view text) {
  for (std::string_view line : split(text, "\n")) {
    if (!line.starts_with('#')) return clip(printable(line), 200);
  }
  return "";
}

std::string wrap_text(std::string_view text, usize indent) {
  constexpr usize kColumns = 100;
  std::string out;
  usize column = 0;
  for (std::string_view word : split(text, " \n")) {
    const usize width = display_width(word);
    if (column == 0 || column + 1 + width > kColumns) {
      out += (column == 0 ? "" : "\n") + std::string(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
  }
  return out + "\n";
}

Error without_go(const Error& error) {
  return Error(error.message(), ErrorKind::kSystem)
      .with_hint(
          "What is advised is measured with the go command, which must be in PATH "
          "(https://go.dev/dl/).");
}

std::vector<BenchLine> read_bench_output(std::string_view text) {
  std::vector<BenchLine> lines;
  for (std::string_view one : split(text, "\n")) {
    BenchLine line;
    if (lines.size() < kMostLines && read_line(one, line)) lines.push_back(std::move(line));
  }
  return lines;
}

std::map<std::string, Measured> take_medians(const std::vector<std::vector<BenchLine>>& rounds) {
  std::map<std::string, std::map<std::string, std::vector<double>>> values;
  for (const std::vector<BenchLine>& round : rounds) {
    for (const BenchLine& line : round) {
      for (const auto& [unit, value] : line.values) values[line.name][unit].push_back(value);
    }
  }
  std::map<std::string, Measured> out;
  for (auto& [name, units] : values) {
    Measured& one = out[name];
    const std::vector<double>& ns = units["ns/op"];
    one.ns = median(ns);
    one.low = *std::ranges::min_element(ns);
    one.high = *std::ranges::max_element(ns);
    one.rounds = ns.size();
    one.bytes = median(units["B/op"]);
    one.allocs = median(units["allocs/op"]);
    for (const auto& [unit, list] : units) {
      if (unit != "ns/op" && unit != "B/op" && unit != "allocs/op" && !list.empty())
        one.others[unit] = list.back();
    }
  }
  return out;
}

Status Bench::ask_release(const std::string& folder) {
  run::ChildRequest request{{"go", "env", "GOVERSION", "GOROOT"}, folder, {"GOWORK=off"}, 60};
  Result<run::ChildResult> asked = run::run_child(request, *signals_);
  if (!asked.ok()) return without_go(asked.error());
  const std::vector<std::string_view> lines = split(asked->out, "\r\n");
  if (asked->code != 0 || lines.size() < 2)
    return Error(fmt::format("go env failed in {}: {}", folder, first_line(asked->err)));
  go_ = printable(lines[0].substr(0, lines[0].find(' ')));
  minor_ = read_minor(go_);
  if (minor_ < kOldestMinor)
    return Error(fmt::format("the go command here is {}; measuring takes go1.{} or later",
                             go_.empty() ? "of no release" : go_, kOldestMinor));
  const std::string command = std::string(lines[1]) + "/bin/go";
  if (::access(command.c_str(), X_OK) == 0) go_command_ = command;
  return Done{};
}

Result<Bench> Bench::open(const std::string& folder, const run::ChildSignals& signals) {
  Bench bench(signals);
  GEIST_TRY(temporary, run::TemporaryFolder::make());
  bench.folder_ = std::move(temporary);
  std::error_code error;
  fs::create_directory(bench.folder_.path() + "/tmp", error);
  if (error) return Error(bench.folder_.path() + "/tmp: " + error.message(), ErrorKind::kSystem);
  std::error_code ignored;
  GEIST_TRY_STATUS(bench.ask_release(
      !folder.empty() && fs::is_directory(folder, ignored) ? folder : std::string(".")));
  GEIST_TRY_STATUS(
      write_file(bench.folder_.path() + "/go.mod",
                 fmt::format("module geist.example/bench\n\ngo 1.{}\n", bench.minor_)));
  return bench;
}

Result<run::ChildResult> Bench::run_here(std::vector<std::string> argv, u64 timeout_s) const {
  const std::string temporary = folder_.path() + "/tmp";
  run::ChildRequest request{std::move(argv), folder_.path(), {}, timeout_s};
  request.environment = {"GOTOOLCHAIN=local",    "GOFLAGS=-mod=mod", "GOWORK=off",
                         "GO111MODULE=on",       "GOPROXY=off",      "GOOS=linux",
                         "GOARCH=amd64",         "CGO_ENABLED=0",    "TMPDIR=" + temporary,
                         "GOTMPDIR=" + temporary};
  return run::run_child(request, *signals_);
}

Result<std::map<std::string, Measured>> Bench::measure(const std::string& source,
                                                       const std::string& benchtime,
                                                       u64 rounds) const {
  GEIST_TRY_STATUS(write_file(folder_.path() + "/bench_test.go", source));
  GEIST_TRY(built, run_here({go_command_, "test", "-c", "-vet=off", "-o", "bench.test", "."},
                            kBuildTimeout));
  if (built.timed_out)
    return Error(fmt::format("{} did not build the benchmark in {} s", go_, kBuildTimeout));
  if (built.code != 0)
    return Error(fmt::format("{} does not build the benchmark: {}", go_, first_line(built.err)));
  std::vector<std::vector<BenchLine>> all;
  for (u64 i = 0; i < rounds; ++i) {
    GEIST_TRY(round, run_here({folder_.path() + "/bench.test", "-test.run=^$", "-test.bench=.",
                               "-test.benchmem", "-test.benchtime=" + benchtime,
                               fmt::format("-test.timeout={}s", kRoundTimeout)},
                              kRoundTimeout + 5));
    if (round.timed_out || round.code != 0)
      return Error(fmt::format("the benchmark {}: {}",
                               round.timed_out ? "did not end in time" : "failed",
                               first_line(round.code == 0 ? round.err : round.out + round.err)));
    all.push_back(read_bench_output(round.out));
  }
  return take_medians(all);
}

}  // namespace geist::advise
