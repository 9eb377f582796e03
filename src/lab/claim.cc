// Claims, decided: a condition over facts, a figure with facts put in, and what several releases say
// together.
#include "lab/claim.h"

#include <fmt/format.h>

#include <algorithm>

namespace geist::lab {
namespace {

constexpr usize kMostNamed = 24;

// A figure in parts: text, expression, text, ... An expression is what stands in braces.
Result<std::vector<std::string>> split_figure(const std::string& figure) {
  std::vector<std::string> parts;
  for (usize at = 0;;) {
    usize open = figure.find('{', at);
    if (open == std::string::npos) {
      parts.push_back(figure.substr(at));
      return parts;
    }
    usize close = figure.find('}', open);
    if (close == std::string::npos) return Error("\"" + figure + "\": no \"}\"");
    parts.push_back(figure.substr(at, open - at));
    parts.push_back(figure.substr(open + 1, close - open - 1));
    at = close + 1;
  }
}

std::string show_value(const Expression& expression, const Facts& facts, const std::string& index) {
  Result<Value> value = expression.evaluate(facts, index);
  return value.ok() ? value->text : "?";
}

// "4: 12, 5: 0": of a family each member.
std::string show_expression(const std::string& text, const Facts& facts) {
  Result<Expression> expression = Expression::parse(text);
  if (!expression.ok()) return "?";
  const std::string family = expression->family();
  if (family.empty()) return show_value(expression.value(), facts, "");
  std::string out;
  usize shown = 0;
  const std::vector<std::string> indices = facts.indices(family);
  for (const std::string& index : indices) {
    if (++shown > kMostNamed)
      return fmt::format("{} and {} more", out, indices.size() - kMostNamed);
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", index,
                       show_value(expression.value(), facts, index));
  }
  return out.empty() ? "?" : out;
}

std::string show_figure(const std::string& figure, const Facts& facts) {
  Result<std::vector<std::string>> parts = split_figure(figure);
  if (!parts.ok()) return figure;
  std::string out;
  for (usize i = 0; i < parts->size(); ++i)
    out += i % 2 == 0 ? parts.value()[i] : show_expression(parts.value()[i], facts);
  return out;
}

Decision undecided(const Error& error) {
  return {Verdict::kUndecided, "undecided", error.message()};
}

std::string join_some(const std::vector<std::string>& words) {
  std::string out;
  for (usize i = 0; i < std::min(words.size(), kMostNamed); ++i)
    out += (i == 0 ? "" : ", ") + words[i];
  return words.size() > kMostNamed ? fmt::format("{} and {} more", out, words.size() - kMostNamed)
                                   : out;
}

Decision decide_each(const Claim& claim, const Facts& facts) {
  const std::string family = claim.condition.family();
  std::vector<std::string> holds;
  std::vector<std::string> fails;
  for (const std::string& index : facts.indices(family)) {
    Result<Value> value = claim.condition.evaluate(facts, index);
    if (!value.ok()) return undecided(value.error());
    if (value->is_text) return undecided(Error(fmt::format("\"{}\" is no number", value->text)));
    (value->number != 0 ? holds : fails).push_back(index);
  }
  if (holds.empty() && fails.empty()) {
    std::optional<std::string> reason = facts.find_reason(family);
    return undecided(Error(reason ? *reason : fmt::format("no program told \"{}\"", family)));
  }
  std::string figure = show_figure(claim.figure, facts);
  if (fails.empty()) return {Verdict::kTrue, "true", figure};
  if (holds.empty()) return {Verdict::kFalse, "false", figure};
  return {
      Verdict::kDepends, "depends on " + claim.depends_on,
      fmt::format("{}. It holds with {}, not with {}", figure, join_some(holds), join_some(fails))};
}

}  // namespace

Status check_figure(const std::string& figure) {
  GEIST_TRY(parts, split_figure(figure));
  for (usize i = 1; i < parts.size(); i += 2) {
    Result<Expression> expression = Expression::parse(parts[i]);
    if (!expression.ok()) return expression.take_error();
  }
  return Done{};
}

Decision decide(const Claim& claim, const Facts& facts) {
  if (claim.is_each) return decide_each(claim, facts);
  Result<Value> value = claim.condition.evaluate(facts, "");
  if (!value.ok()) return undecided(value.error());
  if (value->is_text) return undecided(Error(fmt::format("\"{}\" is no number", value->text)));
  const bool holds = value->number != 0;
  return {holds ? Verdict::kTrue : Verdict::kFalse, holds ? "true" : "false",
          show_figure(claim.figure, facts)};
}

std::string combine_releases(std::vector<ReleaseDecision> decisions) {
  std::erase_if(decisions, [](const ReleaseDecision& one) {
    return one.decision.verdict == Verdict::kUndecided;
  });
  if (decisions.empty()) return "undecided";
  std::ranges::stable_sort(decisions, {}, &ReleaseDecision::minor);
  auto words = [&](usize i) -> const std::string& { return decisions[i].decision.words; };
  usize changes = 0;
  usize change = 0;  // the first of the other kind
  for (usize i = 1; i < decisions.size(); ++i) {
    if (words(i) == words(i - 1)) continue;
    ++changes;
    change = i;
  }
  if (changes == 0) return words(0);
  if (changes > 1) return "depends on the release, or on the run";
  return fmt::format("{} until Go 1.{}, {} since Go 1.{}", words(0), decisions[change - 1].minor,
                     words(change), decisions[change].minor);
}

}  // namespace geist::lab
