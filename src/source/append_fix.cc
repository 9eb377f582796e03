// The append call of a line and its cure, from the text alone: a judgement on the first argument.
//
//   file ─▶ tokens ─▶ `append` `(` … `)` that begin on the line
//                     ─▶ those that may overwrite ─▶ exactly one text
//                     ─▶ first argument ─▶ simple? ─▶ with its capacity cut to its length
//
// Source: Go spec, "Appending to and copying slices".
#include <algorithm>
#include <utility>

#include "source/go_tokens.h"
#include "source/source.h"

namespace geist::source {
namespace {

// Bounds for text that is made to take long: a line has a few calls.
constexpr usize kMaxCallsTried = 1024;
constexpr i32 kMaxCallLines = 200;

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

// A type that no value of another kind is assigned to: "string", "[]int", "func()", not "main.T",
// which may be an interface.
bool is_plain_type(std::string_view type) {
  for (std::string_view kind : {"func(", "[", "map[", "chan "})
    if (type.starts_with(kind)) return true;
  return !type.empty() && type.find_first_of(".{ ") == type.npos && type != "error" &&
         type != "any";
}

// May the call append elements of this type? One that appends a slice or a struct literal does not
// append strings.
bool may_append(const Site& site, std::string_view element_type) {
  const Tokens& rest = site.rest;
  const bool is_one = rest.find_outside(",", 0) == rest.size() && !rest.is(rest.size() - 1, "...");
  if (!is_plain_type(element_type) || !is_one) return true;
  if (rest.is(0, "append") && rest.find_close(1) == rest.size() - 1)
    return element_type.starts_with("[]");
  usize name = rest.is(0, "&") ? 1 : 0;
  if (rest.is(name + 1, ".")) name += 2;
  const bool is_literal = name < rest.size() && rest.kind(name) == TokenKind::kName &&
                          rest.is(name + 1, "{") && rest.find_close(name + 1) == rest.size() - 1;
  return !is_literal;
}

// The one call that `line` is about.
std::optional<Site> find_site_of_line(const SourceText& source, const std::vector<Token>& all,
                                      i32 line, std::string_view element_type = {}) {
  std::optional<std::vector<Site>> sites = find_sites_of_line(source, all, line);
  if (!sites) return std::nullopt;
  std::erase_if(*sites, [&](const Site& site) { return !may_append(site, element_type); });
  if (sites->empty()) return std::nullopt;
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

}  // namespace

std::optional<AppendCall> find_append_operand(const SourceText& source, i32 line) {
  std::vector<Token> all = read_tokens(source.text());
  std::optional<Site> site = find_site_of_line(source, all, line);
  if (!site) return std::nullopt;
  std::optional<std::string> operand = site->operand.write();
  std::optional<std::string> rest = site->rest.write();
  if (!operand || !rest || operand->empty()) return std::nullopt;
  return AppendCall{"append(" + *operand + ", " + *rest + ")", *operand, *rest};
}

std::vector<i32> find_append_lines(const SourceText& source) {
  const std::vector<Token> all = read_tokens(source.text());
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

// Is the result sliced beyond its length further on: clear(s[len(s):old])? Then it must have as much
// room as the operand has.
bool needs_old_room(const Tokens& file, usize from, const std::string& result) {
  constexpr usize kMaxTokens = 600;
  for (usize i = 0; i + 4 < file.size() && file.begin(i) < from + (usize{1} << 14); ++i) {
    if (file.begin(i) < from) continue;
    if (!file.is(i, "[") || !file.is(i + 1, "len") || !file.is(i + 2, "(")) continue;
    const std::optional<usize> close = file.find_close(i + 2);
    if (!close || *close - i > kMaxTokens || !file.is(*close + 1, ":")) continue;
    if (!file.is(*close + 2, "]") && file.part(i + 3, *close).write() == result) return true;
  }
  return false;
}

// X[:i] with a copy of X, which has the room that X has elements.
std::optional<std::string> clone_base(const Tokens& operand) {
  const std::optional<SliceParts> parts = find_slice_parts(operand);
  const std::optional<std::string> base = parts ? parts->base.write() : std::nullopt;
  if (!base || parts->base.size() == 0) return std::nullopt;
  const std::optional<std::string> whole = operand.write();
  return "slices.Clone(" + *base + ")" + whole->substr(base->size());
}

// In the place of the innermost operand, or of all of a chain.
std::optional<AppendEdit> edit_chain(const std::vector<Site>& chain, const Tokens& file,
                                     const std::optional<std::string>& result, int language,
                                     bool has_byte_elements) {
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
  std::optional<std::string> clone;
  if (result && needs_old_room(file, whole.end(whole.size() - 1), *result)) {
    clone = clone_base(operand);
    cut.reset();
    if (!clone) return std::nullopt;
  }
  if (!text || (!cut && language < kFirstWithGenerics)) return std::nullopt;
  edit.begin = operand.begin(0);
  edit.end = operand.end(operand.size() - 1);
  edit.uses_slices = !cut;
  edit.text = cut ? *cut : clone ? *clone : "slices.Clone(" + *text + ")";
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
                                           bool has_byte_elements, std::string_view element_type) {
  std::vector<Token> all = read_tokens(source.text());
  std::vector<Site> chain = find_chain_of_line(source, all, line);
  if (chain.empty()) {
    std::optional<Site> site = find_site_of_line(source, all, line, element_type);
    if (!site || !site->operand.write() || !site->rest.write()) return std::nullopt;
    chain.push_back(*site);
  }
  return edit_chain(chain, Tokens(source.text(), all, 0, all.size()), find_assigned(source, line),
                    language, has_byte_elements);
}

std::optional<std::string> derive_append_fix(const SourceText& source, i32 line) {
  std::vector<Token> all = read_tokens(source.text());
  std::optional<Site> site = find_site_of_line(source, all, line);
  std::optional<AppendCall> call = find_append_operand(source, line);
  if (!site || !call) return std::nullopt;
  std::optional<std::string> operand = cut_capacity(site->operand);
  if (!operand) return std::nullopt;
  return "append(" + *operand + ", " + call->rest + ")";
}

}  // namespace geist::source
