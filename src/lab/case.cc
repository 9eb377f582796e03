// The reader of case files, line by line, and where they come from: the executable, or a folder.
#include "lab/case.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "base/text_file.h"

// Path below lab/cases and content of each file, one after the other; the last one's path is null.
// Written by src/lab/CMakeLists.txt.
extern "C" {
struct GeistLabFile {
  const char* path;
  const char* begin;
  const char* end;
};
extern const GeistLabFile geist_lab_files[];
}

namespace geist::lab {
namespace {

namespace fs = std::filesystem;

constexpr usize kMostFiles = 100;
constexpr usize kMostCases = 200;
constexpr usize kMostClaims = 100;
constexpr u64 kMostFileBytes = u64{1} << 20;
constexpr usize kIndent = 4;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  for (usize at = 0; at < text.size();) {
    usize end = std::min(text.find(' ', at), text.size());
    if (end > at) words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

Result<u64> read_count(const std::string& value, u64 most) {
  std::optional<double> number = read_number(value);
  if (!number || *number < 1 || *number > static_cast<double>(most))
    return Error(fmt::format("\"{}\" is no number from 1 to {}", value, most));
  return static_cast<u64>(*number);
}

// A claim while its lines are read.
struct Draft {
  std::string text = {}, source = {}, condition = {}, depends_on = {}, figure = {};
  bool is_each = false;
};

class CaseReader {
 public:
  CaseReader(std::string name, std::string_view text) : text_(text) {
    case_.name = std::move(name);
  }

  Result<Case> read() {
    for (usize at = 0; at < text_.size();) {
      usize end = std::min(text_.find('\n', at), text_.size());
      ++line_;
      Status status = read_line(text_.substr(at, end - at));
      if (!status.ok()) return status.take_error().in(fmt::format("line {}", line_));
      at = end + 1;
    }
    GEIST_TRY_STATUS(end_claim());
    if (case_.title.empty()) return Error("has no \"title:\"");
    if (case_.claims.empty()) return Error("claims nothing");
    while (case_.page.ends_with("\n\n")) case_.page.pop_back();
    return std::move(case_);
  }

 private:
  Status read_line(std::string_view line) {
    if (in_page_ && (line.starts_with("    ") || trim(line).empty())) {
      case_.page += line.size() > kIndent ? line.substr(kIndent) : "";
      case_.page += '\n';
      return Done{};
    }
    in_page_ = false;
    if (trim(line).empty() || line.starts_with("#")) return Done{};
    const usize colon = line.find(':');
    if (colon == std::string_view::npos) return Error("expected \"key: value\"");
    const std::string_view key = line.substr(0, colon);
    const std::string value(trim(line.substr(colon + 1)));
    if (key == "page") {
      in_page_ = true;
      return Done{};
    }
    if (value.empty()) return Error(fmt::format("\"{}:\" without a value", key));
    return draft_ ? read_claim_line(key, value) : read_case_line(key, value);
  }

  Status read_case_line(std::string_view key, const std::string& value) {
    if (key == "title") {
      case_.title = value;
    } else if (key == "run" || key == "run-race" || key == "run-geist") {
      const Way way = key == "run" ? Way::kPlain : key == "run-race" ? Way::kRace : Way::kGeist;
      case_.runs.push_back({way, split_words(value)});
    } else if (key == "geist") {
      case_.geist_flags = split_words(value);
    } else if (key == "timeout") {
      GEIST_TRY(seconds, read_count(value, 3600));
      case_.timeout_s = seconds;
    } else if (key == "place") {
      GEIST_TRY(place, read_count(value, 999));
      case_.place = place;
    } else if (key == "looks") {
      GEIST_TRY(looks, read_count(value, 100));
      case_.looks = looks;
    } else if (key == "claim") {
      draft_ = Draft{.text = value};
    } else {
      return Error(fmt::format("unknown key \"{}\"", key));
    }
    return Done{};
  }

  Status read_claim_line(std::string_view key, const std::string& value) {
    if (key == "claim") {
      GEIST_TRY_STATUS(end_claim());
      draft_ = Draft{.text = value};
    } else if (key == "says") {
      draft_->source = value;
    } else if (key == "if" || key == "each") {
      if (!draft_->condition.empty()) return Error("a claim has one condition");
      draft_->condition = value;
      draft_->is_each = key == "each";
    } else if (key == "depends") {
      draft_->depends_on = value;
    } else if (key == "figure") {
      draft_->figure = value;
    } else {
      return Error(fmt::format("unknown key \"{}\" in a claim", key));
    }
    return Done{};
  }

  // What it was claimed with is complete: a condition and a figure at least.
  Status end_claim() {
    if (!draft_) return Done{};
    Draft draft = std::move(*draft_);
    draft_.reset();
    if (draft.condition.empty() || draft.figure.empty())
      return Error(fmt::format("the claim \"{}\" needs a condition and a figure", draft.text));
    if (case_.claims.size() >= kMostClaims) return Error("too many claims");
    GEIST_TRY(condition, Expression::parse(draft.condition));
    GEIST_TRY_STATUS(check_figure(draft.figure));
    if (draft.is_each == condition.family().empty())
      return Error("\"each:\" asks for a NAME[*], \"if:\" does not");
    if (draft.is_each == draft.depends_on.empty())
      return Error("\"each:\" needs a \"depends:\", \"if:\" does not");
    case_.claims.push_back(Claim{draft.text, draft.source, std::move(condition), draft.is_each,
                                 draft.depends_on, draft.figure});
    return Done{};
  }

  std::string_view text_;
  Case case_;
  std::optional<Draft> draft_;
  bool in_page_ = false;
  int line_ = 0;
};

// Files by case, from whatever they came.
using FilesByCase = std::map<std::string, std::vector<CaseFile>>;

Result<std::vector<Case>> make_cases(FilesByCase folders) {
  std::vector<Case> cases;
  for (auto& [name, files] : folders) {
    auto described = std::ranges::find(files, "case", &CaseFile::name);
    if (described == files.end()) continue;
    Result<Case> one = read_case(name, described->text);
    if (!one.ok()) return one.take_error().in(name + "/case");
    files.erase(described);
    one->files = std::move(files);
    cases.push_back(std::move(one).value());
  }
  std::ranges::stable_sort(cases, {}, &Case::place);
  return cases;
}

// Files that a case is made of; a file beside them is none of ours.
bool is_case_file(const fs::path& path) {
  return path.filename() == "case" || path.extension() == ".go" || path.extension() == ".py";
}

Result<std::vector<CaseFile>> read_folder(const fs::path& folder) {
  std::vector<CaseFile> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error) || !is_case_file(entry.path())) continue;
    if (files.size() >= kMostFiles)
      return Error(fmt::format("{}: more than {} files", folder.string(), kMostFiles));
    if (entry.file_size(error) > kMostFileBytes)
      return Error(fmt::format("{}: larger than 1 MiB", entry.path().string()));
    GEIST_TRY(text, read_text_file(entry.path().string()));
    files.push_back({entry.path().filename().string(), std::move(text)});
  }
  return files;
}

