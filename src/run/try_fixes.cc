// `go list -export` compiles a package and links nothing: some tenths of a second, less when it was
// asked before. Bounded in number and time; what is left out is as if there was no go.
#include "run/try_fixes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text_file.h"
#include "run/temporary_folder.h"
#include "source/patch.h"

extern char** environ;

namespace geist::run {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr usize kMostTried = 8;
constexpr auto kTimeForAll = std::chrono::seconds(10);

// Our environment, but that go fetches nothing.
std::vector<std::string> offline_environment() {
  std::vector<std::string> words;
  for (char** at = environ; *at != nullptr; ++at) {
    if (!std::string_view(*at).starts_with("GOPROXY=")) words.emplace_back(*at);
  }
  words.emplace_back("GOPROXY=off");
  return words;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// The exit status of go, silent, in `folder`; nothing when there is none, or it takes too long.
std::optional<int> run_go_silently(const std::string& folder, std::vector<std::string> words,
                                   Clock::time_point until) {
  words.insert(words.begin(), "go");
  const std::vector<std::string> environment = offline_environment();
  std::vector<char*> argv = pointers(words), envp = pointers(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own, to be ended with all that it started.
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, "go", &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return std::nullopt;
  int status = 0;
  auto pause = std::chrono::milliseconds(2);
  while (true) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) break;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    if (Clock::now() > until) {
      ::kill(-pid, SIGKILL);
      while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      return std::nullopt;
    }
    std::this_thread::sleep_for(pause);
  }
  return WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
}

// The file with the patch applied; nothing when its lines are not those that the patch replaces.
std::optional<std::string> apply(const source::Patch& patch, const std::string& text) {
  std::string out;
  u32 line = 1;
  u32 skip = 0;
  for (usize at = 0; at < text.size(); ++line) {
    const usize end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string whole = text.substr(at, end - at);
    if (auto it = patch.replacements.find(line); it != patch.replacements.end()) {
      out += it->second.text;
      skip = it->second.removed;
    }
    auto old = patch.old_lines.find(line);
    if (skip > 0 && (old == patch.old_lines.end() || old->second != whole)) return std::nullopt;
    if (skip > 0)
      --skip;
    else
      out += whole;
    at = end;
  }
  return out;
}

class FixTrial {
 public:
  FixTrial(const source::SourceCache& sources, TemporaryFolder folder)
      : sources_(sources), folder_(std::move(folder)), until_(Clock::now() + kTimeForAll) {}

  void run(findings::Finding& finding);

 private:
  std::optional<int> compile(const fs::path& file, const std::string& overlay) const;

  const source::SourceCache& sources_;
  TemporaryFolder folder_;
  Clock::time_point until_;
  usize tried_ = 0;
  std::map<std::string, bool> compiles_as_it_is_;  // by folder
};

// The package that the file is of; without a module, the files of its folder.
std::optional<int> FixTrial::compile(const fs::path& file, const std::string& overlay) const {
  std::vector<std::string> words = {"list", "-export"};
  if (file.filename().string().ends_with("_test.go")) words.emplace_back("-test");
  if (!overlay.empty()) words.insert(words.end(), {"-overlay", overlay});
  const std::optional<source::SourceCache::Module> module = sources_.find_module(file);
  if (!module || module->has_file) {
    words.emplace_back(".");
  } else {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(file.parent_path(), error)) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".go") && !name.ends_with("_test.go")) words.push_back(name);
    }
  }
  return run_go_silently(file.parent_path(), std::move(words), until_);
}

void FixTrial::run(findings::Finding& finding) {
  const std::optional<source::Patch> patch = source::read_patch(finding.fix_diff);
  const std::optional<std::string> path = sources_.find_path(finding.fix_file);
  if (!patch || !path || !sources_.is_own(finding.fix_file)) return;
  if (tried_++ >= kMostTried || Clock::now() > until_) return;
  std::error_code error;
  const fs::path file = fs::canonical(*path, error);
  if (error) return;
  const Result<std::string> text = read_text_file(file);
  const std::optional<std::string> changed =
      text.ok() ? apply(*patch, text.value()) : std::nullopt;
  if (!changed) return;
  const std::string copy = fmt::format("{}/{}.go", folder_.path(), tried_);
  const std::string overlay = fmt::format("{}/{}.json", folder_.path(), tried_);
  std::ofstream(copy, std::ios::binary) << *changed;
  const nlohmann::json replace = {{"Replace", {{file.string(), copy}}}};
  std::ofstream(overlay) << replace.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::optional<int> status = compile(file, overlay);
  finding.fix_compiles = status == 0;
  if (!status || *status == 0) return;
  auto [known, is_new] = compiles_as_it_is_.try_emplace(file.parent_path(), false);
  if (is_new) known->second = compile(file, "") == 0;
  if (known->second) finding.fix_diff.clear();
}

}  // namespace

void try_fixes(std::vector<findings::Finding>& findings, const source::SourceCache& sources) {
  const bool has_some = std::any_of(findings.begin(), findings.end(), [](const auto& finding) {
    return finding.level >= findings::Level::kLikely && !finding.fix_diff.empty();
  });
  if (!has_some) return;
  Result<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder.ok()) return;  // as without go
  FixTrial trial(sources, std::move(folder).value());
  for (findings::Finding& finding : findings) {
    if (finding.level >= findings::Level::kLikely && !finding.fix_diff.empty()) trial.run(finding);
  }
}

}  // namespace geist::run
