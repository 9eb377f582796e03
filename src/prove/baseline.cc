// Comparison of texts of which several versions are known; see baseline.h. The kinds, from strict
// to loose: equal bytes, equal tokens in equal lines, equal sets of lines. A text that fits none of
// them is not compared.
#include "prove/baseline.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/check.h"

namespace geist::prove {
namespace {

constexpr usize kContextLines = 2;
constexpr usize kDiffLines = 3;  // of either side, from the first difference on

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (usize start = 0; start < text.size();) {
    usize end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  // Whether the last line ends counts as well.
  if (!text.empty() && text.back() != '\n') lines.back() += " (no end of line)";
  return lines;
}

// A number with its unit, an address, a name, a time: runs of characters that belong together.
// Everything else is a token of its own, but white space, whose width follows what stands beside
// it.
std::vector<std::string_view> split_tokens(std::string_view line) {
  auto kind = [](char c) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) return 0;
    bool is_word =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("_.:+-", c) != nullptr;
    return is_word || static_cast<unsigned char>(c) >= 0x80 ? 1 : 2;
  };
  std::vector<std::string_view> tokens;
  for (usize start = 0; start < line.size();) {
    usize end = start + 1;
    int of = kind(line[start]);
    while (of != 2 && end < line.size() && kind(line[end]) == of) ++end;
    tokens.push_back(line.substr(start, end - start));
    start = end;
  }
  return tokens;
}

Difference difference_at(const std::vector<std::string>& plain,
                         const std::vector<std::string>& healed, usize line) {
  Difference d;
  d.line = static_cast<i64>(line) + 1;
  if (line < plain.size()) d.plain = plain[line];
  if (line < healed.size()) d.healed = healed[line];
  for (usize i = line - std::min(line, kContextLines); i < line; ++i)
    d.diff.push_back("  " + plain[i]);
  for (usize i = line; i < std::min(line + kDiffLines, plain.size()); ++i) {
    if (i > line && i < healed.size() && plain[i] == healed[i]) break;
    d.diff.push_back("- " + plain[i]);
  }
  for (usize i = line; i < std::min(line + kDiffLines, healed.size()); ++i) {
    if (i > line && i < plain.size() && plain[i] == healed[i]) break;
    d.diff.push_back("+ " + healed[i]);
  }
  return d;
}

}  // namespace

StableText::StableText(std::vector<std::string> versions) {
  for (const std::string& version : versions) versions_.push_back(split_lines(version));
  bool same = std::all_of(versions.begin(), versions.end(),
                          [&](const std::string& v) { return v == versions[0]; });
  if (same) return;
  std::vector<std::string> sorted = versions_[0];
  std::sort(sorted.begin(), sorted.end());
  bool same_count = true;
  bool same_sorted = true;
  for (const std::vector<std::string>& lines : versions_) {
    same_count = same_count && lines.size() == versions_[0].size();
    std::vector<std::string> other = lines;
    std::sort(other.begin(), other.end());
    same_sorted = same_sorted && other == sorted;
  }
  kind_ = same_sorted ? Kind::kSorted : same_count ? Kind::kTokens : Kind::kNone;
}

// In a token that is the same in all versions; of a line whose versions have different numbers of
// tokens nothing is fixed.
bool StableText::line_differs(usize line, const std::string& text) const {
  std::vector<std::string_view> wanted = split_tokens(versions_[0][line]);
  std::vector<bool> fixed(wanted.size(), true);
  for (const std::vector<std::string>& version : versions_) {
    std::vector<std::string_view> tokens = split_tokens(version[line]);
    if (tokens.size() != wanted.size()) return false;
    for (usize i = 0; i < tokens.size(); ++i) fixed[i] = fixed[i] && tokens[i] == wanted[i];
  }
  std::vector<std::string_view> tokens = split_tokens(text);
  if (tokens.size() != wanted.size()) return true;
  for (usize i = 0; i < tokens.size(); ++i) {
    if (fixed[i] && tokens[i] != wanted[i]) return true;
  }
  return false;
}

