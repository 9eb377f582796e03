// The statement around a line, and what it assigns to.
//
// Go has no line breaks inside of statements but within brackets and after operators, so the way
// back from the line is: out of the brackets that are open there, to the token behind the line break
// that ended the statement before. A brace may open a block or a composite literal; behind that of a
// block begins a statement that assigns something by itself, if it does.
#include <algorithm>

#include "source/go_tokens.h"
#include "source/source.h"

namespace geist::source {
namespace {

constexpr usize kMaxStatementTokens = 4096;

bool opens(std::string_view token) {
  return token == "(" || token == "[" || token == "{";
}
bool closes(std::string_view token) {
  return token == ")" || token == "]" || token == "}";
}

class Statement {
 public:
  Statement(const SourceText& source, const std::vector<Token>& all)
      : source_(source), all_(all), tokens_(source.text(), all, 0, all.size()) {}
  std::optional<std::string> assigned(usize at);

 private:
  bool begins_line(usize i) const {
    return i == 0 || source_.line_of(all_[i].begin) > source_.line_of(all_[i - 1].end - 1);
  }
  usize start_of(usize at, bool* is_behind_brace) const;
  std::optional<std::string> assigned_from(usize start) const;

  const SourceText& source_;
  const std::vector<Token>& all_;
  Tokens tokens_;
};

// The first token of what `at` is in, within the innermost brackets.
usize Statement::start_of(usize at, bool* is_behind_brace) const {
  int depth = 0;
  for (usize i = at, looked_at = 0; i > 0 && looked_at < kMaxStatementTokens; --i, ++looked_at) {
    const std::string_view before = tokens_[i - 1];
    if (depth == 0 && before == "{") {
      *is_behind_brace = true;
      return i;
    }
    if (depth == 0 && (before == ";" || (begins_line(i) && tokens_.ends_statement(i - 1)))) {
      *is_behind_brace = false;
      return i;
    }
    if (closes(before)) ++depth;
    if (opens(before) && depth > 0) --depth;
  }
  *is_behind_brace = false;
  return at;
}

// `a, b := x` → "a or b".
std::optional<std::string> Statement::assigned_from(usize start) const {
  usize first = start;
  for (std::string_view word : {"for", "if", "switch", "else"})
    if (tokens_.is(first, word)) ++first;
  const bool is_var = tokens_.is(first, "var");
  if (is_var) ++first;
  int depth = 0;
  for (usize i = first; i < all_.size() && i < first + kMaxStatementTokens; ++i) {
    const std::string_view token = tokens_[i];
    if (i > first && depth == 0 && begins_line(i) && tokens_.ends_statement(i - 1)) break;
    if (opens(token)) ++depth;
    if (closes(token) && --depth < 0) break;
    if (depth != 0 || (token != ":=" && token != "=")) continue;
    // The words of a loop are moved about on its line: whose they are it does not tell.
    if (tokens_.is(i + 1, "range")) return std::nullopt;
    if (i == first) return std::nullopt;
    if (is_var) return std::string(tokens_[first]);
    const Tokens left = tokens_.part(first, i);
    std::string names;
    usize count = 0;
    for (usize from = 0; from <= left.size();) {
      const usize comma = left.find_outside(",", from);
      std::optional<std::string> name = left.part(from, comma).write();
      const bool tells = name && *name != "_" && *name != "err" && *name != "ok";
      if (tells) names += (count++ == 0 ? "" : " or ") + *name;
      from = comma + 1;
    }
    return count == 0 || count > 3 ? std::nullopt : std::optional(names);
  }
  return std::nullopt;
}

std::optional<std::string> Statement::assigned(usize at) {
  for (int step = 0; step < 16; ++step) {
    bool is_behind_brace = false;
    const usize start = start_of(at, &is_behind_brace);
    if (std::optional<std::string> name = assigned_from(start)) return name;
    // Perhaps an element of a composite literal: on from its brace.
    if (!is_behind_brace || start == 0) return std::nullopt;
    at = start - 1;
    if (tokens_.is(at, "{") && at > 0 && (tokens_.is(at - 1, ")") || tokens_.is(at - 1, "else")))
      return std::nullopt;  // the block of a function or a condition
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_assigned(const SourceText& source, i32 line) {
  const std::vector<Token> all = read_tokens(source.text());
  const auto first = std::ranges::find_if(
      all, [&](const Token& token) { return source.line_of(token.begin) >= line; });
  if (first == all.end() || source.line_of(first->begin) != line) return std::nullopt;
  return Statement(source, all).assigned(static_cast<usize>(first - all.begin()));
}

}  // namespace geist::source
