// Suppressions and baselines work on names and fingerprints, never on lines or addresses: those
// move with every edit of the source. A rule without a reason is refused, because in a year nobody
// knows whether it may go; a rule that matched nothing is reported for the same cause.
#include "report/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/go_symbol.h"
#include "base/text.h"
#include "findings/fingerprint.h"
#include "report/report.h"

namespace geist::report {
namespace {

std::string trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  usize start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return "";
  return std::string(text.substr(start, text.find_last_not_of(kSpace) + 1 - start));
}

Result<Suppression> read_rule(const std::string& line) {
  constexpr std::string_view kForm =
      "expected site:GLOB, victim:GLOB, module:GLOB or test:GLOB, then # and the reason";
  Suppression rule;
  rule.text = line;
  usize hash = line.find('#');
  std::string body = trim(std::string_view(line).substr(0, hash));
  if (hash != std::string::npos) rule.reason = trim(std::string_view(line).substr(hash + 1));
  usize colon = body.find(':');
  std::string kind = body.substr(0, colon);
  if (kind == "site") {
    rule.kind = Suppression::Kind::kSite;
  } else if (kind == "victim") {
    rule.kind = Suppression::Kind::kVictim;
  } else if (kind == "module") {
    rule.kind = Suppression::Kind::kModule;
  } else if (kind == "test") {
    rule.kind = Suppression::Kind::kTest;
  } else {
    return Error(fmt::format("{}, found \"{}\"", kForm, printable(line)));
  }
  if (colon != std::string::npos) rule.glob = trim(std::string_view(body).substr(colon + 1));
  if (rule.glob.empty())
    return Error(fmt::format("{}: the GLOB is missing in \"{}\"", kForm, printable(line)));
  if (rule.reason.empty())
    return Error(fmt::format("the reason is missing: \"{}  # why\"", printable(body)));
  return rule;
}

// "github.com/x/y" of "github.com/x/y.(*T).M", with the dots that the symbol name escapes.
std::string package_of(const std::string& function) {
  usize bound = function.find_first_of("([");
  usize slash = function.rfind('/', bound == std::string::npos ? std::string::npos : bound);
  usize dot = function.find('.', slash == std::string::npos ? 0 : slash);
  std::string path = slash == std::string::npos ? "" : function.substr(0, slash + 1);
  std::string last = function.substr(
      path.size(), dot == std::string::npos ? std::string::npos : dot - path.size());
  return path + short_function(last);
}

// The name of a subtest may have slashes of its own: the path ends before the function.
bool is_test(const std::string& glob, std::string_view test) {
  usize function = std::string_view::npos;
  for (const char* kind : {".Test", ".Example", ".Fuzz", ".Benchmark"})
    function = std::min(function, test.find(kind));
  const usize slash = test.substr(0, function).rfind('/');
  return matches_glob(glob, test) ||
         matches_glob(glob, test.substr(slash == std::string_view::npos ? 0 : slash + 1));
}

void number_findings(findings::Report* report) {
  int id = 0;
  for (findings::Finding& finding : report->findings) finding.id = ++id;
}

}  // namespace

Result<std::vector<Suppression>> read_suppressions(std::string_view text) {
  std::vector<Suppression> rules;
  int number = 0;
  for (usize start = 0; start < text.size();) {
    usize end = std::min(text.find('\n', start), text.size());
    std::string line = trim(text.substr(start, end - start));
    start = end + 1;
    number++;
    if (line.empty() || line[0] == '#') continue;
    Result<Suppression> rule = read_rule(line);
    if (!rule.ok()) return rule.take_error().in(fmt::format("line {}", number));
    rules.push_back(std::move(rule).value());
  }
  return rules;
}

// Backtracks to the last '*' only: linear in practice, never worse than |glob| x |text|.
bool matches_glob(std::string_view glob, std::string_view text) {
  usize g = 0;
  usize t = 0;
  usize star = std::string_view::npos;
  usize star_text = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_text = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      g++;
      t++;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') g++;
  return g == glob.size();
}

