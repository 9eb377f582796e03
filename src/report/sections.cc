#include "report/sections.h"

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

}  // namespace

std::vector<u64> totals_of(const findings::Section& section) {
  std::vector<u64> totals(section.columns.size());
  for (const findings::Section::Row& row : section.rows) {
    for (usize i = 0; i < totals.size() && i < row.values.size(); ++i) totals[i] += row.values[i];
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
    std::string where = fmt::format("{} ({}:{})", short_function(row.function),
                                    short_file(row.file, target, options), row.line);
    lines.push_back(line + "  " + printable(where));
  }
  if (section.rows.size() > kMostRows)
    lines.push_back(
        fmt::format("  and {} more places, in the JSON report", section.rows.size() - kMostRows));
  if (!section.note.empty()) lines.push_back("  " + printable(section.note));
  return lines;
}

}  // namespace geist::report
