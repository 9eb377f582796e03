// A filter of labels is a range of numbers when it can be read as one, and otherwise expressions. The unit of
// a number is the first that any sample gives for its key, so a range needs one pass over all labels.
#include "profile/tags.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "profile/expression.h"
#include "profile/measure.h"

namespace geist::profile {
namespace {

// One end of a range of numbers, "4kb".
struct Bound {
  std::string text;
  std::string unit;
  i64 number = 0;
};

struct Range {
  std::optional<double> low, high;  // in `unit`
  std::string unit;
  bool holds(i64 value, const std::string& from) const {
    Scaled scaled = scale(value, from, unit);
    return scaled.unit == unit && (!low || scaled.value >= *low) &&
           (!high || scaled.value <= *high);
  }
};

// The numbers with units in `text`, two at most.
std::vector<Bound> find_bounds(const std::string& text) {
  static const RE2 number("([+-]?[[:digit:]]+)([[:alpha:]]+)?");
  std::vector<Bound> bounds;
  re2::StringPiece rest(text);
  re2::StringPiece groups[3];
  while (bounds.size() < 2 && number.Match(rest, 0, rest.size(), RE2::UNANCHORED, groups, 3)) {
    Bound bound{.text = std::string(groups[0]), .unit = std::string(groups[2])};
    const char* begin = groups[1].data() + (groups[1][0] == '+' ? 1 : 0);
    const char* end = groups[1].data() + groups[1].size();
    if (std::from_chars(begin, end, bound.number).ec != std::errc()) return {};
    bounds.push_back(std::move(bound));
    rest.remove_prefix(static_cast<usize>(groups[0].data() + groups[0].size() - rest.data()));
  }
  return bounds;
}

// Nothing when the text is no range, and so an expression.
std::optional<Range> read_range(const std::string& text) {
  std::vector<Bound> bounds = find_bounds(text);
  if (bounds.empty()) return std::nullopt;
  Scaled first = scale(bounds[0].number, bounds[0].unit, bounds[0].unit);
  Range range{.unit = first.unit};
  if (bounds.size() == 1) {
    if (text != bounds[0].text && text != bounds[0].text + ":" && text != ":" + bounds[0].text)
      return std::nullopt;
    if (!text.starts_with(':')) range.low = first.value;
    if (!text.ends_with(':')) range.high = first.value;
    return range;
  }
  if (text != bounds[0].text + ":" + bounds[1].text) return std::nullopt;
  Scaled second = scale(bounds[1].number, bounds[1].unit, first.unit);
  if (second.unit != first.unit) return std::nullopt;
  range.low = first.value;
  range.high = second.value;
  return range;
}

// The unit of the numbers of each key: the first that a sample gives, else what the key stands for.
Result<std::map<std::string, std::string, std::less<>>> find_units(const Profile& profile) {
  std::map<std::string, std::string, std::less<>> units;
  for (const SampleBlock& block : profile.blocks) {
    SampleReader reader(profile, block);
    while (reader.next()) {
      GEIST_TRY(labels, read_labels(profile, reader.body()));
      for (const Label& label : labels) {
        if (label.is_text) continue;
        std::string& unit = units[std::string(label.key)];
        if (unit.empty()) unit = label.unit;
      }
    }
    if (reader.failed()) return Error("a damaged sample");
  }
  for (auto& [key, unit] : units) {
    if (unit.empty()) unit = key == "alignment" || key == "request" ? "bytes" : key;
  }
  return units;
}

}  // namespace

struct TagFilter::Parts {
  std::string key;  // empty: any
  std::optional<Range> range;
  std::map<std::string, std::string, std::less<>> units;  // of numbers, by key
  std::vector<Expression> expressions;
};

TagFilter::TagFilter(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TagFilter::TagFilter(TagFilter&&) noexcept = default;
TagFilter::~TagFilter() = default;

Result<TagFilter> TagFilter::make(const Profile& profile, const std::string& flag,
                                  const std::string& text) {
  auto parts = std::make_unique<Parts>();
  std::string value = text;
  if (usize equals = text.find('='); equals != std::string::npos) {
    parts->key = text.substr(0, equals);
    value = text.substr(equals + 1);
  }
  parts->range = read_range(value);
  if (parts->range) {
    GEIST_TRY(units, find_units(profile));
    parts->units = std::move(units);
    return TagFilter(std::move(parts));
  }
  for (usize begin = 0; begin <= value.size();) {
    const usize end = std::min(value.find(',', begin), value.size());
    GEIST_TRY(expression, Expression::make(flag, value.substr(begin, end - begin)));
    parts->expressions.push_back(std::move(expression));
    begin = end + 1;
  }
  return TagFilter(std::move(parts));
}

bool TagFilter::matches(const std::vector<Label>& labels) const {
  auto is_of_key = [&](const Label& label) {
    return parts_->key.empty() || label.key == parts_->key;
  };
  if (parts_->range) {
    return std::ranges::any_of(labels, [&](const Label& label) {
      if (label.is_text || !is_of_key(label)) return false;
      auto unit = parts_->units.find(label.key);
      return parts_->range->holds(label.number, unit == parts_->units.end() ? "" : unit->second);
    });
  }
  auto matches_one = [&](const Expression& expression) {
    return std::ranges::any_of(labels, [&](const Label& label) {
      if (!label.is_text || !is_of_key(label)) return false;
      if (!parts_->key.empty()) return expression.matches(label.text);
      return expression.matches(fmt::format("{}:{}", label.key, label.text));
    });
  };
  return parts_->key.empty() ? std::ranges::all_of(parts_->expressions, matches_one)
                             : std::ranges::any_of(parts_->expressions, matches_one);
}

}  // namespace geist::profile
