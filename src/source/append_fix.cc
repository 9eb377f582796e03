// The append call of a line and its cure, from the text alone: a tokenizer for Go, and a judgement
// on the first argument.
//
//   file ─▶ tokens ─▶ `append` `(` … `)` that begin on the line
//                     ─▶ those that may overwrite ─▶ exactly one text
//                     ─▶ first argument ─▶ simple? ─▶ with its capacity cut to its length
//
// Tokens are made from the start of the file, so a line inside a comment or a raw string is known
// for what it is. What the tokenizer does not know becomes a token of one character, which no
// simple expression has. Source: Go spec, "Lexical elements", "Primary expressions", "Slice
// expressions", "Appending to and copying slices".
#include <algorithm>
#include <array>
#include <utility>

#include "source/source.h"

namespace geist::source {
namespace {

enum class TokenKind : u8 { kName, kLiteral, kOther };

struct Token {
  TokenKind kind = TokenKind::kOther;
  usize begin = 0;
  usize end = 0;
};

constexpr usize kMaxCallBytes = 1000;
// Bounds for text that is made to take long: a call has some dozen tokens, a line a few calls.
constexpr usize kMaxCallTokens = 4096;
constexpr usize kMaxCallsTried = 1024;
constexpr i32 kMaxCallLines = 200;
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

 private:
  bool ends_statement(usize i) const;

