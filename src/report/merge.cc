#include "report/merge.h"

#include <algorithm>
#include <map>

namespace geist::report {
namespace {

template <typename T>
void add_new(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& item : from) {
    if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
  }
}

void add_counts(std::map<std::string, u64>& to, const std::map<std::string, u64>& from) {
  for (const auto& [name, count] : from) to[name] += count;
}

// Two sightings of one bug: the stronger evidence is shown, the counts and tests are those of both.
void add_sighting(judge::Finding& kept, const judge::Finding& other) {
  u64 count = kept.count + other.count;
  std::vector<std::string> tests = kept.tests;
  add_new(tests, other.tests);
  if (other.level > kept.level) kept = other;
  kept.count = count;
  kept.tests = std::move(tests);
}

class Merger {
 public:
  void add(const judge::Report& part) {
    if (out_.target.go.empty()) {
      out_.target.go = part.target.go;
      out_.target.module_dir_hint = part.target.module_dir_hint;
      out_.target.goroot = part.target.goroot;
      out_.geist_version = part.geist_version;
    }
    out_.sites.growslice_calls += part.sites.growslice_calls;
    out_.sites.always_grows += part.sites.always_grows;
    out_.sites.probed += part.sites.probed;
    add_counts(out_.sites.skipped, part.sites.skipped);
    out_.events.overwriting += part.events.overwriting;
    out_.events.contexts += part.events.contexts;
    out_.events.recorded += part.events.recorded;
    out_.events.judged += part.events.judged;
    add_counts(out_.lost, part.lost);
    add_new(out_.notes, part.notes);
    out_.cost.wall_s += part.cost.wall_s;
    out_.cost.parked_s += part.cost.parked_s;
    out_.cost.monitor_cpu_s += part.cost.monitor_cpu_s;
    for (const judge::Finding& finding : part.findings) add_finding(finding);
  }

  judge::Report take() {
    std::stable_sort(
        out_.findings.begin(), out_.findings.end(),
        [](const judge::Finding& a, const judge::Finding& b) { return a.level > b.level; });
    int id = 0;
    for (judge::Finding& finding : out_.findings) finding.id = ++id;
    return std::move(out_);
  }

 private:
  void add_finding(const judge::Finding& finding) {
    // What has no fingerprint is never the same as another.
    auto it = finding.fingerprint.empty() ? by_fingerprint_.end()
                                          : by_fingerprint_.find(finding.fingerprint);
    if (it != by_fingerprint_.end()) return add_sighting(out_.findings[it->second], finding);
    by_fingerprint_[finding.fingerprint] = out_.findings.size();
    out_.findings.push_back(finding);
  }

  judge::Report out_;
  std::map<std::string, usize> by_fingerprint_;
};

}  // namespace

judge::Report merge_reports(const std::vector<judge::Report>& parts) {
  Merger merger;
  for (const judge::Report& part : parts) merger.add(part);
  return merger.take();
}

}  // namespace geist::report
