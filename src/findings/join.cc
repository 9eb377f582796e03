#include "findings/join.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/go_symbol.h"

namespace geist::findings {
namespace {

std::string key_of(const Finding& finding) {
  std::string key = finding.rule + "|" + finding.finding_class + "|" + finding.condition;
  for (const Frame& frame : finding.append_stack) {
    key += fmt::format("|{}:{}", frame.file, frame.line);
    if (!is_standard_library(frame.function)) break;
  }
  return key;
}

// 2: leads all the way; 1: some of it; 0: none.
int worth_of_name(const Finding& finding) {
  const std::string& name = finding.victim.name;
  if (name.empty()) return 0;
  return name.ends_with("…") || name.ends_with("[key]") ? 1 : 2;
}

void add_new(std::vector<std::string>& to, const std::string& word) {
  if (!word.empty() && std::find(to.begin(), to.end(), word) == to.end()) to.push_back(word);
}

void join(Finding& kept, Finding&& other) {
  const auto rank = [](const Finding& f) { return std::pair(f.level, worth_of_name(f)); };
  if (rank(other) > rank(kept)) std::swap(kept, other);
  kept.count += other.count;
  for (const std::string& test : other.tests) add_new(kept.tests, test);
  if (other.victim.name != kept.victim.name) add_new(kept.other_victims, other.victim.name);
  for (const std::string& name : other.other_victims) {
    if (name != kept.victim.name) add_new(kept.other_victims, name);
  }
}

}  // namespace

std::vector<Finding> join_sites(std::vector<Finding> findings) {
  std::vector<Finding> joined;
  std::map<std::string, usize> known;
  for (Finding& finding : findings) {
    // Without an append there is nothing that two could have in common.
    if (finding.append_stack.empty()) {
      joined.push_back(std::move(finding));
      continue;
    }
    auto [at, is_new] = known.try_emplace(key_of(finding), joined.size());
    if (is_new)
      joined.push_back(std::move(finding));
    else
      join(joined[at->second], std::move(finding));
  }
  return joined;
}

}  // namespace geist::findings
