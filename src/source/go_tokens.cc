// A tokenizer for Go and a recursive descent over the few expressions that are understood.
#include "source/go_tokens.h"

#include <algorithm>
#include <array>

namespace geist::source {
namespace {

constexpr usize kMaxCallBytes = 1000;
constexpr int kMaxDepth = 64;

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<u8>(c) >= 0x80;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  std::vector<Token> read_all() {
    std::vector<Token> tokens;
    while (skip_blank()) {
      usize begin = at_;
      TokenKind kind = read_one();
      tokens.push_back({kind, begin, at_});
    }
    return tokens;
  }

 private:
  char peek(usize ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  // Blanks and comments; false at the end of the text.
  bool skip_blank() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        at_++;
      } else if (c == '/' && peek(1) == '/') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '/' && peek(1) == '*') {
        usize end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return true;
      }
    }
    return false;
  }

  TokenKind read_one() {
    char c = text_[at_];
    if (is_name_start(c)) {
      while (is_name_start(peek()) || is_digit(peek())) at_++;
      return TokenKind::kName;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      read_number();
      return TokenKind::kLiteral;
    }
    if (c == '"' || c == '\'' || c == '`') {
      read_quoted(c);
      return TokenKind::kLiteral;
    }
    // Operators are told apart only where it matters below.
    for (std::string_view longer :
         {"...", "<-", "&&", "||", "==", "!=", "<=", ">=", ":=", "++", "--", "<<", ">>"}) {
      if (text_.substr(at_).starts_with(longer)) {
        at_ += longer.size();
        return TokenKind::kOther;
      }
    }
    at_++;
    return TokenKind::kOther;
  }

  void read_number() {
    while (true) {
      char c = peek();
      char before = at_ > 0 ? text_[at_ - 1] : '\0';
      bool is_sign = (c == '+' || c == '-') &&
                     (before == 'e' || before == 'E' || before == 'p' || before == 'P');
      if (!is_digit(c) && !is_name_start(c) && c != '.' && !is_sign) return;
      at_++;
    }
  }

  void read_quoted(char quote) {
    at_++;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (quote != '`' && text_[at_] == '\n') return;  // not closed: damage ends with the line
      at_ += quote != '`' && text_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  std::string_view text_;
  usize at_ = 0;
};

// Expressions that may be written twice: no calls (but len and cap), no receives, no literals of
// types.
class SimpleExpression {
 public:
  explicit SimpleExpression(Tokens tokens) : tokens_(tokens) {}

  // name, field, index, dereference, parentheses: something that can be sliced.
  bool is_operand() { return read_operand(0) && at_ == tokens_.size(); }
  // The same, numbers, and sums and products of them: an index.
  bool is_index() { return read_sum(0) && at_ == tokens_.size(); }

 private:
  bool take(std::string_view text) {
    if (!tokens_.is(at_, text)) return false;
    at_++;
    return true;
  }
  bool take_name() {
    if (at_ >= tokens_.size() || tokens_.kind(at_) != TokenKind::kName || is_keyword(tokens_[at_]))
      return false;
    at_++;
    return true;
  }

  bool read_operand(int depth) {
    if (depth > kMaxDepth) return false;
    if (take("*")) return read_operand(depth + 1);
    if (take("(")) {
      if (!read_operand(depth + 1) || !take(")")) return false;
    } else if (!take_name()) {
      return false;
    }
    while (true) {
      if (take(".")) {
        if (!take_name()) return false;  // also .(type)
      } else if (take("[")) {
        if (!read_sum(depth + 1) || !take("]")) return false;
      } else {
        return true;
      }
    }
  }

  bool read_sum(int depth) {
    if (depth > kMaxDepth) return false;
    do {
      take("-");
      if (!read_term(depth + 1)) return false;
    } while (take("+") || take("-") || take("*") || take("/") || take("%") || take("<<") ||
             take(">>") || take("&") || take("|"));
    return true;
  }

  bool read_term(int depth) {
    if (at_ < tokens_.size() && tokens_.kind(at_) == TokenKind::kLiteral) {
      at_++;
      return true;
    }
    bool is_length = (tokens_.is(at_, "len") || tokens_.is(at_, "cap")) && tokens_.is(at_ + 1, "(");
    if (is_length) {
      at_ += 2;
      return read_operand(depth + 1) && take(")");
    }
    usize start = at_;
    if (read_operand(depth + 1)) return true;
    at_ = start;
    return take("(") && read_sum(depth + 1) && take(")");
  }

  Tokens tokens_;
  usize at_ = 0;
};

}  // namespace

std::vector<Token> read_tokens(std::string_view text) {
  return Tokenizer(text).read_all();
}

// A line break after such a token is a semicolon (Go spec, "Semicolons").
bool Tokens::ends_statement(usize i) const {
  std::string_view token = (*this)[i];
  return kind(i) != TokenKind::kOther || token == ")" || token == "]" || token == "}" ||
         token == "++" || token == "--";
}

