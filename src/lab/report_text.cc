// Text for a terminal, 100 columns wide.
#include <fmt/format.h>

#include "base/text.h"
#include "lab/report.h"

namespace geist::lab {
namespace {

constexpr usize kWidth = 100;
constexpr usize kWayColumn = 11;
constexpr usize kVerdictColumn = 13;

// Breaks at spaces; lines after the first are indented.
std::string wrap(const std::string& text, usize first_column, usize indent) {
  std::string out;
  usize column = first_column;
  for (usize at = 0; at < text.size();) {
    usize end = std::min(text.find(' ', at), text.size());
    std::string word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    const usize width = display_width(word);
    const bool is_first = out.empty();
    if (!is_first && column + 1 + width > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!is_first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
  }
  return out;
}

std::string pad(const std::string& text, usize width) {
  const usize used = display_width(text);
  return used >= width ? text : text + std::string(width - used, ' ');
}

const char* paint_of(Verdict verdict) {
  return verdict == Verdict::kFalse  ? "\x1b[1;31m"
         : verdict == Verdict::kTrue ? "\x1b[32m"
                                     : "\x1b[1m";
}

std::string painted(const std::string& text, Verdict verdict, bool color) {
  return color ? paint_of(verdict) + text + "\x1b[0m" : text;
}

std::string claim_text(const Claim& claim) {
  return claim.source.empty() ? claim.text : fmt::format("{} ({})", claim.text, claim.source);
}

const char* seen_word(const Sight& sight) {
  if (!sight.ran) return "not run";
  return sight.sees ? "sees it" : "silent";
}

std::string emit_sights(const CaseResult& result) {
  std::string out;
  for (const Sight& sight : result.sights) {
    std::string line =
        fmt::format("  {} {}  ", pad(sight.way, kWayColumn), pad(seen_word(sight), 8));
    line += pad(clip(sight.words, 62), 62);
    if (sight.ran) line += fmt::format("{:>9.2f} s", static_cast<double>(sight.wall_ms) / 1000);
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string emit_claims(const LabReport& report, usize which, const ReleaseRun& run, bool color) {
  std::string out;
  const Case& one = *report.cases[which];
  for (usize i = 0; i < one.claims.size(); ++i) {
    const Decision& decision = run.results[which].decisions[i];
    out += "  " + wrap(claim_text(one.claims[i]), 2, 2) + "\n";
    out += fmt::format("      {}: {}\n", painted(decision.words, decision.verdict, color),
                       wrap(decision.figure, 8 + display_width(decision.words), 6));
  }
  return out;
}

std::string emit_notes(const CaseResult& result) {
  std::string out;
  for (const std::string& note : result.notes) out += "  note: " + wrap(note, 8, 8) + "\n";
  return out;
}

std::string emit_sums(const LabReport& report) {
  VerdictCounts counts = count_verdicts(report);
  std::string go;
  u64 wall_ms = 0;
  for (const ReleaseRun& run : report.runs) {
    go += (go.empty() ? "" : ", ") + run.go;
    wall_ms += run.wall_ms;
  }
  return fmt::format(
      "geist lab: {} case{}, {} claims: {} true, {} false, {} depend, {} undecided · {} · {} "
      "processor{}{} · {:.0f} s\n",
      report.cases.size(), report.cases.size() == 1 ? "" : "s",
      counts.decided_true + counts.decided_false + counts.depends + counts.undecided,
      counts.decided_true, counts.decided_false, counts.depends, counts.undecided, go,
      report.processors, report.processors == 1 ? "" : "s", describe_load(report),
      static_cast<double>(wall_ms) / 1000);
}

// The row of a claim: the verdict in a word, and beside it the claim with its figure.
std::string emit_row(const Claim& claim, const Decision& decision, bool color) {
  const std::string verdict = decision.words.substr(0, decision.words.find(' '));
  std::string out =
      "  " + painted(verdict, decision.verdict, color) +
      std::string(kVerdictColumn - 2 - std::min(verdict.size(), kVerdictColumn - 3), ' ');
  const usize indent = kVerdictColumn + 2;
  const std::string figure = decision.verdict == Verdict::kDepends
                                 ? fmt::format("{}: {}", decision.words, decision.figure)
                                 : decision.figure;
  out += wrap(claim_text(claim), kVerdictColumn, indent) + "\n";
  return out + std::string(indent, ' ') + wrap(figure, indent, indent) + "\n";
}

std::string emit_release_table(const LabReport& report, const ReleaseRun& run, bool color) {
  std::string out;
  for (usize i = 0; i < report.cases.size(); ++i) {
    const CaseResult& result = run.results[i];
    out += fmt::format("{}: {}\n", result.name, result.title);
    if (!result.broken.empty()) {
      out += "  " + wrap("not run: " + result.broken, 2, 2) + "\n\n";
      continue;
    }
    std::string seen;
    for (const Sight& sight : result.sights)
      seen += fmt::format("{}{} {}", seen.empty() ? "" : " · ", sight.way, seen_word(sight));
    out += "  " + seen + "\n";
    for (usize k = 0; k < result.decisions.size(); ++k)
      out += emit_row(report.cases[i]->claims[k], result.decisions[k], color);
    out += emit_notes(result) + "\n";
  }
  return out;
}

}  // namespace

std::string describe_load(const LabReport& report) {
  if (report.load <= report.processors) return "";
  return fmt::format(", busy (load {:.1f}): figures of time are coarse", report.load);
}

VerdictCounts count_verdicts(const LabReport& report) {
  VerdictCounts counts;
  for (const ReleaseRun& run : report.runs) {
    for (const CaseResult& result : run.results) {
      for (const Decision& decision : result.decisions) {
        if (decision.verdict == Verdict::kTrue) ++counts.decided_true;
        if (decision.verdict == Verdict::kFalse) ++counts.decided_false;
        if (decision.verdict == Verdict::kDepends) ++counts.depends;
        if (decision.verdict == Verdict::kUndecided) ++counts.undecided;
      }
    }
  }
  return counts;
}

std::string verdict_over_releases(const LabReport& report, usize which_case, usize which_claim) {
  std::vector<ReleaseDecision> decisions;
  for (const ReleaseRun& run : report.runs)
    decisions.push_back({run.minor, run.results[which_case].decisions[which_claim]});
  return combine_releases(std::move(decisions));
}

std::string emit_list(const std::vector<Case>& cases) {
  std::string out = "Cases that Go programmers meet; what is claimed of each is measured here:\n\n";
  for (const Case& one : cases)
    out += fmt::format("  {} {}\n", pad(one.name, 14), wrap(one.title, 17, 17));
  out +=
      "\n`geist lab NAME` explains one and runs it; `geist lab --all` runs all and prints one "
      "table.\n";
  return out;
}

std::string emit_case(const LabReport& report, bool color) {
  const Case& one = *report.cases.front();
  std::string out = fmt::format("{}: {}\n\n{}", one.name, one.title, one.page);
  for (const ReleaseRun& run : report.runs) {
    const CaseResult& result = run.results.front();
    out += fmt::format("\nWho sees it, {}\n{}", run.go, emit_sights(result));
    out += "\nClaims, measured\n" + emit_claims(report, 0, run, color) + emit_notes(result);
  }
  if (report.runs.size() > 1) {
    out += "\nOver these releases\n";
    for (usize i = 0; i < one.claims.size(); ++i)
      out += fmt::format("  {}\n      {}\n", wrap(claim_text(one.claims[i]), 2, 2),
                         verdict_over_releases(report, 0, i));
  }
  return out + "\n" + emit_sums(report);
}

std::string emit_table(const LabReport& report, bool color) {
  std::string out;
  for (const ReleaseRun& run : report.runs) {
    if (report.runs.size() > 1) out += fmt::format("=== {}\n\n", run.go);
    out += emit_release_table(report, run, color);
  }
  if (report.runs.size() > 1) {
    out += "=== over these releases\n\n";
    for (usize i = 0; i < report.cases.size(); ++i) {
      out += report.cases[i]->name + "\n";
      for (usize k = 0; k < report.cases[i]->claims.size(); ++k)
        out += fmt::format("  {}\n      {}\n", wrap(claim_text(report.cases[i]->claims[k]), 2, 2),
                           verdict_over_releases(report, i, k));
    }
    out += "\n";
  }
  return out + emit_sums(report);
}

}  // namespace geist::lab
