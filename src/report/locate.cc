// Every number of the table was counted: by the trampolines (section `signals`), by the judge
// (findings; who shares an array, while the append waits), by the program's own allocation profile.
#include "report/locate.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/go_symbol.h"
#include "base/printable.h"
#include "base/text.h"

namespace geist::report {
namespace {

using findings::Finding;
using Json = nlohmann::ordered_json;

bool is_in_main_module(const std::string& function, const findings::Target& target) {
  if (function.starts_with("main.")) return true;
  if (target.module.empty() || !function.starts_with(target.module)) return false;
  const char next = function.c_str()[target.module.size()];
  return next == '.' || next == '/';
}

// The sum of a column of the section, by its name: sections may get more columns.
u64 value_of(const findings::Section& section, const findings::Section::Row& row,
             std::string_view column) {
  for (usize i = 0; i < section.columns.size() && i < row.values.size(); ++i) {
    if (section.columns[i] == column) return row.values[i];
  }
  return 0;
}

std::string values_of(const Finding& finding) {
  if (finding.before.empty() || finding.after.empty()) return "an element";
  return fmt::format("{} with {}", clip(finding.before, 32), clip(finding.after, 32));
}

std::string reason_of(const Finding& finding) {
  const std::string room =
      finding.cap != 0 ? fmt::format("len {} of cap {}: ", finding.old_len, finding.cap) : "";
  const std::string what =
      finding.victim.is_known()
          ? fmt::format("{}overwrote {} in {}", room, values_of(finding),
                        describe_victim(finding.victim))
          : std::string("what the program does changes when it is made to copy");
  if (finding.level < findings::Level::kLikely) return what + "; nobody was seen to use it";
  if (finding.reader_stack.empty()) return what + ", which is still in use";
  const findings::Frame& reader = finding.reader_stack.front();
  return fmt::format("{}, which {} ({}:{}) read afterwards", what, short_function(reader.function),
                     base_name(reader.file), reader.line);
}

std::string reason_of(const LocatedAppend& row) {
  if (row.overwrites != 0)
    return "finds something in the room that it writes to; nobody was seen to use that";
  if (row.in_place == 0 && row.grows == 0)
    return "allocates; no append of this line was made meanwhile";
  if (row.in_place == 0)
    return "grows each time: a capacity given to make would save what that copies";
  return row.grows == 0 ? "has room of its own" : "has room of its own, and grows";
}

class Table {
 public:
  explicit Table(const findings::Report& report) : report_(report) {}

  void add_signals() {
    const auto found = report_.sections.find("signals");
    if (found == report_.sections.end()) return;
    for (const findings::Section::Row& row : found->second.rows) {
      LocatedAppend& append = at(row.file, row.line, row.function);
      append.in_place += value_of(found->second, row, "in_place");
      append.grows += value_of(found->second, row, "grows");
      append.bytes_copied += value_of(found->second, row, "bytes_copied");
      append.overwrites += value_of(found->second, row, "overwrites");
    }
  }

  void add_findings() {
    for (const Finding& finding : report_.findings) {
      if (finding.append_stack.empty()) continue;  // latent: no append yet
      const findings::Frame& site = finding.append_stack.front();
      LocatedAppend& append = at(site.file, site.line, site.function);
      ++append.findings;
      append.shared_by = std::max(append.shared_by, finding.sharing);
      append.changed += 1 + finding.other_victims.size();
      if (append.level && *append.level >= finding.level) continue;
      append.level = finding.level;
      append.reason = reason_of(finding);
    }
  }

  void add_allocated(const std::vector<AllocatedLine>& lines) {
    for (const AllocatedLine& line : lines) {
      LocatedAppend& append = at(line.file, static_cast<i32>(line.line), line.function);
      append.allocated = append.allocated.value_or(0) + line.bytes;
    }
  }

