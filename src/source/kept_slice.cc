// Tokens only: what is not understood is no answer.
#include "source/kept_slice.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "source/go_tokens.h"

namespace geist::source {
namespace {

constexpr usize kMostTokens = 1 << 16;  // of a function

// A call of interest: its tokens from the function's name to the bracket that closes it.
struct Call {
  usize name = 0, open = 0, close = 0;
};

// A function of the file, from its `func` at the start of a line on.
struct Declaration {
  usize begin = 0, params = 0, params_end = 0, body = 0, end = 0;
};

class Reader {
 public:
  explicit Reader(const SourceText& text)
      : text_(text),
        all_(read_tokens(text.text())),
        tokens_(text.text(), all_, 0, all_.size()) {}

  const Tokens& tokens() const { return tokens_; }
  i32 line_of(usize i) const { return text_.line_of(all_[i].begin); }
  std::vector<Call> calls_on(i32 line, std::string_view name) const;
  std::optional<Declaration> declaration_around(usize at) const;
  std::optional<usize> parameter(const Declaration& function, std::string_view name) const;
  std::vector<Tokens> arguments(const Call& call) const;
  std::optional<std::string> assigned(const Call& call) const;
  bool is_never_assigned(const Declaration& function, KeptSlice& kept) const;
  void note_walk(usize range, const std::string& result, KeptSlice& kept) const;
  void note_uses(const Declaration& function, const Call& call, const std::string& result,
                 KeptSlice& kept) const;

 private:
  usize skip_type_arguments(usize i) const {
    if (!tokens_.is(i, "[")) return i;
    const std::optional<usize> close = tokens_.find_close(i);
    return close ? *close + 1 : i;
  }
  bool is_name(usize i, std::string_view name) const {
    return tokens_.kind(i) == TokenKind::kName && tokens_[i] == name &&
           (i == 0 || !tokens_.is(i - 1, "."));
  }
  bool has_on_line(i32 line, usize near, std::string_view name) const;

