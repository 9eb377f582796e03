#include "report/sections.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "base/text.h"

namespace geist::report {
namespace {

constexpr usize kMostRows = 10;

std::string words_of(std::string column) {
  for (char& c : column) c = c == '_' ? ' ' : c;
  return column;
}

std::string place_text(const auto& of, const findings::Target& target, const TextOptions& options) {
  if (of.file.empty()) return of.function;
  return fmt::format("{} ({}:{})", short_function(of.function),
                     short_file(of.file, target, options), of.line);
}

// "main.cache, a map[string]int, first used in main.load (main.go:20)"
std::string where_text(const findings::Section::Row& row, const findings::Target& target,
                       const TextOptions& options) {
  const std::string place = place_text(row, target, options);
  if (row.type.empty()) return place;
  const std::string what =
      row.name.empty() ? row.type : fmt::format("{}, a {}", row.name, row.type);
  return place.empty() ? what : fmt::format("{}, first used in {}", what, place);
}

// "8 goroutines of main.serve (main.go:44), 1 of (main goroutine)"
std::string makers_text(const findings::Section::Row& row, const findings::Target& target,
                        const TextOptions& options) {
  std::string out;
  for (const findings::Section::Maker& maker : row.makers) {
    const std::string place = place_text(maker, target, options);
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", maker.goroutines,
                       maker.file.empty() ? place : "made in " + place);
  }
  return "goroutines: " + out;
}

}  // namespace

std::vector<u64> totals_of(const findings::Section& section) {
  std::vector<u64> totals(section.columns.size());
  for (const findings::Section::Row& row : section.rows) {
    for (usize i = 0; i < totals.size() && i < row.values.size(); ++i) {
      // One goroutine may use several of them.
      const bool adds_up = section.columns[i] != "goroutines";
      totals[i] = adds_up ? totals[i] + row.values[i] : std::max(totals[i], row.values[i]);
    }
  }
  return totals;
}

std::vector<std::string> describe_section(const std::string& name, const findings::Section& section,
                                          const findings::Target& target,
                                          const TextOptions& options) {
  std::vector<u64> totals = totals_of(section);
  std::vector<usize> widths;
  std::string head = "  ";
  std::string sums = fmt::format("geist: {}:", name);
  for (usize i = 0; i < totals.size(); ++i) {
    std::string words = printable(words_of(section.columns[i]));
    widths.push_back(std::max(words.size(), std::to_string(totals[i]).size()) + 2);
    head += fmt::format("{:>{}}", words, widths.back());
    sums += fmt::format("{} {} {}", i == 0 ? "" : ",", words, totals[i]);
  }
  std::vector<std::string> lines{sums};
  if (!section.rows.empty()) lines.push_back(head);
  for (usize at = 0; at < section.rows.size() && at < kMostRows; ++at) {
    const findings::Section::Row& row = section.rows[at];
    std::string line = "  ";
    for (usize i = 0; i < widths.size(); ++i)
      line += fmt::format("{:>{}}", i < row.values.size() ? row.values[i] : 0, widths[i]);
    lines.push_back(line + "  " + printable(where_text(row, target, options)));
    if (row.makers.size() > 1 || (row.makers.size() == 1 && row.makers[0].goroutines > 1))
      lines.push_back(fmt::format("  {:>{}}  {}", "", line.size() - 2,
                                  printable(makers_text(row, target, options))));
  }
  if (section.rows.size() > kMostRows)
    lines.push_back(fmt::format("  and {} more {}, in the JSON report",
                                section.rows.size() - kMostRows,
                                section.rows.front().type.empty() ? "places" : "maps"));
  if (!section.note.empty()) lines.push_back("  " + printable(section.note));
  return lines;
}

}  // namespace geist::report