// A name that may become a folder and a word of a command.
bool is_case_name(const std::string& name) {
  return !name.empty() && name.size() <= 60 &&
         std::ranges::all_of(name,
                             [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                                      c == '-' || c == '_';
                             }) &&
         name[0] != '-' && name[0] != '_';
}

}  // namespace

Result<Case> read_case(const std::string& name, const std::string& text) {
  return CaseReader(name, text).read();
}

Result<std::vector<Case>> embedded_cases() {
  FilesByCase folders;
  for (const GeistLabFile* file = geist_lab_files; file->path != nullptr; ++file) {
    const fs::path path(file->path);
    folders[path.parent_path().string()].push_back(
        {path.filename().string(), std::string(file->begin, file->end)});
  }
  return make_cases(std::move(folders));
}

Result<std::vector<Case>> read_cases(const std::string& folder) {
  std::error_code error;
  FilesByCase folders;
  fs::directory_iterator entries(folder, error);
  if (error) return Error(fmt::format("{}: {}", folder, error.message()));
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (!is_case_name(name) || !fs::exists(entry.path() / "case", error)) continue;
    if (folders.size() >= kMostCases)
      return Error(fmt::format("{}: more than {} cases", folder, kMostCases));
    GEIST_TRY(files, read_folder(entry.path()));
    folders[name] = std::move(files);
  }
  if (folders.empty()) return Error(fmt::format("{}: no folder in it has a file \"case\"", folder));
  return make_cases(std::move(folders));
}

}  // namespace geist::lab
