// The reader of facts: a line at a time, each refused or taken as a whole; see facts.h.
#include "lab/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/printable.h"

namespace geist::lab {
namespace {

constexpr usize kMostFacts = 2000;
constexpr usize kMostLine = 400;
constexpr usize kMostIndex = 40;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_index_char(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') ||
         std::string_view("_.,+-/:=()").contains(c);
}

// "wrong", "wrong[3]".
bool is_program_name(std::string_view name) {
  const usize bracket = name.find('[');
  const std::string_view base = name.substr(0, bracket);
  if (base.empty() || base.size() > 64 || !is_lower(base[0])) return false;
  if (!std::ranges::all_of(base, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; }))
    return false;
  if (bracket == std::string_view::npos) return true;
  std::string_view index = name.substr(bracket + 1);
  if (!index.ends_with(']')) return false;
  index.remove_suffix(1);
  return !index.empty() && index.size() <= kMostIndex && std::ranges::all_of(index, is_index_char);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::string_view help_of(Rejected which) {
  switch (which) {
#define GEIST_REJECTED(name, help) \
  case Rejected::name:             \
    return help;
#include "lab/rejected.inc"
#undef GEIST_REJECTED
  }
  return "";
}

}  // namespace

std::optional<double> read_number(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

void Facts::read(std::string_view output) {
  for (usize at = 0; at < output.size();) {
    usize end = std::min(output.find('\n', at), output.size());
    read_line(output.substr(at, end - at));
    at = end + 1;
  }
}

void Facts::read_line(std::string_view line) {
  const bool is_fact = line.starts_with("fact ");
  if (!is_fact && !line.starts_with("cannot ")) return;
  if (line.size() > kMostLine) {
    ++rejected_[Rejected::too_long];
    return;
  }
  std::string_view rest = trim(line.substr(line.find(' ')));
  const usize space = rest.find(' ');
  const std::string name(rest.substr(0, space));
  if (!is_program_name(name)) {
    ++rejected_[Rejected::bad_name];
    return;
  }
  std::string value = printable(space == std::string_view::npos ? "" : trim(rest.substr(space)));
  if (value.empty()) {
    ++rejected_[Rejected::no_value];
    return;
  }
  if (facts_.size() + reasons_.size() >= kMostFacts) {
    ++rejected_[Rejected::too_many];
    return;
  }
  bool is_new = true;
  if (is_fact) {
    auto [known, inserted] = facts_.try_emplace(name, Fact{value, read_number(value)});
    is_new = inserted || known->second.text == value;
  } else {
    auto [known, inserted] = reasons_.try_emplace(name, value);
    is_new = inserted || known->second == value;
  }
  if (!is_new) ++rejected_[Rejected::twice];
}

void Facts::tell(const std::string& name, std::string text) {
  std::optional<double> number = read_number(text);
  facts_[name] = Fact{std::move(text), number};
}

void Facts::tell(const std::string& name, double number) {
  facts_[name] = Fact{fmt::format("{:g}", number), number};
}

const Fact* Facts::find(const std::string& name) const {
  auto found = facts_.find(name);
  return found == facts_.end() ? nullptr : &found->second;
}

std::optional<std::string> Facts::find_reason(const std::string& name) const {
  auto found = reasons_.find(name);
  if (found == reasons_.end()) found = reasons_.find(name.substr(0, name.find('[')));
  // What a run with -race would have told, when there was none.
  if (found == reasons_.end() && name.ends_with("[race]")) found = reasons_.find("race.reports");
  if (found == reasons_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Facts::indices(const std::string& name) const {
  std::vector<std::string> found;
  const std::string prefix = name + "[";
  for (auto it = facts_.lower_bound(prefix); it != facts_.end() && it->first.starts_with(prefix);
       ++it)
    found.push_back(it->first.substr(prefix.size(), it->first.size() - prefix.size() - 1));
  auto is_before = [](const std::string& a, const std::string& b) {
    std::optional<double> x = read_number(a);
    std::optional<double> y = read_number(b);
    if (x.has_value() != y.has_value()) return x.has_value();
    return x && *x != *y ? *x < *y : a < b;
  };
  std::ranges::sort(found, is_before);
  return found;
}

std::vector<std::pair<std::string, u64>> Facts::rejected() const {
  std::vector<std::pair<std::string, u64>> out;
  for (auto [which, count] : rejected_) out.emplace_back(help_of(which), count);
  return out;
}

}  // namespace geist::lab