std::optional<std::string> Tokens::write() const {
  std::string out;
  for (usize i = 0; i < size(); i++) {
    if (i > 0) {
      std::string_view between = text_.substr(end(i - 1), begin(i) - end(i - 1));
      bool is_broken = between.find('\n') != std::string_view::npos;
      bool is_edge = out.back() == '(' || out.back() == '[' || out.back() == '{' || is(i, ")") ||
                     is(i, "]") || is(i, "}");
      if (is_broken && ends_statement(i - 1)) return std::nullopt;
      if (is_broken && is_edge && out.back() == ',') out.pop_back();
      bool is_spaced = is_broken ? !is_edge : !between.empty();
      if (is_spaced) out += ' ';
    }
    out += (*this)[i];
  }
  for (char c : out) {
    // Literals may hold anything; what cannot be shown as it is, is not shown.
    if (static_cast<u8>(c) < 0x20 || c == 0x7f) return std::nullopt;
  }
  bool has_direction_marks =
      out.find("\xe2\x80\xaa") != out.npos || out.find("\xe2\x80\xab") != out.npos ||
      out.find("\xe2\x80\xac") != out.npos || out.find("\xe2\x80\xad") != out.npos ||
      out.find("\xe2\x80\xae") != out.npos || out.find("\xe2\x81") != out.npos;
  if (has_direction_marks || out.size() > kMaxCallBytes) return std::nullopt;
  return out;
}

bool is_keyword(std::string_view name) {
  constexpr std::array<std::string_view, 25> kKeywords = {
      "break",  "case",        "chan", "const",   "continue", "default", "defer",
      "else",   "fallthrough", "for",  "func",    "go",       "goto",    "if",
      "import", "interface",   "map",  "package", "range",    "return",  "select",
      "struct", "switch",      "type", "var"};
  return std::ranges::find(kKeywords, name) != kKeywords.end();
}

bool is_simple_operand(const Tokens& tokens) {
  return SimpleExpression(tokens).is_operand();
}

bool is_simple_index(const Tokens& tokens) {
  return SimpleExpression(tokens).is_index();
}

std::optional<SliceParts> find_slice_parts(const Tokens& tokens) {
  if (tokens.size() < 4 || !tokens.is(tokens.size() - 1, "]")) return std::nullopt;
  // The bracket that the last one closes.
  usize open = 0;
  int depth = 0;
  for (usize i = tokens.size(); i-- > 0;) {
    if (tokens.is(i, "]") || tokens.is(i, ")") || tokens.is(i, "}")) depth++;
    if (tokens.is(i, "[") || tokens.is(i, "(") || tokens.is(i, "{")) depth--;
    if (depth == 0) {
      open = i;
      break;
    }
  }
  Tokens inside = tokens.part(open + 1, tokens.size() - 1);
  usize first = inside.find_outside(":", 0);
  if (open == 0 || first == inside.size()) return std::nullopt;
  usize second = inside.find_outside(":", first + 1);
  SliceParts parts{tokens.part(0, open), inside.part(0, first), inside.part(first + 1, second),
                   inside.part(0, 0)};
  parts.has_max = second < inside.size();
  if (parts.has_max) parts.max = inside.part(second + 1, inside.size());
  return parts;
}

// Does the file give `len` another meaning? As a field (x.len) it does no harm.
bool hides_len(const Tokens& tokens) {
  for (usize i = 0; i < tokens.size(); ++i) {
    bool is_name = tokens.kind(i) == TokenKind::kName && tokens[i] == "len";
    if (is_name && !tokens.is(i + 1, "(") && !(i > 0 && tokens.is(i - 1, "."))) return true;
    if (is_name && i > 0 && tokens.is(i - 1, "func")) return true;
  }
  return false;
}

bool has_name(const Tokens& tokens, std::string_view name) {
  for (usize i = 0; i < tokens.size(); ++i) {
    if (tokens.kind(i) == TokenKind::kName && tokens[i] == name) return true;
  }
  return false;
}

// X with its capacity cut to its length.
std::optional<std::string> cut_capacity(const Tokens& operand) {
  if (is_simple_operand(operand)) {
    std::optional<std::string> text = operand.write();
    if (!text) return std::nullopt;
    std::string base = operand.is(0, "*") ? "(" + *text + ")" : *text;
    return base + "[:len(" + *text + "):len(" + *text + ")]";
  }
  std::optional<SliceParts> parts = find_slice_parts(operand);
  if (!parts || !is_simple_operand(parts->base) || parts->base.is(0, "*")) return std::nullopt;
  if (parts->low.size() > 0 && !is_simple_index(parts->low)) return std::nullopt;
  std::optional<std::string> base = parts->base.write();
  std::optional<std::string> low = parts->low.write();
  std::optional<std::string> high = parts->high.write();
  if (!base || !low || !high) return std::nullopt;
  if (parts->high.size() == 0) {
    high = "len(" + *base + ")";
  } else if (!is_simple_index(parts->high)) {
    return std::nullopt;
  }
  return *base + "[" + *low + ":" + *high + ":" + *high + "]";
}

}  // namespace geist::source