  std::vector<LocatedAppend> take() {
    std::vector<LocatedAppend> rows;
    for (auto& [place, row] : rows_) {
      if (!row.level && !is_in_main_module(row.function, report_.target)) continue;
      if (row.reason.empty()) row.reason = reason_of(row);
      rows.push_back(std::move(row));
    }
    std::ranges::stable_sort(rows, [](const LocatedAppend& a, const LocatedAppend& b) {
      const auto key = [](const LocatedAppend& row) {
        return std::tuple(row.level ? static_cast<int>(*row.level) : -1, row.overwrites,
                          row.bytes_copied, row.allocated.value_or(0), row.in_place);
      };
      return key(a) > key(b);
    });
    return rows;
  }

 private:
  LocatedAppend& at(const std::string& file, i32 line, const std::string& function) {
    LocatedAppend& row = rows_[{file, line}];
    row.place = {file, line};
    if (row.function.empty()) row.function = function;
    return row;
  }

  const findings::Report& report_;
  std::map<findings::PlaceInSource, LocatedAppend> rows_;
};

std::string rate_text(u64 count, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(count) / seconds : 0;
  return rate >= 100 ? fmt::format("{:.0f}", rate) : fmt::format("{:.1f}", rate);
}

}  // namespace

std::vector<LocatedAppend> locate(const findings::Report& report,
                                  const std::vector<AllocatedLine>& allocated) {
  Table table(report);
  table.add_signals();
  table.add_findings();
  table.add_allocated(allocated);
  return table.take();
}

std::string emit_located_text(const findings::Report& report,
                              const std::vector<LocatedAppend>& rows, usize most,
                              const TextOptions& options) {
  const double seconds = report.cost.wall_s;
  const bool has_profile =
      std::ranges::any_of(rows, [](const LocatedAppend& row) { return row.allocated.has_value(); });
  std::string out = fmt::format("{} appends of {} in {:.1f} s, the most suspicious first\n\n",
                                rows.size(), printable(report.target.binary), seconds);
  out += fmt::format("  {:<9}  {:>10}  {:>6}  {:>7}  {:>10}  {:>8}  {:>9}{}  append\n", "level",
                     "overwrites", "shared", "changed", "in place/s", "grows/s", "copied",
                     has_profile ? "  allocated" : "");
  const auto number_or_dash = [](u64 number) {
    return number == 0 ? std::string("-") : fmt::format("{}", number);
  };
  for (const LocatedAppend& row : rows | std::views::take(most)) {
    const std::string allocated =
        row.allocated ? human_size(static_cast<u64>(std::max<i64>(*row.allocated, 0))) : "-";
    out += fmt::format("  {:<9}  {:>10}  {:>6}  {:>7}  {:>10}  {:>8}  {:>9}{}  {}  {}:{}\n",
                       row.level ? findings::level_name(*row.level) : "-", row.overwrites,
                       number_or_dash(row.shared_by), number_or_dash(row.changed),
                       rate_text(row.in_place, seconds), rate_text(row.grows, seconds),
                       human_size(row.bytes_copied),
                       has_profile ? fmt::format("  {:>9}", allocated) : "",
                       short_function(row.function),
                       short_file(row.place.file, report.target, options), row.place.line);
    out += fmt::format("             {}\n", row.reason);
  }
  if (rows.size() > most) out += fmt::format("  and {} more, with --json\n", rows.size() - most);
  return out;
}

std::string emit_located_json(const findings::Report& report,
                              const std::vector<LocatedAppend>& rows) {
  Json list = Json::array();
  for (const LocatedAppend& row : rows) {
    list.push_back(
        {{"function", row.function},
         {"file", row.place.file},
         {"line", row.place.line},
         {"level", row.level ? Json(std::string(findings::level_name(*row.level))) : Json(nullptr)},
         {"findings", row.findings},
         {"overwrites", row.overwrites},
         {"shared_by", row.shared_by != 0 ? Json(row.shared_by) : Json(nullptr)},
         {"changed", row.changed},
         {"in_place", row.in_place},
         {"grows", row.grows},
         {"bytes_copied", row.bytes_copied},
         {"allocated_bytes", row.allocated ? Json(*row.allocated) : Json(nullptr)},
         {"reason", row.reason}});
  }
  const Json json = {{"schema", "geist-locate/1"},     {"geist", report.geist_version},
                     {"binary", report.target.binary}, {"go", report.target.go},
                     {"seconds", report.cost.wall_s},  {"appends", list}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace geist::report
