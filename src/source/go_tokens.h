// Go source text as tokens, and the expressions that fixes are made of.
//
// Tokens are made from the start of a file, so a line inside a comment or a raw string is known for
// what it is. What the tokenizer does not know becomes a token of one character, which no simple
// expression has. Source: Go spec, "Lexical elements", "Semicolons", "Primary expressions", "Slice
// expressions".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace geist::source {

// Bounds for text that is made to take long: a call has some dozen tokens.
constexpr usize kMaxCallTokens = 4096;

enum class TokenKind : u8 { kName, kLiteral, kOther };

struct Token {
  TokenKind kind = TokenKind::kOther;
  usize begin = 0;
  usize end = 0;
};

// All tokens of a file; comments are none.
std::vector<Token> read_tokens(std::string_view text);

// A run of tokens of one file.
class Tokens {
 public:
  Tokens(std::string_view text, const std::vector<Token>& all, usize first, usize last)
      : text_(text), all_(&all), first_(first), last_(last) {}

  usize size() const { return last_ - first_; }
  std::string_view operator[](usize i) const {
    const Token& token = (*all_)[first_ + i];
    return text_.substr(token.begin, token.end - token.begin);
  }
  TokenKind kind(usize i) const { return (*all_)[first_ + i].kind; }
  usize begin(usize i) const { return (*all_)[first_ + i].begin; }
  usize end(usize i) const { return (*all_)[first_ + i].end; }
  Tokens part(usize from, usize to) const { return {text_, *all_, first_ + from, first_ + to}; }
  bool is(usize i, std::string_view text) const { return i < size() && (*this)[i] == text; }

  // The place of the bracket that closes the one at `open`; nothing when it is not here.
  std::optional<usize> find_close(usize open) const {
    std::vector<char> stack;
    for (usize i = open; i < std::min(size(), open + kMaxCallTokens); i++) {
      std::string_view token = (*this)[i];
      if (token == "(" || token == "[" || token == "{") stack.push_back(token[0]);
      if (token != ")" && token != "]" && token != "}") continue;
      char wanted = token == ")" ? '(' : token == "]" ? '[' : '{';
      if (stack.empty() || stack.back() != wanted) return std::nullopt;
      stack.pop_back();
      if (stack.empty()) return i;
    }
    return std::nullopt;
  }

  // The first `what` outside brackets, from `from` on; size() when there is none.
  usize find_outside(std::string_view what, usize from) const {
    int depth = 0;
    for (usize i = from; i < size(); i++) {
      std::string_view token = (*this)[i];
      if (depth == 0 && token == what) return i;
      if (token == "(" || token == "[" || token == "{") depth++;
      if (token == ")" || token == "]" || token == "}") depth--;
    }
    return size();
  }

  // The tokens on one line, spaced as in the file; nothing when a line break in them means
  // something.
  std::optional<std::string> write() const;
  // A line break after such a token is a semicolon.
  bool ends_statement(usize i) const;

 private:
  std::string_view text_;
  const std::vector<Token>* all_;
  usize first_;
  usize last_;
};

bool is_keyword(std::string_view name);
// Something that can be sliced and may be written twice: name, field, index, dereference,
// parentheses; no calls, no receives, no literals of types.
bool is_simple_operand(const Tokens& tokens);
// The same, numbers, len and cap, and sums and products of them: an index.
bool is_simple_index(const Tokens& tokens);

// A slice expression s[low:high:max] as its parts; `high` and the rest may be empty.
struct SliceParts {
  Tokens base;
  Tokens low;
  Tokens high;
  Tokens max;
  bool has_max = false;
};
std::optional<SliceParts> find_slice_parts(const Tokens& tokens);

// X with its capacity cut to its length; nothing when it is not simple.
std::optional<std::string> cut_capacity(const Tokens& operand);
// Does the file give `len` another meaning? As a field (x.len) it does no harm.
bool hides_len(const Tokens& tokens);
bool has_name(const Tokens& tokens, std::string_view name);

}  // namespace geist::source
