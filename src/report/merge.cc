// Several processes or programs as one report: findings by bug and victim, counts added.
#include "report/merge.h"

#include <algorithm>
#include <utility>

#include "findings/fingerprint.h"

namespace geist::report {
namespace {

void add_findings(findings::Report* whole, std::vector<findings::Finding> findings) {
  for (findings::Finding& finding : findings) {
    auto same = std::find_if(
        whole->findings.begin(), whole->findings.end(), [&](const findings::Finding& known) {
          return !known.fingerprint.empty() &&
                 findings::bug_and_victim(known) == findings::bug_and_victim(finding);
        });
    if (same == whole->findings.end()) {
      whole->findings.push_back(std::move(finding));
      continue;
    }
    u64 count = same->count + finding.count;
    std::vector<std::string> tests = same->tests;
    for (const std::string& test : finding.tests) {
      if (std::find(tests.begin(), tests.end(), test) == tests.end()) tests.push_back(test);
    }
    if (finding.level > same->level) *same = std::move(finding);
    same->count = count;
    same->tests = std::move(tests);
  }
  std::stable_sort(
      whole->findings.begin(), whole->findings.end(),
      [](const findings::Finding& a, const findings::Finding& b) { return a.level > b.level; });
  int id = 0;
  for (findings::Finding& finding : whole->findings) finding.id = ++id;
}

// True when no process of this program was added before.
bool add_program(findings::Report* whole, const findings::ProgramRuns& program) {
  for (findings::ProgramRuns& known : whole->programs) {
    if (known.binary != program.binary || known.build_id != program.build_id) continue;
    known.processes += program.processes;
    return false;
  }
  whole->programs.push_back(program);
  return true;
}

void add_section(findings::Section* whole, findings::Section part) {
  if (whole->columns.empty()) *whole = std::exchange(part, {});
  if (whole->columns != part.columns) return;  // of another release of geist
  for (findings::Section::Row& row : part.rows) {
    auto same = std::ranges::find_if(whole->rows, [&](const findings::Section::Row& known) {
      return known.function == row.function && known.file == row.file && known.line == row.line &&
             known.name == row.name && known.type == row.type;
    });
    if (same == whole->rows.end()) {
      whole->rows.push_back(std::move(row));
      continue;
    }
    for (usize i = 0; i < same->values.size(); ++i) same->values[i] += row.values[i];
    for (findings::Section::Maker& maker : row.makers) {
      auto known = std::ranges::find_if(same->makers, [&](const findings::Section::Maker& other) {
        return other.function == maker.function && other.file == maker.file &&
               other.line == maker.line;
      });
      if (known == same->makers.end())
        same->makers.push_back(std::move(maker));
      else
        known->goroutines += maker.goroutines;
    }
  }
}

void add_sites(findings::SiteCounts* whole, const findings::SiteCounts& part) {
  whole->growslice_calls += part.growslice_calls;
  whole->always_grows += part.always_grows;
  whole->probed += part.probed;
  whole->without_grow_path.insert(part.without_grow_path.begin(), part.without_grow_path.end());
  for (const auto& [reason, count] : part.skipped) whole->skipped[reason] += count;
}

}  // namespace

void merge_into(findings::Report* whole, findings::Report part) {
  bool is_new = part.programs.empty();
  for (const findings::ProgramRuns& program : part.programs)
    is_new = add_program(whole, program) || is_new;
  if (is_new) add_sites(&whole->sites, part.sites);
  whole->events.overwriting += part.events.overwriting;
  whole->events.contexts += part.events.contexts;
  whole->events.recorded += part.events.recorded;
  whole->events.judged += part.events.judged;
  for (const auto& [name, count] : part.lost) whole->lost[name] += count;
  for (const std::string& note : part.notes) {
    if (std::find(whole->notes.begin(), whole->notes.end(), note) == whole->notes.end())
      whole->notes.push_back(note);
  }
  for (findings::OtherChange& change : part.other_changes)
    whole->other_changes.push_back(std::move(change));
  for (auto& [name, section] : part.sections)
    add_section(&whole->sections[name], std::move(section));
  whole->cost.parked_s += part.cost.parked_s;
  whole->cost.slow_path_s += part.cost.slow_path_s;
  whole->cost.watch_s += part.cost.watch_s;
  whole->cost.gates_s += part.cost.gates_s;
  whole->cost.checks_s += part.cost.checks_s;
  whole->cost.monitor_cpu_s += part.cost.monitor_cpu_s;
  whole->cost.program_cpu_s += part.cost.program_cpu_s;
  add_findings(whole, std::move(part.findings));
}

}  // namespace geist::report
