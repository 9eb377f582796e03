// Which file does the user mean? The rules are a shell's, with Go packages added where a shell
// would give up:
//
//   a directory            with .go files: built; else "Is a directory"
//   a path with a '/'      that file; when there is none and it reads as an import path: go is
//   asked a bare name            the first executable of that name in PATH something.go built
#include "run/program_path.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

namespace geist::run {
namespace {

bool is_regular_file(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool is_directory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// First executable file of that name in PATH, as execvp looks: an empty entry is the current
// directory.
std::optional<std::string> find_in_path(const std::string& name) {
  const char* variable = std::getenv("PATH");
  std::string path = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  for (usize start = 0; start <= path.size();) {
    usize end = std::min(path.find(':', start), path.size());
    std::string directory = path.substr(start, end - start);
    start = end + 1;
    std::string candidate = (directory.empty() ? "." : directory) + "/" + name;
    if (is_regular_file(candidate) && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

// "#!/bin/sh" of a script, or nothing.
std::optional<std::string> find_interpreter(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line(2, '\0');
  if (!file.read(line.data(), 2) || line != "#!") return std::nullopt;
  constexpr std::streamsize kMaxLine = 256;  // BINPRM_BUF_SIZE in linux/binfmts.h
  char rest[kMaxLine] = {};
  file.getline(rest, kMaxLine);
  return line + rest;
}

Error not_found(const std::string& word) {
  bool is_name = word.find('/') == std::string::npos;
  return Error(
      fmt::format("{}: {}", word, is_name ? "command not found" : "No such file or directory"),
      ErrorKind::kNotFound);
}

Result<Program> build_package(const std::string& package) {
  GEIST_TRY(built, build_go_package(package));
  Program program;
  program.path = built.path();
  program.built = std::move(built);
  return program;
}

enum class Purpose { kRun, kStart, kRead };  // kStart: whatever it is

Result<Program> resolve(const std::string& word, Purpose purpose) {
  bool needs_execute = purpose != Purpose::kRead;
  if (is_directory(word)) {
    if (holds_go_files(word)) return build_package(word);
    return Error(fmt::format("{}: Is a directory", word), ErrorKind::kNotRunnable)
        .with_hint("It has no .go files, so it is no package to build either.");
  }
  struct stat info;
  bool is_path = word.find('/') != std::string::npos || !needs_execute;
  bool exists = stat(word.c_str(), &info) == 0;
  int number = errno;
  if (is_path && exists) {
    if (word.ends_with(".go")) return build_package(word);
    if (!S_ISREG(info.st_mode))
      return Error(fmt::format("{}: not a regular file", word), ErrorKind::kNotRunnable);
    if (needs_execute && access(word.c_str(), X_OK) != 0) {
      return Error(fmt::format("{}: {}", word, std::strerror(errno)), ErrorKind::kNotRunnable);
    }
    if (auto interpreter = purpose == Purpose::kRun ? find_interpreter(word) : std::nullopt) {
      return Error(fmt::format("{}: cannot execute binary file: it is a script ({})", word,
                               *interpreter),
                   ErrorKind::kNotRunnable)
          .with_hint(
              "Give geist the Go program that the script starts, or let it watch all of them: "
              "geist run --follow -- SCRIPT");
    }
    return Program{word, {}};
  }
  if (word.find('/') == std::string::npos) {
    if (auto found = find_in_path(word)) return Program{*found, {}};
    if (exists && word.ends_with(".go")) return build_package(word);
    Error error = not_found(word);
    if (exists)
      return std::move(error).with_hint(
          fmt::format("There is a file of that name here: ./{}", word));
    return error;
  }
  if (number != ENOENT && number != ENOTDIR)
    return Error(fmt::format("{}: {}", word, std::strerror(number)), ErrorKind::kNotRunnable);
  if (is_import_path(word) && is_main_package(word)) return build_package(word);
  return not_found(word);
}

}  // namespace

bool program_exists(const std::string& word) {
  return access(word.c_str(), F_OK) == 0 || find_in_path(word).has_value();
}

Result<Program> resolve_program(const std::string& word) {
  return resolve(word, Purpose::kRun);
}
Result<Program> resolve_command(const std::string& word) {
  return resolve(word, Purpose::kStart);
}
Result<Program> resolve_binary(const std::string& word) {
  return resolve(word, Purpose::kRead);
}

}  // namespace geist::run
