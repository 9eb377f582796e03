// See site_finding.h. Nothing is asked of a process: all of it stands in the file.
#include "run/site_finding.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "detect/append/stop_point.h"
#include "findings/fingerprint.h"
#include "probe/heal_choice.h"
#include "run/heal_names.h"
#include "source/finding_sources.h"

namespace geist::run {

const sites::AppendSite* SiteFindings::find(ImageAddr call) const {
  auto found = std::ranges::find(table_.sites, call, &sites::AppendSite::call);
  return found == table_.sites.end() ? nullptr : &*found;
}

// As detect/append/describe.cc has it of an event: in Go's own code, the function of the program's that
// the append was inlined into and what it calls; nobody knows who called from further out.
std::string SiteFindings::place_of(const sites::AppendSite& site) {
  const read::Pclntab& functions = binary_.pclntab();
  std::vector<read::SourceFrame> frames =
      functions.source_frames(functions.function(site.function), site.call);
  if (!sites::is_gos_own(binary_, frames.front().function)) {
    const sites::AppendIdentity identity = identities_.of(site);
    return fmt::format("{}|{}", identity.function, identity.ordinal);
  }
  std::string entry;
  for (const read::SourceFrame& frame : frames) {
    const std::string function = identities_.declaring(frame);
    if (!sites::is_gos_own(binary_, frame.function)) return function + "|" + entry;
    entry = function;
  }
  return entry;
}

void SiteFindings::rename(ImageAddr call, std::string_view rule, std::string_view finding_class,
                          findings::Finding& finding) {
  const sites::AppendSite* site = find(call);
  GEIST_CHECK(site != nullptr);
  give_name(place_of(*site), rule, finding_class, finding);
}

void SiteFindings::give_name(const std::string& place, std::string_view rule,
                             std::string_view finding_class, findings::Finding& finding) const {
  finding.rule = rule;
  finding.finding_class = finding_class;
  finding.aliases.clear();
  finding.fingerprint = findings::fingerprint_of(finding.rule + "|" + place);
  if (const auto full = sites::with_import_path(binary_, place)) {
    finding.aliases.push_back(finding.fingerprint);
    finding.fingerprint = findings::fingerprint_of(finding.rule + "|" + *full);
  }
}

// Proved, at that call.
findings::Finding SiteFindings::at(const read::Function& function, ImageAddr call) const {
  findings::Finding f;
  f.level = findings::Level::kProved;
  f.pc = fmt::format("{:#x}", call.value);
  for (const read::SourceFrame& source : binary_.pclntab().source_frames(function, call)) {
    findings::Frame frame;
    frame.function = std::string(source.function);
    frame.file = std::string(source.file);
    frame.line = source.line;
    frame.inlined = source.inlined;
    f.append_stack.push_back(std::move(frame));
  }
  if (f.append_stack[0].inlined) f.inlined_into = std::string(function.name);
  return f;
}

findings::Finding SiteFindings::make_of_put(ImageAddr call, usize ordinal, std::string_view rule,
                                            std::string_view finding_class) {
  const std::optional<read::Function> function = binary_.pclntab().find_function(call);
  GEIST_CHECK(function.has_value());
  findings::Finding f = at(*function, call);
  const std::vector<read::SourceFrame> frames = binary_.pclntab().source_frames(*function, call);
  give_name(fmt::format("{}|put {}", identities_.declaring(frames.front()), ordinal), rule,
            finding_class, f);
  return f;
}

findings::Finding SiteFindings::make(ImageAddr call, std::string_view rule,
                                     std::string_view finding_class) {
  const sites::AppendSite* site = find(call);
  GEIST_CHECK(site != nullptr);
  findings::Finding f = at(binary_.pclntab().function(site->function), call);
  f.stop = detect::append::stop_point_of(*site);
  if (probe::why_not_healable(*site).empty()) f.heal = sites::name_of(binary_, *site).text();
  f.element_size = site->elem_size;
  if (site->type_addr) {
    Result<read::GoType> type = binary_.types().read(site->type_addr);
    if (type.ok()) f.element_type = type->name;
  }
  f.site_code = sites::hash_site_code(codes_, *site);
  rename(call, rule, finding_class, f);
  return f;
}

void add_lines(std::vector<findings::Bisection::Site>& sites, source::SourceCache& sources) {
  for (findings::Bisection::Site& site : sites)
    site.frame.source = sources.line_text(site.frame.file, site.frame.line);
}

namespace {

// Each append of the set has the proof: healing all of them changed it, healing fewer did not.
void add_proved(const prove::UnseenSet& set, SiteFindings& make, source::SourceCache& sources,
                const std::string& test, findings::Report& report) {
  std::vector<findings::Finding> made;
  for (const prove::NamedAppend& append : set.appends)
    made.push_back(make.make(append.calls.front(), "GB001", "ghost_write"));
  source::add_sources(made, sources);
  for (findings::Finding& one : made) {
    one.count = std::max<u64>(1, set.proof.healed_count);
    if (set.mode == abi::kHealAlways && !one.heal.empty()) one.heal += "!";
    auto same = std::ranges::find_if(report.findings, [&](const findings::Finding& known) {
      return findings::is_same_bug(known, one);
    });
    findings::Finding& finding =
        same == report.findings.end() ? report.findings.emplace_back(std::move(one)) : *same;
    finding.level = findings::Level::kProved;
    finding.proof = set.proof;
    if (!test.empty() && std::ranges::find(finding.tests, test) == finding.tests.end())
      finding.tests.push_back(test);
  }
}

}  // namespace

void add_unseen(const prove::UnseenAnswer& answer, SiteFindings& make, source::SourceCache& sources,
                const std::string& test, findings::Report& report) {
  for (const prove::UnseenSet& set : answer.sets) {
    const bool is_proved =
        set.standing == prove::Standing::kFixed || set.standing == prove::Standing::kCapacity;
    if (is_proved) {
      add_proved(set, make, sources, test, report);
    } else {
      const bool relies = set.standing == prove::Standing::kBroken;
      report.other_changes.push_back(
          {relies ? "relies_on_sharing" : "undecided", "", set.reason, test, set.sites, set.proof});
      add_lines(report.other_changes.back().sites, sources);
    }
    if (set.standing == prove::Standing::kCapacity)
      report.notes.push_back(fmt::format(
          "{}: {} changes alike when append gives no room (geist run --condition=tight64): it "
          "depends on a capacity that the language leaves open",
          set.sites.front().heal, set.proof.what));
  }
  report.notes.insert(report.notes.end(), answer.notes.begin(), answer.notes.end());
}

}  // namespace geist::run
