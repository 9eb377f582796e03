// From words to what a plan does; see condition.h.
#include "probe/condition.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "probe/heal_choice.h"
#include "probe/pool.h"
#include "sites/names.h"

namespace geist::probe {
namespace {

constexpr u64 kUsualTightLen = 64;
constexpr u64 kMostTightLen = 1 << 20;

Error unknown_condition(std::string_view text) {
  return Error(fmt::format("unknown condition \"{}\"", text))
      .with_hint("conditions are copy, roomy, tight64, tight=N and pool; for one append: roomy:SITE");
}

std::optional<u64> read_tight_len(std::string_view kind) {
  constexpr std::string_view kPrefix = "tight=";
  if (kind == "tight64") return kUsualTightLen;
  if (!kind.starts_with(kPrefix)) return std::nullopt;
  kind.remove_prefix(kPrefix.size());
  u64 number = 0;
  auto [end, error] = std::from_chars(kind.data(), kind.data() + kind.size(), number);
  const bool is_number = error == std::errc() && end == kind.data() + kind.size();
  if (!is_number || number == 0 || number > kMostTightLen) return std::nullopt;
  return number;
}

Result<std::vector<ImageAddr>> calls_named(const read::GoBinary& binary,
                                           const sites::SiteTable& table,
                                           const std::vector<std::string>& names) {
  std::vector<ImageAddr> calls;
  for (const std::string& name : names) {
    GEIST_TRY(found, sites::find_sites_named(binary, table, name));
    for (usize index : found) calls.push_back(table.sites[index].call);
  }
  return calls;
}

Status add_pool(const read::GoBinary& binary, const std::vector<std::string>& wanted,
                PlanOptions& options) {
  GEIST_TRY(points, PoolPoints::find(binary));
  if (wanted.empty()) {
    points.add(std::nullopt, options);
    return Done{};
  }
  std::vector<sites::SiteName> names;
  for (ImageAddr call : points.calls()) names.push_back(sites::name_of_call(binary, call));
  std::vector<ImageAddr> calls;
  for (const std::string& name : wanted) {
    GEIST_TRY(found, sites::find_named(names, name, "call of Put"));
    for (usize index : found) calls.push_back(points.calls()[index]);
  }
  points.add(calls, options);
  return Done{};
}

}  // namespace

std::string Condition::kind_text() const {
  switch (kind) {
    case ConditionKind::kCopy:
      return "copy";
    case ConditionKind::kRoomy:
      return "roomy";
    case ConditionKind::kTight:
      return tight_len == kUsualTightLen ? "tight64" : fmt::format("tight={}", tight_len);
    case ConditionKind::kPool:
      return "pool";
  }
  return "";
}

std::vector<std::string> Condition::texts() const {
  std::vector<std::string> texts;
  for (const std::string& site : sites) texts.push_back(kind_text() + ":" + site);
  if (sites.empty()) texts.push_back(kind_text());
  return texts;
}

std::string Condition::description() const {
  switch (kind) {
    case ConditionKind::kCopy:
      return "an append that would overwrite something copies";
    case ConditionKind::kRoomy:
      return "append gives much room when it grows";
    case ConditionKind::kTight:
      return fmt::format("append gives no room when it grows, up to {} elements", tight_len);
    case ConditionKind::kPool:
      return "a sync.Pool gives nothing back";
  }
  return "";
}

Result<Condition> read_condition(std::string_view text) {
  const usize colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  Condition condition;
  if (kind == "copy") {
    condition.kind = ConditionKind::kCopy;
  } else if (kind == "pool") {
    condition.kind = ConditionKind::kPool;
  } else if (kind != "roomy") {
    std::optional<u64> length = read_tight_len(kind);
    if (!length) return unknown_condition(text);
    condition.kind = ConditionKind::kTight;
    condition.tight_len = *length;
  }
  if (colon == std::string_view::npos) return condition;
  if (colon + 1 == text.size()) return unknown_condition(text);
  condition.sites.emplace_back(text.substr(colon + 1));
  return condition;
}

Result<std::vector<Condition>> read_conditions(const std::vector<std::string>& texts) {
  std::vector<Condition> conditions;
  for (const std::string& text : texts) {
    GEIST_TRY(condition, read_condition(text));
    auto same = std::ranges::find(conditions, condition.kind_text(),
                                  [](const Condition& c) { return c.kind_text(); });
    if (same == conditions.end()) {
      conditions.push_back(std::move(condition));
    } else if (condition.sites.empty() || same->sites.empty()) {
      same->sites.clear();  // all of them
    } else {
      same->sites.push_back(condition.sites[0]);
    }
  }
  return conditions;
}

Status add_conditions(const read::GoBinary& binary, const sites::SiteTable& table,
                      const std::vector<Condition>& conditions, PlanOptions& options,
                      std::vector<std::string>& notes) {
  std::optional<GrowthPoints> points;
  for (const Condition& condition : conditions) {
    if (condition.kind == ConditionKind::kCopy) {
      std::vector<std::string> names = condition.sites;
      if (names.empty()) names.emplace_back("all");
      GEIST_TRY(choice, choose_healed_sites(binary, table, names, false));
      options.modes.merge(choice.modes);
      notes.insert(notes.end(), choice.notes.begin(), choice.notes.end());
      continue;
    }
    if (condition.kind == ConditionKind::kPool) {
      GEIST_TRY_STATUS(add_pool(binary, condition.sites, options));
      continue;
    }
    Growth growth{condition.kind == ConditionKind::kRoomy, condition.tight_len, std::nullopt};
    if (!condition.sites.empty()) {
      GEIST_TRY(calls, calls_named(binary, table, condition.sites));
      growth.calls = std::move(calls);
    }
    if (!points) {
      GEIST_TRY(found, GrowthPoints::find(binary));
      points = std::move(found);
    }
    points->add(table, growth, options);
  }
  return Done{};
}

}  // namespace geist::probe
