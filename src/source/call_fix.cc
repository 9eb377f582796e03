// The caller's way to cure an append of a library: it hands over a slice that nobody else uses.
//
// Which argument the library appends to is known of the standard library, whose functions of that
// kind take the slice first (slices.Delete, strconv.AppendInt, fmt.Appendf); of others only when the
// victim stands there itself. A clone is right for all; where the function only appends, cutting the
// capacity is enough, and does not copy what fits nowhere else.
#include <algorithm>

#include "base/go_symbol.h"
#include "source/go_tokens.h"
#include "source/source.h"

namespace geist::source {
namespace {

constexpr usize kMaxCallsTried = 64;

// "Delete" of "slices.Delete[go.shape.[]int,go.shape.int]".
std::string_view base_name(std::string_view function) {
  std::string_view name = function.substr(0, function.find('['));
  usize dot = name.rfind('.');
  return dot == name.npos ? name : name.substr(dot + 1);
}

// Functions that write in front of the length as well: with the capacity cut they still would.
bool only_appends(std::string_view name) {
  return name.starts_with("Append") || name.starts_with("append");
}

struct CallOnLine {
  Tokens whole;      // the name, from its package or receiver on, to the closing bracket
  Tokens arguments;  // between the brackets
};

std::optional<CallOnLine> find_call(const Tokens& tokens, usize name) {
  usize open = name + 1;
  if (tokens.is(open, "[")) {
    std::optional<usize> close = tokens.find_close(open);  // type arguments
    if (!close) return std::nullopt;
    open = *close + 1;
  }
  if (!tokens.is(open, "(") || (name > 0 && tokens.is(name - 1, "func"))) return std::nullopt;
  std::optional<usize> close = tokens.find_close(open);
  if (!close) return std::nullopt;
  usize first = name;
  while (first >= 2 && tokens.is(first - 1, ".") && tokens.kind(first - 2) == TokenKind::kName)
    first -= 2;
  return CallOnLine{tokens.part(first, *close + 1), tokens.part(open + 1, *close)};
}

// The only call of that name which begins on the line.
std::optional<CallOnLine> find_call_on_line(const SourceText& source, const std::vector<Token>& all,
                                            i32 line, std::string_view name) {
  const Tokens tokens(source.text(), all, 0, all.size());
  std::optional<CallOnLine> found;
  usize tried = 0;
  for (usize i = 0; i < all.size() && source.line_of(all[i].begin) <= line; ++i) {
    const bool is_it = source.line_of(all[i].begin) == line && tokens[i] == name &&
                       tokens.kind(i) == TokenKind::kName;
    if (!is_it) continue;
    std::optional<CallOnLine> call = find_call(tokens, i);
    if (!call) continue;
    if (found || ++tried > kMaxCallsTried) return std::nullopt;
    found = call;
  }
  return found;
}

std::vector<Tokens> split_arguments(const Tokens& inside) {
  std::vector<Tokens> arguments;
  for (usize from = 0; from < inside.size();) {
    const usize comma = inside.find_outside(",", from);
    usize end = comma;
    if (end > from && inside.is(end - 1, "...")) --end;
    if (end > from) arguments.push_back(inside.part(from, end));
    from = comma + 1;
  }
  return arguments;
}

// Is it the victim, or a part of it?
bool is_victim(const Tokens& argument, std::string_view victim) {
  const std::optional<SliceParts> parts = find_slice_parts(argument);
  const std::optional<std::string> text = (parts ? parts->base : argument).write();
  return text && !victim.empty() && *text == victim;
}

std::optional<Tokens> find_argument(const std::vector<Tokens>& arguments, std::string_view function,
                                    std::string_view victim) {
  if (arguments.empty()) return std::nullopt;
  const std::string_view package = package_of(function);
  const bool takes_it_first =
      is_standard_library(function) && (package == "slices" || only_appends(base_name(function)));
  if (takes_it_first) return arguments.front();
  std::optional<Tokens> found;
  for (const Tokens& argument : arguments) {
    if (!is_victim(argument, victim)) continue;
    if (found) return std::nullopt;
    found = argument;
  }
  return found;
}

// Is it a slice of its own already?
bool is_fresh(const Tokens& argument) {
  const bool is_clone = argument.is(0, "slices") && argument.is(1, ".") && argument.is(2, "Clone");
  return is_clone || argument.is(0, "nil") || argument.is(0, "make") ||
         (argument.is(0, "[") && argument.is(1, "]"));
}

}  // namespace

std::optional<AppendEdit> find_call_edit(const SourceText& source, i32 line,
                                         std::string_view function, std::string_view victim,
                                         int language) {
  constexpr int kFirstWithGenerics = 18;
  const std::vector<Token> all = read_tokens(source.text());
  const Tokens file(source.text(), all, 0, all.size());
  const std::optional<CallOnLine> call = find_call_on_line(source, all, line, base_name(function));
  if (!call) return std::nullopt;
  const std::optional<Tokens> argument =
      find_argument(split_arguments(call->arguments), function, victim);
  if (!argument || is_fresh(*argument)) return std::nullopt;
  std::optional<std::string> cut;
  if (only_appends(base_name(function)) && is_standard_library(function) && !hides_len(file))
    cut = cut_capacity(*argument);
  const std::optional<std::string> text = argument->write();
  if (!text || (!cut && language < kFirstWithGenerics)) return std::nullopt;
  AppendEdit edit;
  edit.begin = argument->begin(0);
  edit.end = argument->end(argument->size() - 1);
  edit.text = cut ? *cut : "slices.Clone(" + *text + ")";
  edit.uses_slices = !cut;
  edit.names_slices = has_name(file, "slices");
  const std::optional<std::string> head = call->whole.write();
  if (!head) return std::nullopt;
  const usize begin = call->whole.begin(0);
  const std::string_view whole =
      source.text().substr(begin, call->whole.end(call->whole.size() - 1) - begin);
  // On one line, as it was, when it is on one.
  if (whole.find('\n') != whole.npos) return std::nullopt;
  edit.call = std::string(whole.substr(0, edit.begin - begin)) + edit.text +
              std::string(whole.substr(edit.end - begin));
  return edit;
}

}  // namespace geist::source