std::optional<Difference> StableText::compare_lines(const std::vector<std::string>& lines) const {
  const std::vector<std::string>& plain = versions_[0];
  for (usize i = 0; i < std::min(lines.size(), plain.size()); ++i) {
    bool differs = kind_ == Kind::kExact ? lines[i] != plain[i] : line_differs(i, lines[i]);
    if (differs) return difference_at(plain, lines, i);
  }
  if (lines.size() == plain.size()) return std::nullopt;
  return difference_at(plain, lines, std::min(lines.size(), plain.size()));
}

std::optional<Difference> StableText::compare_sorted(std::vector<std::string> lines) const {
  std::vector<std::string> plain = versions_[0];
  std::sort(plain.begin(), plain.end());
  std::sort(lines.begin(), lines.end());
  if (lines == plain) return std::nullopt;
  std::vector<std::string> gone, come;
  std::set_difference(plain.begin(), plain.end(), lines.begin(), lines.end(),
                      std::back_inserter(gone));
  std::set_difference(lines.begin(), lines.end(), plain.begin(), plain.end(),
                      std::back_inserter(come));
  Difference d = difference_at(gone, come, 0);
  d.line = 0;  // the order is not fixed, so no line has a number
  return d;
}

std::optional<Difference> StableText::find_difference(const std::string& text) const {
  if (kind_ == Kind::kNone) return std::nullopt;
  std::vector<std::string> lines = split_lines(text);
  return kind_ == Kind::kSorted ? compare_sorted(std::move(lines)) : compare_lines(lines);
}

namespace {

// "    --- FAIL: TestAdd/big (0.00s)": the test and its verdict.
struct LineVerdict {
  std::string_view test, verdict;
};

std::optional<LineVerdict> find_verdict(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  if (!line.starts_with("--- ")) return std::nullopt;
  for (std::string_view verdict : {"PASS", "FAIL", "SKIP"}) {
    std::string_view rest = line.substr(4);
    if (!rest.starts_with(verdict) || !rest.substr(verdict.size()).starts_with(": ")) continue;
    std::string_view name = rest.substr(verdict.size() + 2);
    return LineVerdict{name.substr(0, name.find(' ')), verdict};
  }
  return std::nullopt;
}

}  // namespace

std::map<std::string, std::string> read_verdicts(const std::string& out) {
  std::map<std::string, std::string> verdicts;
  for (const std::string& line : split_lines(out)) {
    if (std::optional<LineVerdict> found = find_verdict(line))
      verdicts[std::string(found->test)] = found->verdict;
    std::string_view text =
        std::string_view(line).substr(std::min(line.find_first_not_of(' '), line.size()));
    if (!text.starts_with("{\"")) continue;
    nlohmann::json event = nlohmann::json::parse(text, nullptr, false);
    if (!event.is_object() || !event.contains("Test") || !event["Test"].is_string() ||
        !event.contains("Action"))
      continue;
    for (auto [action, verdict] : {std::pair{"pass", "PASS"}, {"fail", "FAIL"}, {"skip", "SKIP"}}) {
      if (event["Action"] == action) verdicts[event["Test"].get<std::string>()] = verdict;
    }
  }
  return verdicts;
}

// How long a test took is no part of what it did, and a healed run is not as fast as a plain one:
// "--- PASS: TestAdd (0.01s)".
std::string without_test_times(const std::string& out) {
  if (out.find("--- ") == std::string::npos) return out;
  std::string kept;
  for (usize start = 0; start < out.size();) {
    usize end = std::min(out.find('\n', start), out.size());
    std::string_view line = std::string_view(out).substr(start, end - start);
    usize time = find_verdict(line) ? line.rfind(" (") : line.npos;
    bool is_time = time != line.npos && line.ends_with("s)");
    kept += line.substr(0, is_time ? time : line.npos);
    if (end < out.size()) kept += '\n';
    start = end + 1;
  }
  return kept;
}

std::string describe_exit(const Outcome& outcome) {
  return outcome.signal ? fmt::format("killed by SIG{}", ::sigabbrev_np(*outcome.signal))
                        : fmt::format("exit status {}", outcome.code);
}

Baseline::Baseline(std::vector<Outcome> plain) : plain_(std::move(plain)) {
  GEIST_CHECK(!plain_.empty());
}

