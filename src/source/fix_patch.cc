// An edit of one operand as whole lines, and the import that it may need.
//
// The import declarations stand in front of all others (Go spec, "Source file organization"), so
// lines are enough to find them: `import "x"`, or a block `import (` … `)`. A new path goes to its
// place in the first run of lines of the first block, which is where goimports keeps the standard
// library; without a block it gets a declaration of its own.
#include <algorithm>

#include "source/source.h"

namespace geist::source {
namespace {

// Line `line` with its line end; empty outside the file.
std::string whole_line(const SourceText& source, u32 line) {
  std::string_view text = source.text();
  usize begin = source.start_of(line);
  if (begin >= text.size()) return "";
  usize end = text.find('\n', begin);
  return std::string(text.substr(begin, end == text.npos ? text.npos : end + 1 - begin));
}

struct Imports {
  std::string insertion;  // the line to put in, without what ends it
  u32 line = 0;           // in front of this one
  bool has_slices = false;
  bool is_clear = false;  // found a place
};

std::string_view trim(std::string_view text) {
  usize first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

bool begins_declaration(std::string_view line) {
  for (std::string_view word : {"func", "type", "var", "const"}) {
    if (line.starts_with(word) && line.size() > word.size() &&
        (line[word.size()] == ' ' || line[word.size()] == '('))
      return true;
  }
  return false;
}

// A block: where "slices" belongs in its first run of lines.
void read_block(const SourceText& source, u32 first, Imports* out) {
  bool in_first_run = true;
  for (u32 line = first;; ++line) {
    std::string text = whole_line(source, line);
    std::string_view import = trim(text);
    if (text.empty() || import.starts_with(")")) {
      if (in_first_run) *out = {"\t\"slices\"", line, out->has_slices, true};
      return;
    }
    out->has_slices = out->has_slices || import.starts_with("\"slices\"");
    bool ends_run = import.empty() || (import.starts_with("\"") && import > "\"slices\"");
    if (!in_first_run || !ends_run || (import.empty() && line == first)) continue;
    *out = {"\t\"slices\"", line, out->has_slices, true};
    in_first_run = false;
  }
}

Imports find_imports(const SourceText& source) {
  Imports found;
  bool in_comment = false;
  for (u32 line = 1; line <= static_cast<u32>(source.line_count()); ++line) {
    std::string text = whole_line(source, line);
    std::string_view words = trim(text);
    if (in_comment || words.starts_with("/*")) {
      in_comment = words.find("*/") == words.npos;
      continue;
    }
    if (begins_declaration(words)) break;
    if (words.starts_with("import (")) {
      read_block(source, line + 1, &found);
      break;
    }
    if (words.starts_with("import ")) {
      found.has_slices = found.has_slices || words.starts_with("import \"slices\"");
      found = {"import \"slices\"", line + 1, found.has_slices, true};
    } else if (words.starts_with("package ") && !found.is_clear) {
      found = {"\nimport \"slices\"", line + 1, found.has_slices, true};
    }
  }
  return found;
}

void add_context(const SourceText& source, u32 line, u32 count, Patch* patch) {
  for (u32 i = line > 3 ? line - 3 : 1; i < line + count + 3; ++i) {
    std::string text = whole_line(source, i);
    if (text.ends_with('\n')) patch->old_lines[i] = text;
  }
}

}  // namespace

std::optional<Patch> make_edit_patch(const SourceText& source, const AppendEdit& edit,
                                     std::string path) {
  if (path.find_first_of("\n\r\t\"") != path.npos) return std::nullopt;
  Patch patch;
  patch.path = std::move(path);
  u32 first = static_cast<u32>(source.line_of(edit.begin));
  u32 last = static_cast<u32>(source.line_of(edit.end - 1));
  std::string_view text = source.text();
  usize begin = source.start_of(first);
  std::string last_line = whole_line(source, last);
  usize end = source.start_of(last) + last_line.size();
  if (!last_line.ends_with('\n')) return std::nullopt;  // would need "\ No newline at end of file"
  std::string changed = std::string(text.substr(begin, edit.begin - begin)) + edit.text +
                        std::string(text.substr(edit.end, end - edit.end));
  patch.replacements[first] = {last + 1 - first, std::move(changed)};
  add_context(source, first, last + 1 - first, &patch);
  if (!edit.uses_slices) return patch;
  Imports imports = find_imports(source);
  if (imports.has_slices) return patch;
  if (edit.names_slices || !imports.is_clear || imports.line > first) return std::nullopt;
  std::string line_end = last_line.ends_with("\r\n") ? "\r\n" : "\n";
  patch.replacements[imports.line] = {0, imports.insertion + line_end};
  add_context(source, imports.line, 0, &patch);
  return patch;
}

std::optional<Patch> derive_fix_patch(const SourceText& source, i32 line, int language,
                                      std::string path, bool has_byte_elements) {
  std::optional<AppendEdit> edit = find_append_edit(source, line, language, has_byte_elements);
  return edit ? make_edit_patch(source, *edit, std::move(path)) : std::nullopt;
}

}  // namespace geist::source
