// The unified format, as GNU diffutils describes it ("Detailed Description of Unified Format"):
//
//   --- a/group.go
//   +++ b/group.go
//   @@ -143,3 +143,3 @@      first line and number of lines, in the old file and in the new one
//    context                  a line of both
//   -old
//   +new
#include "source/patch.h"

#include <charconv>

#include <fmt/format.h>

namespace geist::source {
namespace {

constexpr u32 kContext = 3;

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

struct Hunk {
  u32 line = 0;
  u32 old_lines = 1;
  u32 new_lines = 1;
};

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
bool read_hunk(const Hunk& hunk, std::string_view& text, Patch* out) {
  u32 old_left = hunk.old_lines;
  u32 new_left = hunk.new_lines;
  u32 at = hunk.line;
  Replacement* open = nullptr;  // the one that still grows
  while (old_left > 0 || new_left > 0) {
    std::string_view line = take_line(text);
    char kind = line.empty() ? '\0' : line[0];
    bool is_old = kind == ' ' || kind == '-';
    bool is_new = kind == ' ' || kind == '+';
    if ((!is_old && !is_new) || (is_old && old_left == 0) || (is_new && new_left == 0))
      return false;
    if (kind == ' ')
      open = nullptr;
    else if (open == nullptr)
      open = &out->replacements[at];
    if (kind == '-') ++open->removed;
    if (kind == '+') open->text += line.substr(1);
    if (is_old) out->old_lines[at] = line.substr(1);
    old_left -= is_old;
    new_left -= is_new;
    at += is_old;
  }
  return true;
}

using Change = std::map<u32, Replacement>::const_iterator;

// One hunk as it is written.
class HunkWriter {
 public:
  HunkWriter(const Patch& patch, u32 first) : patch_(patch), line_(first) {}

  void keep_until(u32 line) {
    for (; line_ < line; ++line_) {
      text_ += " " + patch_.old_lines.at(line_);
      ++old_count_;
      ++new_count_;
    }
  }
  void replace(const Replacement& change) {
    for (u32 i = 0; i < change.removed; ++i, ++line_) text_ += "-" + patch_.old_lines.at(line_);
    old_count_ += change.removed;
    for (std::string_view rest = change.text; !rest.empty(); ++new_count_)
      text_ += fmt::format("+{}", take_line(rest));
  }
  u32 line() const { return line_; }
  u32 old_count() const { return old_count_; }
  u32 new_count() const { return new_count_; }
  const std::string& text() const { return text_; }

 private:
  const Patch& patch_;
  u32 line_;  // of the old file, the next one
  u32 old_count_ = 0;
  u32 new_count_ = 0;
  std::string text_;
};

bool is_known(const Patch& patch, u32 line) {
  return patch.old_lines.contains(line);
}

// Changes with no more between them than the context of both stand in one hunk.
bool joins(const Patch& patch, u32 end, Change next) {
  if (next == patch.replacements.end() || next->first > end + 2 * kContext) return false;
  for (u32 line = end; line < next->first; ++line) {
    if (!is_known(patch, line)) return false;
  }
  return true;
}

}  // namespace

std::string emit_patch(const Patch& patch) {
  if (patch.replacements.empty()) return "";
  std::string out = fmt::format("--- a/{0}\n+++ b/{0}\n", patch.path);
  i64 shift = 0;  // lines that the hunks so far have added
  for (Change it = patch.replacements.begin(); it != patch.replacements.end();) {
    u32 first = it->first;
    while (first > 1 && it->first - first < kContext && is_known(patch, first - 1)) --first;
    HunkWriter hunk(patch, first);
    do {
      hunk.keep_until(it->first);
      hunk.replace(it->second);
      ++it;
    } while (joins(patch, hunk.line(), it));
    u32 last = hunk.line();
    while (last - hunk.line() < kContext && is_known(patch, last)) ++last;
    hunk.keep_until(last);
    out += fmt::format("@@ -{},{} +{},{} @@\n", first, hunk.old_count(), first + shift,
                       hunk.new_count()) +
           hunk.text();
    shift += static_cast<i64>(hunk.new_count()) - hunk.old_count();
  }
  return out;
}

std::optional<Patch> read_patch(std::string_view diff) {
  Patch patch;
  while (!diff.empty()) {
    std::string_view line = take_line(diff);
    if (take(line, "--- a/")) {
      if (!patch.path.empty()) return std::nullopt;
      patch.path = line.substr(0, line.find('\n'));
      continue;
    }
    if (line.starts_with("+++ ")) continue;
    std::optional<Hunk> hunk = find_hunk(line);
    if (!hunk || !read_hunk(*hunk, diff, &patch)) return std::nullopt;
  }
  if (patch.path.empty() || patch.replacements.empty()) return std::nullopt;
  return patch;
}

bool merge_patch(const Patch& other, Patch* into) {
  for (const auto& [line, text] : other.old_lines) {
    auto it = into->old_lines.find(line);
    if (it != into->old_lines.end() && it->second != text)
      return false;  // of another state of the file
  }
  for (const auto& [line, change] : other.replacements) {
    auto it = into->replacements.find(line);
    if (it != into->replacements.end() && it->second != change) return false;
  }
  Patch merged = *into;
  merged.old_lines.insert(other.old_lines.begin(), other.old_lines.end());
  merged.replacements.insert(other.replacements.begin(), other.replacements.end());
  u32 end = 0;  // of the change before: none may reach into the next
  for (const auto& [line, change] : merged.replacements) {
    if (line < end) return false;
    end = line + change.removed;
  }
  *into = std::move(merged);
  return true;
}

}  // namespace geist::source
