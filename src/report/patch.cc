#include "report/patch.h"

#include <charconv>
#include <optional>

namespace geist::report {
namespace {

// "@@ -12,3 +12,4 @@": where the hunk begins in the old file, and how many lines of both it has.
struct Hunk {
  u32 line = 0;
  u32 old_lines = 1;
  u32 new_lines = 1;
};

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, u32* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<usize>(end - text.data()));
  return true;
}

std::optional<Hunk> find_hunk(std::string_view text) {
  Hunk hunk;
  u32 new_line = 0;
  if (!take(text, "@@ -") || !take_number(text, &hunk.line)) return std::nullopt;
  if (take(text, ",") && !take_number(text, &hunk.old_lines)) return std::nullopt;
  if (!take(text, " +") || !take_number(text, &new_line)) return std::nullopt;
  if (take(text, ",") && !take_number(text, &hunk.new_lines)) return std::nullopt;
  if (!text.starts_with(" @@")) return std::nullopt;
  return hunk;
}

std::string_view take_line(std::string_view& text) {
  usize end = text.find('\n');
  std::string_view line = text.substr(0, end == text.npos ? text.size() : end + 1);
  text.remove_prefix(line.size());
  return line;
}

// The lines of one hunk, taken off `text`; false when they are not as many as its head says.
bool read_hunk(const Hunk& hunk, std::string_view& text, std::vector<Replacement>* out) {
  u32 old_left = hunk.old_lines;
  u32 new_left = hunk.new_lines;
  u32 at = hunk.line;
  bool is_open = false;  // the last replacement still grows
  while (old_left > 0 || new_left > 0) {
    std::string_view line = take_line(text);
    char kind = line.empty() ? '\0' : line[0];
    bool is_old = kind == ' ' || kind == '-';
    bool is_new = kind == ' ' || kind == '+';
    if ((!is_old && !is_new) || (is_old && old_left == 0) || (is_new && new_left == 0))
      return false;
    if (kind == ' ') {
      is_open = false;
    } else {
      if (!is_open) out->push_back({at, 0, ""});
      is_open = true;
      if (kind == '-')
        ++out->back().removed;
      else
        out->back().text += line.substr(1);
    }
    old_left -= is_old;
    new_left -= is_new;
    at += is_old;
  }
  return true;
}

}  // namespace

std::vector<Replacement> read_patch(std::string_view diff) {
  std::vector<Replacement> replacements;
  while (!diff.empty()) {
    std::string_view line = take_line(diff);
    if (line.starts_with("--- ") || line.starts_with("+++ ")) continue;
    std::optional<Hunk> hunk = find_hunk(line);
    if (!hunk || !read_hunk(*hunk, diff, &replacements)) return {};
  }
  return replacements;
}

}  // namespace geist::report