std::vector<std::string> Baseline::versions_of_stdout() const {
  std::vector<std::string> versions;
  for (const Outcome& run : plain_) versions.push_back(without_test_times(run.out));
  return versions;
}

std::vector<std::string> Baseline::versions_of_stderr() const {
  std::vector<std::string> versions;
  for (const Outcome& run : plain_) versions.push_back(run.err);
  return versions;
}

// A file that is not there is told from an empty one.
std::vector<std::string> Baseline::versions_of_file(const std::string& path) const {
  std::vector<std::string> versions;
  for (const Outcome& run : plain_)
    versions.push_back(run.files.at(path).value_or("(no such file)"));
  return versions;
}

std::vector<Difference> Baseline::changed_tests(const Outcome& healed) const {
  std::vector<std::map<std::string, std::string>> plain;
  for (const Outcome& run : plain_) plain.push_back(read_verdicts(run.out));
  std::map<std::string, std::string> now = read_verdicts(healed.out);
  auto verdict_in = [](const std::map<std::string, std::string>& verdicts,
                       const std::string& test) {
    auto it = verdicts.find(test);
    return it == verdicts.end() ? std::string("none") : it->second;
  };
  std::vector<std::array<std::string, 3>> changed;  // test, verdict before and after
  for (const auto& [test, verdict] : plain[0]) {
    bool fixed = std::all_of(plain.begin(), plain.end(),
                             [&](const auto& v) { return verdict_in(v, test) == verdict; });
    std::string healed_verdict = verdict_in(now, test);
    if (!fixed || healed_verdict == verdict) continue;
    // A test fails with its subtest, which stands behind it in the order of names and says more.
    if (!changed.empty() && test.starts_with(changed.back()[0] + "/")) changed.pop_back();
    changed.push_back({test, verdict, healed_verdict});
  }
  std::vector<Difference> out;
  for (const auto& [test, before, after] : changed)
    out.push_back({"test " + test, 0, before, after, {"- " + before, "+ " + after}});
  return out;
}

std::optional<Difference> Baseline::compare_verdicts(const Outcome& healed) const {
  std::vector<Difference> changed = changed_tests(healed);
  if (changed.empty()) return std::nullopt;
  return std::move(changed[0]);
}

std::optional<Difference> Baseline::compare_exit(const Outcome& healed) const {
  const Outcome& before = plain_[0];
  for (const Outcome& run : plain_) {
    if (run.code != before.code || run.signal != before.signal || run.timed_out)
      return std::nullopt;
  }
  if (healed.timed_out || (healed.code == before.code && healed.signal == before.signal))
    return std::nullopt;
  const std::string was = describe_exit(before), is = describe_exit(healed);
  return Difference{"exit", 0, was, is, {"- " + was, "+ " + is}};
}

std::optional<Difference> Baseline::find_difference(const Outcome& healed) const {
  if (healed.timed_out) return std::nullopt;  // where it was stopped says nothing
  if (std::optional<Difference> d = compare_verdicts(healed)) return d;
  auto compare = [](std::string what, std::vector<std::string> versions, const std::string& text) {
    std::optional<Difference> d = StableText(std::move(versions)).find_difference(text);
    if (d) d->what = std::move(what);
    return d;
  };
  if (auto d = compare("stdout", versions_of_stdout(), without_test_times(healed.out))) return d;
  if (auto d = compare_exit(healed)) return d;
  if (auto d = compare("stderr", versions_of_stderr(), healed.err)) return d;
  for (const auto& [path, content] : healed.files) {
    if (auto d =
            compare("file " + path, versions_of_file(path), content.value_or("(no such file)")))
      return d;
  }
  return std::nullopt;
}

std::vector<std::string> Baseline::unstable() const {
  std::vector<std::string> parts;
  if (!StableText(versions_of_stdout()).is_stable()) parts.push_back("stdout");
  if (!StableText(versions_of_stderr()).is_stable()) parts.push_back("stderr");
  for (const auto& [path, content] : plain_[0].files) {
    if (!StableText(versions_of_file(path)).is_stable()) parts.push_back("file " + path);
  }
  return parts;
}

}  // namespace geist::prove
