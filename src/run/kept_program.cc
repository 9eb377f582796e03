// Beside the program lies one file of words, each with a zero byte behind it, as the kernel shows
// argv and environment:
//
//   folder, name of the program, number of words in argv, argv…, environment…
#include "run/kept_program.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/ints.h"
#include "base/text_file.h"

namespace geist::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWordsFile = "again";
constexpr std::string_view kOwnVariable = "GEIST=";  // is for geist, which has obeyed it

Status write_words(const std::string& path, const std::vector<std::string>& words) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "we"),
                                                       &std::fclose);
  bool is_written = file != nullptr;
  for (const std::string& word : words) {
    is_written =
        is_written && std::fwrite(word.c_str(), 1, word.size() + 1, file.get()) == word.size() + 1;
  }
  if (!is_written || std::fflush(file.get()) != 0)
    return Error(path + ": cannot be written", ErrorKind::kSystem);
  return Done{};
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  for (usize start = 0; start < text.size();) {
    usize end = std::min(text.find('\0', start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

}  // namespace

Status keep_program(const std::string& path, const std::vector<std::string>& command,
                    const std::string& into) {
  std::error_code error;
  fs::create_directory(into, error);
  std::string name = fs::path(path).filename().string();
  std::string kept = into + "/" + name;
  if (!error) {
    fs::create_hard_link(path, kept, error);
    if (error) fs::copy_file(path, kept, error);  // another file system
  }
  if (error) return Error(fmt::format("{}: {}", kept, error.message()), ErrorKind::kSystem);
  std::vector<std::string> words{fs::current_path(error).string(), name,
                                 std::to_string(command.size())};
  words.insert(words.end(), command.begin(), command.end());
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with(kOwnVariable)) words.emplace_back(*variable);
  }
  return write_words(into + "/" + kWordsFile, words);
}

Result<KeptProgram> read_kept_program(const std::string& from) {
  std::string path = from + "/" + kWordsFile;
  GEIST_TRY(text, read_text_file(path));
  std::vector<std::string> words = split_words(text);
  usize count = 0;
  bool is_whole = words.size() > 3 &&
                  std::from_chars(words[2].data(), words[2].data() + words[2].size(), count).ec ==
                      std::errc() &&
                  count > 0 && count <= words.size() - 3;
  if (!is_whole) return Error(path + ": not all of it is there");
  KeptProgram program;
  program.folder = words[0];
  program.path = from + "/" + words[1];
  auto argv = words.begin() + 3;
  program.command.assign(argv, argv + static_cast<i64>(count));
  program.command[0] = program.path;
  program.environment.assign(argv + static_cast<i64>(count), words.end());
  std::error_code error;
  if (!fs::is_directory(program.folder, error))
    return Error(program.folder + ": is not there any more");
  return program;
}

}  // namespace geist::run
