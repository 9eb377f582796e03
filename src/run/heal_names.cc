// Names go three ways: what was typed → sites, findings → appends, counters → a line for each
// append that was healed. An append that was inlined in several places has several sites and one
// name.
#include "run/heal_names.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "sites/names.h"

namespace geist::run {
namespace {

constexpr usize kMaxLines = 10;

std::optional<int> find_number(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  int number = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::string times(u64 count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

}  // namespace

std::string append_name(const findings::Finding& finding) {
  if (finding.append_stack.empty()) return "";
  const findings::Frame& site = finding.append_stack.front();
  return fmt::format("{}:{}:{}", site.function, site.file, site.line);
}

Result<std::vector<std::string>> name_findings(const findings::Report& report,
                                               const std::vector<std::string>& chosen) {
  std::vector<std::string> names;
  auto take = [&](auto&& wanted) {
    usize before = names.size();
    for (const findings::Finding& finding : report.findings) {
      std::string name = append_name(finding);
      if (!name.empty() && wanted(finding)) names.push_back(name);
    }
    return names.size() > before;
  };
  if (chosen.empty() && !take([](const findings::Finding&) { return true; }))
    return Error("the report has no findings");
  for (const std::string& choice : chosen) {
    std::optional<int> number = find_number(choice);
    bool is_rule = choice.starts_with("GB") && find_number(choice.substr(2)).has_value();
    if (!number && !is_rule) {
      names.push_back(choice);
    } else if (!take([&](const findings::Finding& f) {
                 return number ? f.id == *number : f.rule == choice;
               })) {
      return Error(fmt::format("the report has no finding {}", choice))
          .with_hint(
              fmt::format("it has {} findings; geist report prints them", report.findings.size()));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names(1);
  int depth = 0;
  for (char c : text) {
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c == ',' && depth <= 0)
      names.emplace_back();
    else
      names.back().push_back(c);
  }
  std::erase_if(names, [](const std::string& name) { return name.empty(); });
  return names;
}

std::vector<std::string> describe_healing(const read::GoBinary& binary,
                                          const process::ProbedProcess& process) {
  std::map<sites::SiteName, u64> counts;  // an inlined append has several sites
  for (const probe::ProbedSite& site : process.plan.sites) {
    if (site.mode == abi::kWatch) continue;
    counts[sites::name_of(binary, site.site)] += process.ring.healed(site.record);
  }
  std::vector<std::pair<u64, const sites::SiteName*>> healed;
  u64 total = 0;
  for (const auto& [name, count] : counts) {
    if (count == 0) continue;
    healed.emplace_back(count, &name);
    total += count;
  }
  std::stable_sort(healed.begin(), healed.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (counts.size() == 1 && healed.empty()) {
    return {fmt::format("nothing to heal at {}", counts.begin()->first.text())};
  }
  std::vector<std::string> out;
  for (usize i = 0; i < std::min(healed.size(), kMaxLines); ++i) {
    out.push_back(fmt::format("healed {} {}", healed[i].second->text(), times(healed[i].first)));
  }
  if (counts.size() > 1) {
    out.push_back(
        fmt::format("healed {} at {} of {} appends", times(total), healed.size(), counts.size()));
  }
  return out;
}

}  // namespace geist::run
