#include "judge/outcomes.h"

#include <algorithm>
#include <map>
#include <string>

namespace geist::judge {

void Outcomes::record(const Of& of, findings::Level level,
                      const std::function<findings::Finding()>& describe) {
  constexpr usize kMost = 2000;
  if (level == findings::Level::kConfirmed) confirmed_contexts_.insert(of.context);
  for (Outcome& known : outcomes_) {
    if (known.of != of) continue;
    if (level <= known.finding.level) return;
    known.finding = describe();
    ++revision_;
    return;
  }
  if (outcomes_.size() >= kMost) {
    ++left_out_;
    return;
  }
  ++revision_;
  outcomes_.push_back({of, describe()});
}

void Outcomes::count_up(u64 context, u64 hits) {
  for (Outcome& known : outcomes_) {
    if (known.of.context == context) known.finding.count = std::max(known.finding.count, hits);
  }
}

std::vector<findings::Finding> Outcomes::merged() const {
  std::vector<findings::Finding> merged;
  std::map<std::string, usize> by_key;
  for (const Outcome& outcome : outcomes_) {
    const findings::Finding& f = outcome.finding;
    std::string key = f.rule + "|" + f.pc + "|" +
                      std::string(findings::holder_name(f.victim.holder)) + "|" + f.victim.name +
                      "|" + f.victim.type;
    auto [it, fresh] = by_key.emplace(std::move(key), merged.size());
    if (fresh) {
      merged.push_back(f);
      continue;
    }
    findings::Finding& kept = merged[it->second];
    const u64 count = kept.count + f.count;
    if (f.level > kept.level) kept = f;
    kept.count = count;
  }
  std::ranges::stable_sort(merged, [](const findings::Finding& a, const findings::Finding& b) {
    return a.level > b.level;
  });
  return merged;
}

}  // namespace geist::judge