  std::string_view text_;
  const std::vector<Token>* all_;
  usize first_;
  usize last_;
};

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

// Where `append` stands, and its brackets.
struct Call {
  usize name;
  usize open;
  usize close;
};

std::optional<Call> find_call(const Tokens& tokens, usize i) {
  if (!tokens.is(i, "append") || tokens.kind(i) != TokenKind::kName || !tokens.is(i + 1, "("))
    return std::nullopt;
  bool is_another = i > 0 && (tokens.is(i - 1, ".") || tokens.is(i - 1, "func"));
  if (is_another) return std::nullopt;
  std::optional<usize> close = tokens.find_close(i + 1);
  if (!close) return std::nullopt;
  return Call{i, i + 1, *close};
}

// A slice expression s[low:high:max] as its parts; `high` and the rest may be empty.
struct SliceParts {
  Tokens base;
  Tokens low;
  Tokens high;
  Tokens max;
  bool has_max = false;
};

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

// Operands that have no room behind their length, or a fresh one, so that such a call overwrites
// nothing: []T{...}, []T(nil), nil, make(...), s[a:b:b].
bool never_overwrites(const Tokens& operand) {
  if (operand.size() == 0) return true;
  if (operand.size() == 1 && operand.is(0, "nil")) return true;
  if (operand.is(0, "make") && operand.find_close(1) == operand.size() - 1) return true;
  bool is_type = operand.is(0, "[") && operand.is(1, "]");
  if (is_type && operand.is(operand.size() - 1, "}")) return true;
  if (is_type && operand.size() >= 3 && operand.is(operand.size() - 1, ")") &&
      operand.is(operand.size() - 2, "nil") && operand.is(operand.size() - 3, "(")) {
    return true;
  }
  std::optional<SliceParts> parts = find_slice_parts(operand);
  return parts && parts->has_max && parts->max.write() == parts->high.write();
}

struct Site {
  Tokens call;
  Tokens operand;
  Tokens rest;
};

std::optional<Site> find_site(const Tokens& tokens, const Call& call) {
  Tokens inside = tokens.part(call.open + 1, call.close);
  usize comma = inside.find_outside(",", 0);
  if (comma + 1 >= inside.size()) return std::nullopt;  // nothing is appended
  usize end = inside.size() - (inside.is(inside.size() - 1, ",") ? 1 : 0);
  return Site{tokens.part(call.name, call.close + 1), inside.part(0, comma),
              inside.part(comma + 1, end)};
}

// The calls that may overwrite and that `line` is about, see find_append_operand(), in the order of
// the text; nothing when there are too many to tell.
std::optional<std::vector<Site>> find_sites_of_line(const SourceText& source,
                                                    const std::vector<Token>& all, i32 line) {
  Tokens tokens(source.text(), all, 0, all.size());
  std::vector<Call> begins;
  std::vector<Call> crosses;
  usize tried = 0;
  for (usize i = 0; i < all.size() && source.line_of(all[i].begin) <= line; i++) {
    if (!tokens.is(i, "append") || source.line_of(all[i].begin) < line - kMaxCallLines) continue;
    if (++tried > kMaxCallsTried) return std::nullopt;
    std::optional<Call> call = find_call(tokens, i);
    if (!call || source.line_of(all[call->close].begin) < line) continue;
    (source.line_of(all[i].begin) == line ? begins : crosses).push_back(*call);
  }
  std::vector<Site> found;
  for (const Call& call : begins.empty() ? crosses : begins) {
    std::optional<Site> site = find_site(tokens, call);
    if (site && !never_overwrites(site->operand)) found.push_back(*site);
  }
  return found;
}

// The one call that `line` is about.
std::optional<Site> find_site_of_line(const SourceText& source, const std::vector<Token>& all,
                                      i32 line) {
  std::optional<std::vector<Site>> sites = find_sites_of_line(source, all, line);
  if (!sites || sites->empty()) return std::nullopt;
  for (const Site& site : *sites) {
    if (site.call.write() != sites->front().call.write()) return std::nullopt;
  }
  return sites->back();
}

// Calls that stand in each other's first place, outermost first: append(append(x, y...), z...).
// Only the innermost one can overwrite what others see; what it returns is then new, or that one's
// doing. Two at least, else nothing.
std::vector<Site> find_chain_of_line(const SourceText& source, const std::vector<Token>& all,
                                     i32 line) {
  std::optional<std::vector<Site>> sites = find_sites_of_line(source, all, line);
  if (!sites || sites->size() < 2) return {};
  for (usize i = 0; i + 1 < sites->size(); ++i) {
    const Tokens& operand = (*sites)[i].operand;
    const Tokens& inner = (*sites)[i + 1].call;
    if (operand.size() != inner.size() || operand.begin(0) != inner.begin(0)) return {};
  }
  return *std::move(sites);
}

// slices.Concat(x, y, z) for such a chain, when each of its calls appends the elements of one
// slice. append takes a string there too, which Concat does not: not when it may be one.
std::optional<std::string> write_concat(const std::vector<Site>& chain, int language,
                                        bool has_byte_elements) {
  constexpr int kFirstWithConcat = 22;  // go.dev/doc/go1.22
  if (language < kFirstWithConcat || has_byte_elements) return std::nullopt;
  std::optional<std::string> out = chain.back().operand.write();
  for (usize i = chain.size(); out && i-- > 0;) {
    const Tokens& rest = chain[i].rest;
    usize last = rest.size() - 1;
    bool is_one_slice =
        rest.is(last, "...") && last > 0 && rest.find_outside(",", 0) == rest.size();
    std::optional<std::string> slice = is_one_slice ? rest.part(0, last).write() : std::nullopt;
    out = slice ? std::optional(*out + ", " + *slice) : std::nullopt;
  }
  return out ? std::optional("slices.Concat(" + *out + ")") : std::nullopt;
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
  if (SimpleExpression(operand).is_operand()) {
    std::optional<std::string> text = operand.write();
    if (!text) return std::nullopt;
    std::string base = operand.is(0, "*") ? "(" + *text + ")" : *text;
    return base + "[:len(" + *text + "):len(" + *text + ")]";
  }
  std::optional<SliceParts> parts = find_slice_parts(operand);
  if (!parts || !SimpleExpression(parts->base).is_operand() || parts->base.is(0, "*"))
    return std::nullopt;
  if (parts->low.size() > 0 && !SimpleExpression(parts->low).is_index()) return std::nullopt;
  std::optional<std::string> base = parts->base.write();
  std::optional<std::string> low = parts->low.write();
  std::optional<std::string> high = parts->high.write();
  if (!base || !low || !high) return std::nullopt;
  if (parts->high.size() == 0) {
    high = "len(" + *base + ")";
  } else if (!SimpleExpression(parts->high).is_index()) {
    return std::nullopt;
  }
  return *base + "[" + *low + ":" + *high + ":" + *high + "]";
}

}  // namespace