  const SourceText& text_;
  std::vector<Token> all_;
  Tokens tokens_;
};

std::vector<Call> Reader::calls_on(i32 line, std::string_view name) const {
  std::vector<Call> calls;
  const usize from = text_.start_of(static_cast<u32>(line));
  const auto first = std::ranges::lower_bound(all_, from, {}, &Token::begin);
  for (usize i = static_cast<usize>(first - all_.begin()); i < all_.size() && line_of(i) == line;
       ++i) {
    if (tokens_.kind(i) != TokenKind::kName || tokens_[i] != name) continue;
    if (i > 0 && tokens_.is(i - 1, "func")) continue;
    const usize open = skip_type_arguments(i + 1);
    const std::optional<usize> close =
        tokens_.is(open, "(") ? tokens_.find_close(open) : std::nullopt;
    // A method's own declaration: func (p *pool) others(
    const bool is_declared = close && tokens_.is(*close + 1, "{");
    if (close && !is_declared) calls.push_back({i, open, *close});
  }
  return calls;
}

std::optional<Declaration> Reader::declaration_around(usize at) const {
  usize i = at;
  const auto is_start = [&](usize k) {
    return tokens_.is(k, "func") &&
           all_[k].begin == text_.start_of(static_cast<u32>(line_of(k)));
  };
  while (i > 0 && at - i < kMostTokens && !is_start(i)) --i;
  if (!is_start(i)) return std::nullopt;
  Declaration found;
  found.begin = i++;
  if (tokens_.is(i, "(")) {
    const std::optional<usize> receiver = tokens_.find_close(i);
    if (!receiver) return std::nullopt;
    i = *receiver + 1;
  }
  i = skip_type_arguments(i + 1);
  const std::optional<usize> params =
      tokens_.is(i, "(") ? tokens_.find_close(i) : std::nullopt;
  if (!params) return std::nullopt;
  found.params = i;
  found.params_end = *params;
  // Its body is the last block before the next declaration: results may have braces, too.
  for (i = *params + 1; i < all_.size() && i - *params < kMostTokens; ++i) {
    if (is_start(i)) break;
    if (tokens_.is(i, "{") && found.body == 0) found.body = i;
  }
  found.end = i;
  return found.body == 0 || found.body > at ? std::nullopt : std::optional(found);
}

std::optional<usize> Reader::parameter(const Declaration& function, std::string_view name) const {
  const Tokens list = tokens_.part(function.params + 1, function.params_end);
  usize index = 0;
  for (usize from = 0; from < list.size(); ++index) {
    if (list[from] == name) return index;
    from = list.find_outside(",", from) + 1;
  }
  return std::nullopt;
}

std::vector<Tokens> Reader::arguments(const Call& call) const {
  std::vector<Tokens> found;
  const Tokens list = tokens_.part(call.open + 1, call.close);
  for (usize from = 0; from < list.size();) {
    const usize comma = list.find_outside(",", from);
    found.push_back(list.part(from, comma));
    from = comma + 1;
  }
  return found;
}

// A name by itself, or what is sliced: nums, nums[:3].
std::optional<std::string> root_of(const Tokens& expression) {
  const bool is_name = expression.size() > 0 && expression.kind(0) == TokenKind::kName &&
                       !is_keyword(expression[0]);
  if (!is_name) return std::nullopt;
  if (expression.size() == 1) return std::string(expression[0]);
  const std::optional<SliceParts> parts = find_slice_parts(expression);
  if (!parts || parts->base.size() != 1) return std::nullopt;
  return std::string(parts->base[0]);
}

// What the call's result is assigned to as a whole: "" where it is handed on or returned; nothing
// where that is not plain.
std::optional<std::string> Reader::assigned(const Call& call) const {
  usize i = call.name;
  while (i > 1 && tokens_.is(i - 1, ".")) i -= 2;  // p.without(…), slices.Delete(…)
  if (i == 0) return std::nullopt;
  const std::string_view before = tokens_[i - 1];
  if (before == "return" || before == "(" || before == ",") return "";
  const bool is_assigned = (before == ":=" || before == "=") && i > 1;
  if (!is_assigned || tokens_.kind(i - 2) != TokenKind::kName) return std::nullopt;
  const std::string name(tokens_[i - 2]);
  if (i > 2 && (tokens_.is(i - 3, ",") || tokens_.is(i - 3, "."))) return std::nullopt;
  return name == "_" ? std::nullopt : std::optional(name);
}

// Declared once, by itself, and left alone since.
bool Reader::is_never_assigned(const Declaration& function, KeptSlice& kept) const {
  const std::string_view name = kept.name;
  constexpr std::array<std::string_view, 12> kAssigns{"=",  "+=", "-=", "*=",  "/=",  "%=",
                                                      "&=", "|=", "^=", "<<=", ">>=", "&^="};
  usize declared = 0;
  for (usize i = function.body; i + 1 < function.end; ++i) {
    if (!is_name(i, name) || tokens_.is(i + 1, ":")) continue;
    if (tokens_.is(i - 1, "&")) return false;
    const bool is_var = tokens_.is(i - 1, "var");
    if (is_var || tokens_.is(i + 1, ":=")) {
      if (tokens_.is(i - 1, ",")) return false;
      ++declared;
      usize last = i;
      while (last + 1 < function.end &&
             (line_of(last + 1) == line_of(last) || !tokens_.ends_statement(last)))
        ++last;
      kept.first_declared = line_of(i);
      kept.last_declared = line_of(last);
    }
    if (is_var) continue;
    if (std::ranges::count(kAssigns, tokens_[i + 1]) != 0) return false;
    // The first of several that are assigned to.
    const bool begins = line_of(i) != line_of(i - 1) || tokens_.is(i - 1, ";");
    if (begins && tokens_.is(i + 1, ",")) return false;
  }
  return declared == 1;
}

bool Reader::has_on_line(i32 line, usize near, std::string_view name) const {
  if (name.empty()) return false;
  usize i = near;
  while (i > 0 && line_of(i - 1) == line) --i;
  for (; i < all_.size() && line_of(i) == line; ++i) {
    if (is_name(i, name)) return true;
  }
  return false;
}

// for _, t := range temps { sum += t }: the element may be read where t is used.
void Reader::note_walk(usize range, const std::string& result, KeptSlice& kept) const {
  const bool has_value = range > 3 && tokens_.is(range - 1, ":=") && tokens_.is(range - 3, ",") &&
                         tokens_.is(range + 2, "{");
  const std::optional<usize> end = has_value ? tokens_.find_close(range + 2) : std::nullopt;
  if (!end) return;
  const std::string element(tokens_[range - 2]);
  for (usize i = range + 2; i < *end; ++i) {
    if (!is_name(i, element)) continue;
    const i32 line = line_of(i);
    if (!has_on_line(line, i, result)) kept.lines.push_back(line);
  }
}

void Reader::note_uses(const Declaration& function, const Call& call, const std::string& result,
                       KeptSlice& kept) const {
  for (usize i = call.close + 1; i + 1 < function.end; ++i) {
    if (!is_name(i, kept.name) || tokens_.is(i + 1, ":")) continue;
    const bool is_counted =
        tokens_.is(i - 1, "(") && (tokens_.is(i - 2, "len") || tokens_.is(i - 2, "cap"));
    if (is_counted) continue;
    const i32 line = line_of(i);
    const bool is_shared =
        has_on_line(line, i, result) || line == line_of(call.name);
    const bool is_part = tokens_.is(i + 1, "[");
    if (tokens_.is(i - 1, "range")) note_walk(i - 1, result, kept);
    if (is_shared && is_part) continue;
    std::vector<i32>& lines = is_shared ? kept.shared_lines : kept.lines;
    lines.push_back(line);
  }
  for (std::vector<i32>* lines : {&kept.lines, &kept.shared_lines}) {
    std::ranges::sort(*lines);
    lines->erase(std::unique(lines->begin(), lines->end()), lines->end());
  }
}

// The append on the line that takes its own elements: append(s[:i], s[i+1:]...)
std::optional<Call> find_removal(const Reader& reader, i32 line, std::string* root) {
  const std::vector<Call> calls = reader.calls_on(line, "append");
  if (calls.size() != 1) return std::nullopt;
  const std::vector<Tokens> arguments = reader.arguments(calls[0]);
  if (arguments.size() != 2) return std::nullopt;
  const std::optional<std::string> to = root_of(arguments[0]);
  Tokens source = arguments[1];
  if (source.size() > 1 && source.is(source.size() - 1, "..."))
    source = source.part(0, source.size() - 1);
  if (!to || root_of(source) != to) return std::nullopt;
  *root = *to;
  return calls[0];
}

std::string_view short_name(std::string_view function) {
  if (const usize bracket = function.find('['); bracket != function.npos)
    function = function.substr(0, bracket);
  const usize dot = function.rfind('.');
  return dot == function.npos ? function : function.substr(dot + 1);
}

}  // namespace

std::optional<KeptSlice> find_kept_slice(std::span<const CallLine> calls) {
  KeptSlice kept;
  for (usize level = 0, argument = 0; level < calls.size(); ++level) {
    if (calls[level].text == nullptr) return std::nullopt;
    const Reader reader(*calls[level].text);
    std::optional<Call> call;
    if (level == 0) {
      call = find_removal(reader, calls[0].line, &kept.name);
    } else {
      const std::vector<Call> found =
          reader.calls_on(calls[level].line, short_name(calls[level - 1].function));
      if (found.size() == 1) call = found[0];
      const std::vector<Tokens> handed = call ? reader.arguments(*call) : std::vector<Tokens>{};
      const std::optional<std::string> root =
          argument < handed.size() ? root_of(handed[argument]) : std::nullopt;
      if (!root) return std::nullopt;
      kept.name = *root;
    }
    const std::optional<Declaration> function =
        call ? reader.declaration_around(call->name) : std::nullopt;
    if (!function) return std::nullopt;
    if (const std::optional<usize> parameter = reader.parameter(*function, kept.name)) {
      argument = *parameter;
      continue;
    }
    const std::optional<std::string> result = reader.assigned(*call);
    if (!result || *result == kept.name || !reader.is_never_assigned(*function, kept))
      return std::nullopt;
    kept.level = level;
    reader.note_uses(*function, *call, *result, kept);
    if (kept.lines.empty() && kept.shared_lines.empty()) return std::nullopt;
    return kept;
  }
  return std::nullopt;
}

}  // namespace geist::source
