// The two forms for reading elsewhere: Markdown, of which docs/article.md is made, and one HTML page.
// Both have a section a case: who sees it, and its claims with a column a release. What programs
// printed stands in both as text only.
#include <fmt/format.h>

#include "base/printable.h"
#include "base/text.h"
#include "lab/report.h"

namespace geist::lab {
namespace {

// In a cell of a table: nothing in it is markup.
std::string escape_markdown(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\\`*_[]<>|#").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

std::string sight_words(const Sight& sight) {
  if (!sight.ran) return "not run: " + sight.words;
  return fmt::format("{}: {}", sight.sees ? "sees it" : "silent", sight.words);
}

std::string decision_words(const Decision& decision) {
  return fmt::format("{}: {}", decision.words, decision.figure);
}

// What a cell says when it would say what the one at its left says.
constexpr const char* kSame = "the same";

// A table without its markup: rows of cells, the first row is the head.
using Rows = std::vector<std::vector<std::string>>;

// Cells of the releases begin at `first`.
void add_cell(std::vector<std::string>& row, std::string text, usize first) {
  usize last = row.size();
  while (last > first && row[last - 1] == kSame) --last;
  row.push_back(last > first && row[last - 1] == text ? kSame : std::move(text));
}

Rows sight_rows(const LabReport& report, usize which) {
  Rows rows = {{"who sees it"}};
  for (const ReleaseRun& run : report.runs) rows[0].push_back(run.go);
  for (usize way = 0; way < 4; ++way) {
    std::vector<std::string> row;
    for (const ReleaseRun& run : report.runs) {
      const CaseResult& result = run.results[which];
      const bool is_there = way < result.sights.size();
      if (row.empty()) row.push_back(is_there ? result.sights[way].way : "?");
      add_cell(row, is_there ? sight_words(result.sights[way]) : "not run: " + result.broken, 1);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Rows claim_rows(const LabReport& report, usize which) {
  Rows rows = {{"claim", "who says so"}};
  const bool is_many = report.runs.size() > 1;
  if (is_many) rows[0].push_back("over these releases");
  for (const ReleaseRun& run : report.runs) rows[0].push_back(run.go);
  const Case& one = *report.cases[which];
  for (usize i = 0; i < one.claims.size(); ++i) {
    std::vector<std::string> row = {one.claims[i].text, one.claims[i].source};
    if (is_many) row.push_back(verdict_over_releases(report, which, i));
    const usize first = row.size();
    for (const ReleaseRun& run : report.runs)
      add_cell(row, decision_words(run.results[which].decisions[i]), first);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string markdown_table(const Rows& rows) {
  std::string out;
  for (usize i = 0; i < rows.size(); ++i) {
    out += "|";
    for (const std::string& cell : rows[i]) out += " " + escape_markdown(printable(cell)) + " |";
    out += "\n";
    if (i != 0) continue;
    out += "|";
    for (usize k = 0; k < rows[0].size(); ++k) out += "---|";
    out += "\n";
  }
  return out;
}

std::string html_table(const Rows& rows) {
  std::string out = "<div class=\"wide\"><table>\n";
  for (usize i = 0; i < rows.size(); ++i) {
    out += "<tr>";
    for (usize k = 0; k < rows[i].size(); ++k) {
      const std::string cell = escape_html(printable(rows[i][k]));
      out += i == 0 ? fmt::format("<th scope=\"col\">{}</th>", cell)
                    : fmt::format("<td>{}</td>", cell);
    }
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string describe_runs(const LabReport& report) {
  std::string out;
  for (const ReleaseRun& run : report.runs)
    out += fmt::format("{}{} ({:.0f} s)", out.empty() ? "" : ", ", run.go,
                       static_cast<double>(run.wall_ms) / 1000);
  return fmt::format("{}, on {} processor{}{}", out, report.processors,
                     report.processors == 1 ? "" : "s", describe_load(report));
}

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --edge: #b8bec8; --head: #eef0f3; }
@media (prefers-color-scheme: dark) { :root { --edge: #454d59; --head: #242a33; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 1.5rem auto; padding: 0 1rem; }
h2 { margin: 2.2rem 0 .5rem; }
pre { background: var(--head); padding: .7rem .9rem; border-radius: 6px; overflow-x: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .9rem; }
th, td { border: 1px solid var(--edge); padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--head); }
)";

}  // namespace

std::string emit_lab_markdown(const LabReport& report, const std::string& command) {
  std::string out = "# The article, measured\n\n";
  out += fmt::format("Written by `{}`: {}.\n", printable(command), describe_runs(report));
  out +=
      "Every verdict is computed from what the programs of `lab/cases` printed in these runs; "
      "the figure beside it is what decided.\n";
  for (usize i = 0; i < report.cases.size(); ++i) {
    out += fmt::format("\n## {}: {}\n\n", report.cases[i]->name,
                       escape_markdown(printable(report.cases[i]->title)));
    out += markdown_table(claim_rows(report, i)) + "\n" + markdown_table(sight_rows(report, i));
  }
  return out;
}

std::string emit_lab_html(const LabReport& report) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      "<title>geist lab</title>\n<style>{}</style>\n</head>\n<body>\n<h1>geist lab</h1>\n"
      "<p>{}. The figure beside a verdict is what decided.</p>\n",
      kStyle, escape_html(printable(describe_runs(report))));
  for (usize i = 0; i < report.cases.size(); ++i) {
    const Case& one = *report.cases[i];
    out += fmt::format("<section id=\"{0}\">\n<h2>{0}: {1}</h2>\n<pre>{2}</pre>\n", one.name,
                       escape_html(printable(one.title)),
                       escape_html(printable_lines(one.page).text()));
    out += html_table(claim_rows(report, i)) + html_table(sight_rows(report, i)) + "</section>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace geist::lab