bool matches(const Suppression& suppression, const findings::Finding& finding,
             const findings::Target& target) {
  if (suppression.kind == Suppression::Kind::kVictim) {
    const findings::Victim& victim = finding.victim;
    return (!victim.name.empty() && matches_glob(suppression.glob, victim.name)) ||
           (!victim.type.empty() && matches_glob(suppression.glob, victim.type));
  }
  if (suppression.kind == Suppression::Kind::kTest)
    return !finding.tests.empty() &&
           std::ranges::all_of(finding.tests, [&](const std::string& test) {
             return is_test(suppression.glob, test);
           });
  if (finding.append_stack.empty()) return false;
  const findings::Frame& site = finding.append_stack.front();
  if (suppression.kind == Suppression::Kind::kSite) {
    std::string name = short_function(site.function);
    return matches_glob(suppression.glob, site.function) || matches_glob(suppression.glob, name) ||
           matches_glob(suppression.glob,
                        fmt::format("{}:{}:{}", name, base_name(site.file), site.line));
  }
  std::string package = package_of(site.function);
  if (package == "main" && !target.module.empty()) package = target.module;
  for (usize end = package.size(); end != std::string::npos && end > 0;
       end = package.rfind('/', end - 1)) {
    if (matches_glob(suppression.glob, std::string_view(package).substr(0, end))) return true;
  }
  return false;
}

bool keep_only(std::string_view which, findings::Report* report) {
  std::erase_if(report->findings, [&](const findings::Finding& finding) {
    const bool is_named = which == fmt::format("{}", finding.id) || which == finding.fingerprint ||
                          std::ranges::find(finding.aliases, which) != finding.aliases.end();
    return !is_named;
  });
  return !report->findings.empty();
}

void drop_below(findings::Level level, findings::Report* report) {
  std::erase_if(report->findings,
                [&](const findings::Finding& finding) { return finding.level < level; });
  number_findings(report);
}

void apply_suppressions(const std::vector<Suppression>& suppressions, findings::Report* report) {
  std::set<usize> used;
  usize before = report->findings.size();
  std::erase_if(report->findings, [&](const findings::Finding& finding) {
    bool is_hidden = false;
    for (usize i = 0; i < suppressions.size(); i++) {
      if (!matches(suppressions[i], finding, report->target)) continue;
      used.insert(i);
      is_hidden = true;
    }
    return is_hidden;
  });
  report->suppressed += before - report->findings.size();
  std::erase_if(report->other_changes, [&](const findings::OtherChange& change) {
    bool is_hidden = false;
    for (usize i = 0; i < suppressions.size(); i++) {
      const bool names_it = suppressions[i].kind == Suppression::Kind::kTest &&
                            !change.test.empty() && is_test(suppressions[i].glob, change.test);
      if (names_it) used.insert(i);
      is_hidden |= names_it;
    }
    return is_hidden;
  });
  for (usize i = 0; i < suppressions.size(); i++) {
    if (!used.contains(i)) report->unused_suppressions.push_back(suppressions[i].text);
  }
  number_findings(report);
}

void apply_baseline(const findings::Report& baseline, findings::Report* report) {
  usize before = report->findings.size();
  std::erase_if(report->findings, [&](const findings::Finding& finding) {
    return std::ranges::any_of(baseline.findings, [&](const findings::Finding& known) {
      return findings::is_same_bug(known, finding);
    });
  });
  usize hidden = before - report->findings.size();
  if (hidden != 0)
    report->notes.push_back(
        fmt::format("{} finding{} of the baseline not shown", hidden, hidden == 1 ? "" : "s"));
  number_findings(report);
}

bool has_finding(const findings::Report& report, findings::Level level) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [&](const findings::Finding& finding) { return finding.level >= level; });
}

}  // namespace geist::report
