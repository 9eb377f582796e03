// The array of a finding, one row a view, so that one look shows who covers which element:
//
//   g.middleware   [ 0 ][ 1 ][ 2 ]          len 3 cap 4
//   victim         [ 0 ][ 1 ][ 2 ][*3*]     len 4 cap 4
//
// All rows share one list of columns. When every index fits, each has a column; else the changed
// element, its neighbours and the ends of the views keep theirs and a gap column '…' stands for
// what is between. Indices are those of the array. Lengths come from the target's memory: every sum
// is saturated, and nothing here loops over a length.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "report/report.h"

namespace geist::report {
namespace {

constexpr usize kGapWidth = 3;  // " … "
constexpr usize kLabelSpace = 3;
constexpr usize kTailSpace = 5;
constexpr usize kMaxLabel = 30;

struct Span {
  i64 begin = 0;
  i64 end = 0;  // exclusive
  bool covers(i64 index) const { return index >= begin && index < end; }
};

struct Column {
  Span span;  // one index, or all those a gap stands for
  bool is_gap = false;
};

Span view_span(const findings::DrawnView& view) {
  constexpr i64 kFar = i64{1} << 40;  // farther than any Go slice reaches
  i64 begin = std::clamp(view.first, -kFar, kFar);
  i64 len = static_cast<i64>(std::min<u64>(view.len, static_cast<u64>(kFar)));
  return {begin, begin + len};
}

usize cell_width(const Span& all) {
  usize digits =
      std::max(fmt::formatted_size("{}", all.begin), fmt::formatted_size("{}", all.end - 1));
  return digits + 4;
}

std::vector<Column> make_columns(const std::set<i64>& kept, const Span& all) {
  std::vector<Column> columns;
  i64 next = all.begin;
  for (i64 index : kept) {
    if (index > next) columns.push_back({{next, index}, true});
    columns.push_back({{index, index + 1}, false});
    next = index + 1;
  }
  if (next < all.end) columns.push_back({{next, all.end}, true});
  return columns;
}

usize columns_width(const std::vector<Column>& columns, usize cell) {
  usize width = 0;
  for (const Column& column : columns) width += column.is_gap ? kGapWidth : cell;
  return width;
}

// What to keep when not everything fits, the most telling first.
std::vector<i64> wanted_indices(const std::vector<Span>& spans, std::optional<i64> changed,
                                const Span& all) {
  std::vector<i64> wanted;
  if (changed) {
    for (i64 offset : {0, -1, 1}) wanted.push_back(*changed + offset);
  }
  for (const Span& span : spans) {
    wanted.push_back(span.end - 1);
    wanted.push_back(span.begin);
  }
  if (changed) {
    for (i64 offset : {-2, 2, -3, 3}) wanted.push_back(*changed + offset);
  }
  std::erase_if(wanted, [&](i64 index) { return !all.covers(index); });
  return wanted;
}

std::vector<Column> plan_columns(const std::vector<Span>& spans, std::optional<i64> changed,
                                 usize room) {
  Span all = spans.front();
  for (const Span& span : spans)
    all = {std::min(all.begin, span.begin), std::max(all.end, span.end)};
  if (all.begin >= all.end) return {};
  usize cell = cell_width(all);
  std::set<i64> kept;
  if (static_cast<u64>(all.end - all.begin) * cell <= room) {
    for (i64 index = all.begin; index < all.end; index++) kept.insert(index);
    return make_columns(kept, all);
  }
  std::vector<i64> wanted = wanted_indices(spans, changed, all);
  for (i64 index : wanted) {
    bool is_new = kept.insert(index).second;
    bool fits = columns_width(make_columns(kept, all), cell) <= room;
    if (is_new && !fits && kept.size() > 1) kept.erase(index);
  }
  return make_columns(kept, all);
}

std::string draw_row(const std::vector<Column>& columns, const Span& view,
                     std::optional<i64> changed, usize cell) {
  std::string row;
  for (const Column& column : columns) {
    if (column.is_gap) {
      bool covered = view.begin < column.span.end && column.span.begin < view.end;
      row += covered ? " … " : "   ";
    } else if (!view.covers(column.span.begin)) {
      row += std::string(cell, ' ');
    } else {
      bool is_changed = changed && *changed == column.span.begin;
      row += fmt::format(fmt::runtime(is_changed ? "[*{:>{}}*]" : "[ {:>{}} ]"), column.span.begin,
                         cell - 4);
    }
  }
  return row;
}

}  // namespace

std::vector<std::string> draw_array(const std::vector<findings::DrawnView>& views,
                                    std::optional<i64> changed, usize width) {
  std::vector<std::string> rows;
  if (views.empty()) return rows;
  std::vector<Span> spans;
  std::vector<std::string> labels;
  std::vector<std::string> tails;
  usize label_width = 0;
  usize tail_width = 0;
  for (const findings::DrawnView& view : views) {
    spans.push_back(view_span(view));
    labels.push_back(clip(printable(view.label), kMaxLabel));
    tails.push_back(view.cap == 0 ? fmt::format("len {}", view.len)
                                  : fmt::format("len {} cap {}", view.len, view.cap));
    label_width = std::max(label_width, display_width(labels.back()));
    tail_width = std::max(tail_width, tails.back().size());
  }
  label_width += kLabelSpace;
  usize taken = label_width + kTailSpace + tail_width;
  std::vector<Column> columns = plan_columns(spans, changed, width > taken ? width - taken : 0);
  usize cell = 0;
  for (const Column& column : columns) {
    if (!column.is_gap) cell = std::max(cell, cell_width(column.span));
  }
  usize cells_width = columns_width(columns, cell);
  for (usize i = 0; i < views.size(); i++) {
    std::string row = labels[i] + std::string(label_width - display_width(labels[i]), ' ');
    row += draw_row(columns, spans[i], changed, cell);
    row += std::string(label_width + cells_width - display_width(row) + kTailSpace, ' ') + tails[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace geist::report
