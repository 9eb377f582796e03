#include "run/test_rerun.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/ints.h"

namespace geist::run {
namespace {

// Flags that write files, or that say how often and how loudly: src/testing/testing.go (Init),
// fuzz.go (initFuzzFlags).
constexpr std::array<std::string_view, 18> kDropped{"testlogfile",
                                                    "outputdir",
                                                    "coverprofile",
                                                    "gocoverdir",
                                                    "cpuprofile",
                                                    "memprofile",
                                                    "memprofilerate",
                                                    "blockprofile",
                                                    "blockprofilerate",
                                                    "mutexprofile",
                                                    "mutexprofilefraction",
                                                    "trace",
                                                    "fuzz",
                                                    "fuzzcachedir",
                                                    "count",
                                                    "v",
                                                    "shuffle",
                                                    "artifacts"};
// And those that choose among tests, when one is named.
constexpr std::array<std::string_view, 4> kChoosing{"run", "skip", "bench", "list"};

// "-test.run=^TestX$" → "run"; empty for any other word.
std::string_view test_flag_name(std::string_view word) {
  usize dashes = word.starts_with("--") ? 2 : 1;
  constexpr std::string_view kPrefix = "test.";
  if (!word.starts_with("-") || !word.substr(dashes).starts_with(kPrefix)) return "";
  std::string_view name = word.substr(dashes + kPrefix.size());
  return name.substr(0, name.find('='));
}

bool is_in(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The pattern that matches this test alone: testing splits at '/', and takes each part as a regular
// expression.
std::string exact_pattern(std::string_view test) {
  std::string out = "^";
  for (char c : test) {
    if (c == '/') {
      out += "$/^";
      continue;
    }
    if (std::strchr(R"(\.+*?()|[]{}^$)", c) != nullptr) out += '\\';
    out += c;
  }
  return out + "$";
}

}  // namespace

std::vector<std::string> make_rerun_command(const std::vector<std::string>& command,
                                            const std::string& test) {
  std::vector<std::string> again{command.front(), "-test.v=true"};
  if (!test.empty()) again.push_back("-test.run=" + exact_pattern(test));
  bool is_for_go = true;  // go test puts its own flags first, each with its value behind '='
  for (usize i = 1; i < command.size(); ++i) {
    std::string_view name = is_for_go ? test_flag_name(command[i]) : "";
    is_for_go = is_for_go && !name.empty();
    bool is_dropped = is_in(name, kDropped) || (!test.empty() && is_in(name, kChoosing));
    if (!is_dropped) again.push_back(command[i]);
  }
  return again;
}

}  // namespace geist::run
