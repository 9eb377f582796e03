// Source text for reports: the line a pc came from, and the append call on it with the change that
// would cure it.
//
//   path as compiled ──▶ file on this machine ──▶ line, trimmed
//                                            └──▶ append(X, ...) ──▶ append(X[:len(X):len(X)], ...)
//
// Files are untrusted: they may be huge, no text at all, full of control characters, or changed
// since the build. What is read is bounded; what is shown is printable; a file newer than the
// binary, or a standard library of another release, is not used. Nothing is ever run (no `go env`).
// The fix is only offered when the text says for sure that the changed call is the same call
// without the overwriting. Sources: Go spec, "Lexical elements", "Slice expressions";
// golang.org/ref/mod, "Module cache" for escaped paths.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ints.h"
#include "source/patch.h"

namespace geist::source {

// The text of a file with the places where its lines begin.
class SourceText {
 public:
  explicit SourceText(std::string text);

  std::string_view text() const { return text_; }
  i32 line_count() const { return static_cast<i32>(starts_.size()); }
  // Line `line` (from 1), trimmed, made printable and cut to a sensible length; nothing outside the
  // file.
  std::optional<std::string> find_line(i32 line) const;
  // The line that holds byte `offset`.
  i32 line_of(usize offset) const;
  // Where line `line` (from 1) begins; the end of the text for a line behind it.
  usize start_of(u32 line) const {
    return line >= 1 && line <= starts_.size() ? starts_[line - 1] : text_.size();
  }

 private:
  std::string text_;
  std::vector<usize> starts_;
};

class SourceCache {
 public:
  struct Options {
    // "go1.26.8": the standard library of this release only; empty: of any.
    std::string go_release = {};
    // Files of the user that are newer than this one are not used; empty: all are.
    std::string binary_path = {};
    // Where "./main.go" and the main module are looked for; empty: the current folder.
    std::string folder = {};
  };
  SourceCache() : SourceCache(Options()) {}
  explicit SourceCache(Options options);

  // The file that a path as compiled means here: the path itself, GOMODCACHE, GOROOT/src, the main
  // module.
  std::optional<std::string> find_path(const std::string& compiled) const;
  // Its text; null when it is not here or cannot be trusted. Lives as long as the cache.
  const SourceText* find_file(const std::string& compiled);
  // The module of a file that is here: its root, and the minor version of its go directive (0
  // without one). A module of the module cache without go.mod begins at its version, and is of the
  // language go 1.16 (go.dev/ref/mod, "go.mod file: go directive"); anything else without one is the
  // folder of the file. Nothing for the standard library, which has no module of its own to fix.
  struct Module {
    std::string root;
    int language = 0;
    bool has_file = true;  // a go.mod
  };
  std::optional<Module> find_module(const std::string& path) const;
  // Is the file of a path as compiled here, and neither of the standard library nor of a dependency?
  bool is_own(const std::string& compiled) const;
  // One line of it; empty when there is none, as reports want it.
  std::string line_text(const std::string& compiled, i32 line);

 private:
  std::optional<std::string> find_absolute(const std::string& compiled) const;
  std::optional<std::string> find_in_module_cache(std::string_view path) const;
  std::optional<std::string> find_in_standard_library(std::string_view path) const;
  std::optional<std::string> find_in_main_module(std::string_view path) const;
  bool is_newer_than_binary(const std::string& path) const;

  Options options_;
  std::vector<std::string> module_caches_;
  std::vector<std::string> standard_libraries_;  // folders "…/src" of the wanted release
  std::unordered_map<std::string, std::unique_ptr<SourceText>> files_;
};

// The append call of a line.
struct AppendCall {
  std::string call;     // "append(g.middleware, middleware...)", on one line
  std::string operand;  // "g.middleware"
  std::string rest;     // "middleware...": all that follows the operand
};

// The call that begins on `line`; without one, the only call that goes across it. Nothing when two
// calls that may overwrite begin there and differ, or the call cannot be written on one line.
// `append([]T{...}, ...)` and the like, which never overwrite, do not count.
std::optional<AppendCall> find_append_operand(const SourceText& source, i32 line);

// The lines on which an append call that may overwrite begins, ascending, each once.
std::vector<i32> find_append_lines(const SourceText& source);

// What to put in the place of an operand or argument of a call so that the call copies.
struct AppendEdit {
  usize begin = 0;  // bytes of the file: the operand
  usize end = 0;
  std::string text;
  std::string call;           // the whole call with it, on one line
  bool uses_slices = false;   // calls slices.Clone or slices.Concat
  bool names_slices = false;  // the file uses that name already, for whatever it stands
};

// `language` is the minor Go version of the module (go.mod, "go 1.NN"; 0: not known). An operand
// that can be written twice gets its capacity cut; one with a call, a receive or the like in it is
// cloned, from 1.18 on, where generic calls are:
//   append(f(x), y) → append(slices.Clone(f(x)), y)
// Where calls stand in each other's first place it is the innermost operand; from 1.22 on, where
// there is slices.Concat, and unless the elements may be bytes, for `append(b, "text"...)` is no
// slice, all of them become one call:
//   append(append(x, y...), z...) → slices.Concat(x, y, z)
// Where the function goes on to slice the result beyond its length, which needs the old capacity:
//   s = append(s[:i], s[j:]...); clear(s[len(s):old]) → s = append(slices.Clone(s)[:i], s[j:]...)
// `element_type` tells two different calls of a line apart, where one cannot append such elements:
//   rows = append(rows, append(base, "x"))    of "string": the second one
std::optional<AppendEdit> find_append_edit(const SourceText& source, i32 line, int language,
                                           bool has_byte_elements = true,
                                           std::string_view element_type = {});

// What the statement that `line` is in assigns to: "mine", "q.rows", "a or b". Nothing when it assigns
// nothing, or only err, ok and _, or is a loop.
std::optional<std::string> find_assigned(const SourceText& source, i32 line);

// The call of `function` (a symbol: "slices.Delete[...]", "github.com/x/y.(*T).Set") that begins on
// `line`, changed so that what it appends to is a slice of its own:
//   slices.Delete(s, i, j)        → slices.Delete(slices.Clone(s), i, j)
//   strconv.AppendInt(b, n, 10)   → strconv.AppendInt(b[:len(b):len(b)], n, 10)
//   jsonparser.Set(first, v)      → jsonparser.Set(slices.Clone(first), v)   when `victim` is first
// Of the standard library's functions the first argument; of others the one that is `victim`, as it
// is written, or a part of it.
std::optional<AppendEdit> find_call_edit(const SourceText& source, i32 line,
                                         std::string_view function, std::string_view victim,
                                         int language);

// An edit as a patch of the file, with an import where it needs one.
std::optional<Patch> make_edit_patch(const SourceText& source, const AppendEdit& edit,
                                     std::string path);

// The edit of the append as a patch of the file, with an import where it needs one. Nothing for a file without
// an edit, and for one in which another thing is called slices.
std::optional<Patch> derive_fix_patch(const SourceText& source, i32 line, int language,
                                      std::string path, bool has_byte_elements = true);

// The same call with an operand that has no room behind its length; nothing when the operand is not
// simple: it is used twice, so it must be made of names, fields, indices and dereferences only.
//   x → x[:len(x):len(x)]    s[:i] → s[:i:i]    s[a:b] → s[a:b:b]    s[a:] → s[a:len(s):len(s)] *p
//   → (*p)[:len(*p):…]
std::optional<std::string> derive_append_fix(const SourceText& source, i32 line);

}  // namespace geist::source