std::optional<AppendCall> find_append_operand(const SourceText& source, i32 line) {
  std::vector<Token> all = Tokenizer(source.text()).read_all();
  std::optional<Site> site = find_site_of_line(source, all, line);
  if (!site) return std::nullopt;
  std::optional<std::string> operand = site->operand.write();
  std::optional<std::string> rest = site->rest.write();
  if (!operand || !rest || operand->empty()) return std::nullopt;
  return AppendCall{"append(" + *operand + ", " + *rest + ")", *operand, *rest};
}

std::vector<i32> find_append_lines(const SourceText& source) {
  const std::vector<Token> all = Tokenizer(source.text()).read_all();
  const Tokens tokens(source.text(), all, 0, all.size());
  std::vector<i32> lines;
  for (usize i = 0; i < all.size(); i++) {
    std::optional<Call> call = find_call(tokens, i);
    std::optional<Site> site = call ? find_site(tokens, *call) : std::nullopt;
    if (!site || never_overwrites(site->operand)) continue;
    const i32 line = source.line_of(all[i].begin);
    if (lines.empty() || lines.back() != line) lines.push_back(line);
  }
  return lines;
}

namespace {

// In the place of the innermost operand, or of all of a chain.
std::optional<AppendEdit> edit_chain(const std::vector<Site>& chain, const Tokens& file,
                                     int language, bool has_byte_elements) {
  constexpr int kFirstWithGenerics = 18;  // go.dev/doc/go1.18
  const Tokens& whole = chain.front().call;
  const Tokens& operand = chain.back().operand;
  AppendEdit edit;
  edit.names_slices = has_name(file, "slices");
  std::optional<std::string> concat =
      chain.size() < 2 ? std::nullopt : write_concat(chain, language, has_byte_elements);
  if (concat) {
    edit.begin = whole.begin(0);
    edit.end = whole.end(whole.size() - 1);
    edit.text = edit.call = *concat;
    edit.uses_slices = true;
    return edit;
  }
  std::optional<std::string> cut = hides_len(file) ? std::nullopt : cut_capacity(operand);
  std::optional<std::string> text = operand.write();
  if (!text || (!cut && language < kFirstWithGenerics)) return std::nullopt;
  edit.begin = operand.begin(0);
  edit.end = operand.end(operand.size() - 1);
  edit.uses_slices = !cut;
  edit.text = cut ? *cut : "slices.Clone(" + *text + ")";
  edit.call = edit.text;
  for (usize i = chain.size(); i-- > 0;) {
    std::optional<std::string> rest = chain[i].rest.write();
    if (!rest) return std::nullopt;
    edit.call = "append(" + edit.call + ", " + *rest + ")";
  }
  return edit;
}

}  // namespace

std::optional<AppendEdit> find_append_edit(const SourceText& source, i32 line, int language,
                                           bool has_byte_elements) {
  std::vector<Token> all = Tokenizer(source.text()).read_all();
  std::vector<Site> chain = find_chain_of_line(source, all, line);
  if (chain.empty()) {
    std::optional<Site> site = find_site_of_line(source, all, line);
    if (!site || !find_append_operand(source, line)) return std::nullopt;
    chain.push_back(*site);
  }
  return edit_chain(chain, Tokens(source.text(), all, 0, all.size()), language, has_byte_elements);
}

std::optional<std::string> derive_append_fix(const SourceText& source, i32 line) {
  std::vector<Token> all = Tokenizer(source.text()).read_all();
  std::optional<Site> site = find_site_of_line(source, all, line);
  std::optional<AppendCall> call = find_append_operand(source, line);
  if (!site || !call) return std::nullopt;
  std::optional<std::string> operand = cut_capacity(site->operand);
  if (!operand) return std::nullopt;
  return "append(" + *operand + ", " + call->rest + ")";
}

}  // namespace geist::source
