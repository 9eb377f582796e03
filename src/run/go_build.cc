// `geist run ./cmd/server`: the package is built as `go build` would build it (same flags from
// GOFLAGS, same caches) into a temporary folder, under the name go gives the binary, so that the
// program sees a familiar os.Args[0].
//
// A directory is built from inside (-C), so it may belong to another module than the current one.
#include "run/go_build.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/fd.h"

extern char** environ;

namespace geist::run {
namespace {

namespace fs = std::filesystem;

// Where a go command's output goes. stderr is ours, or nowhere.
struct GoOutput {
  int stdout_fd = STDOUT_FILENO;
  bool is_silent = false;
};

Result<int> spawn_go(const std::vector<std::string>& arguments, const GoOutput& output,
                     const sigset_t* mask) {
  std::vector<char*> argv = {const_cast<char*>("go")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.stdout_fd, STDOUT_FILENO);
  if (output.is_silent)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (mask != nullptr) {
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  }
  pid_t pid = 0;
  int error = posix_spawnp(&pid, "go", &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  return Error(fmt::format("go: {}", std::strerror(error)), ErrorKind::kSystem)
      .with_hint(
          "Packages are built with the go command, which must be in PATH (https://go.dev/dl/). A "
          "binary needs none.");
}

Result<int> run_go(const std::vector<std::string>& arguments, const GoOutput& output) {
  GEIST_TRY(pid, spawn_go(arguments, output, nullptr));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      return Error(fmt::format("waiting for go: {}", std::strerror(errno)), ErrorKind::kSystem);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What the binary of a package is called: the last element of its path, without .go.
std::string binary_name(const std::string& package) {
  std::error_code ignored;
  fs::path path =
      fs::is_directory(package, ignored) ? fs::canonical(package, ignored) : fs::path(package);
  std::string name = path.extension() == ".go" ? path.stem().string() : path.filename().string();
  return name.empty() ? "program" : name;
}

}  // namespace

bool holds_go_files(const std::string& directory) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".go") return true;
  }
  return false;
}

bool is_import_path(const std::string& word) {
  return word.find('/') != std::string::npos && !word.starts_with("/") && !word.starts_with("./") &&
         !word.starts_with("../") && !word.starts_with("-") &&
         word.find("...") == std::string::npos;
}

bool is_main_package(const std::string& package) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  Fd from_go(ends[0]);
  Fd to_us(ends[1]);
  Result<int> status = run_go({"list", "-f", "{{.Name}}", package}, {to_us.get(), true});
  to_us.reset();
  char answer[64] = {};  // "main\n"; a list of packages is longer and no single program
  ssize_t size = ::read(from_go.get(), answer, sizeof answer);
  return status.ok() && status.value() == 0 && size > 0 &&
         std::string_view(answer, static_cast<usize>(size)) == "main\n";
}

Result<BuiltProgram> build_go_package(const std::string& package) {
  GEIST_TRY(folder, TemporaryFolder::make());
  BuiltProgram built(std::move(folder), binary_name(package));
  std::vector<std::string> arguments = {"build"};
  std::error_code ignored;
  bool is_directory = fs::is_directory(package, ignored);
  if (is_directory) arguments.insert(arguments.end(), {"-C", package});  // must come first
  arguments.insert(arguments.end(), {"-o", built.path(), is_directory ? "." : package});
  GEIST_TRY(status, run_go(arguments, {.stdout_fd = STDERR_FILENO}));
  if (status != 0)
    return Error(fmt::format("go build {} failed (exit status {})", package, status));
  // A package that is no command builds too, but what comes out is an archive and not executable.
  if (access(built.path().c_str(), X_OK) != 0)
    return Error(fmt::format("{}: not a main package, there is nothing to run", package));
  return built;
}

Result<int> start_go(const std::vector<std::string>& arguments, const sigset_t& mask) {
  return spawn_go(arguments, {}, &mask);
}

}  // namespace geist::run
