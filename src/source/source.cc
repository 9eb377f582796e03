// Finding a file from the path that the compiler wrote down. What that path looks like:
//
//   /home/me/prog/main.go                          as it was when built; may be another machine's
//   /home/ci/go/pkg/mod/github.com/x/y@v1/z.go     a module cache, perhaps elsewhere
//   /opt/go/src/runtime/slice.go                   GOROOT, perhaps elsewhere
//   github.com/x/y@v1.2.3/z.go                     built with -trimpath: module cache
//   example.com/prog/main.go                       built with -trimpath: main module
//   runtime/slice.go                               built with -trimpath: GOROOT/src
//   ./main.go                                      built from a list of files
//
// Only regular files are read, never mapped: an editor may cut them short at any time.
#include "source/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/fd.h"

namespace geist::source {
namespace {

// The longest Go files, generated tables, have some megabytes.
constexpr usize kMaxFileBytes = 4u << 20;
constexpr usize kMaxLineBytes = 400;

std::string read_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_regular_file(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::optional<std::string> read_regular_file(const std::string& path) {
  // Opening a FIFO must not wait for a writer.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status;
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  if (static_cast<u64>(status.st_size) > kMaxFileBytes) return std::nullopt;
  std::string text(static_cast<usize>(status.st_size), '\0');
  usize have = 0;
  while (have < text.size()) {
    ssize_t got = ::read(fd.get(), text.data() + have, text.size() - have);
    if (got <= 0) break;
    have += static_cast<usize>(got);
  }
  text.resize(have);
  return text;
}

// "github.com/BurntSushi/toml@v1.4.0/decode.go" → "github.com/!burnt!sushi/toml@v1.4.0/decode.go":
// the module path and the version are escaped, what follows is not.
std::string escape_module_path(std::string_view path) {
  usize at = path.find('@');
  usize end = at == std::string_view::npos ? 0 : std::min(path.find('/', at), path.size());
  std::string escaped;
  for (usize i = 0; i < path.size(); i++) {
    char c = path[i];
    bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper && i < end) {
      escaped += '!';
      c = static_cast<char>(c - 'A' + 'a');
    }
    escaped += c;
  }
  return escaped;
}

// No path that leaves the folder it is looked for in.
bool stays_inside(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  for (usize start = 0; start <= path.size();) {
    usize end = std::min(path.find('/', start), path.size());
    if (path.substr(start, end - start) == "..") return false;
    start = end + 1;
  }
  return true;
}

std::vector<std::string> find_module_caches() {
  std::vector<std::string> folders;
  auto add = [&](const std::string& folder, const char* below) {
    if (!folder.empty()) folders.push_back(folder + below);
  };
  add(read_environment("GOMODCACHE"), "");
  std::string gopath = read_environment("GOPATH");
  add(gopath.substr(0, gopath.find(':')), "/pkg/mod");
  add(read_environment("HOME"), "/go/pkg/mod");
  return folders;
}

// GOROOT, the folder of the `go` in PATH, and where distributions and the official archive put it.
std::vector<std::string> find_go_roots() {
  std::vector<std::string> roots;
  if (std::string root = read_environment("GOROOT"); !root.empty()) roots.push_back(root);
  std::string path = read_environment("PATH");
  for (usize start = 0; start < path.size();) {
    usize end = std::min(path.find(':', start), path.size());
    std::error_code error;
    std::filesystem::path go =
        std::filesystem::canonical(path.substr(start, end - start) + "/go", error);
    if (!error) roots.push_back(go.parent_path().parent_path());
    start = end + 1;
  }
  roots.insert(roots.end(), {"/usr/local/go", "/usr/lib/go"});
  return roots;
}

std::string read_release(const std::string& root) {
  std::string text = read_regular_file(root + "/VERSION").value_or("");
  return text.substr(0, text.find_first_of(" \n"));
}

// "/usr/local/go", "/opt/hostedtoolcache/go/1.21.1/x64", "/home/me/sdk/go1.21.1": a folder of that
// name holds releases.
bool looks_like_go_root(std::string_view folder) {
  return folder.ends_with("/go") || folder.find("/go/") != folder.npos ||
         folder.find("/go1.") != folder.npos || folder.ends_with("/goroot") ||
         folder.ends_with("/golang");
}

bool is_continuation(char c) {
  return (static_cast<u8>(c) & 0xc0) == 0x80;
}

// U+202A…U+202E and U+2066…U+2069 turn the direction of text: what is shown would not be what is
// there.
bool is_direction_mark(std::string_view text, usize at) {
  if (text.size() - at < 3 || text[at] != '\xe2') return false;
  u8 second = static_cast<u8>(text[at + 1]);
  u8 third = static_cast<u8>(text[at + 2]);
  return (second == 0x80 && third >= 0xaa && third <= 0xae) ||
         (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

std::string make_printable(std::string_view text) {
  std::string shown;
  for (usize i = 0; i < text.size(); i++) {
    u8 c = static_cast<u8>(text[i]);
    if (is_direction_mark(text, i)) {
      shown += '?';
      i += 2;
    } else if (c == '\t') {
      shown += ' ';
    } else {
      shown += c < 0x20 || c == 0x7f ? '?' : text[i];
    }
  }
  return shown;
}

bool is_below(const std::vector<std::string>& folders, const std::string& path) {
  return std::ranges::any_of(folders,
                             [&](const std::string& f) { return path.starts_with(f + "/"); });
}

std::string_view trim(std::string_view text) {
  usize first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

SourceText::SourceText(std::string text) : text_(std::move(text)), starts_{0} {
  for (usize i = 0; i < text_.size(); i++) {
    if (text_[i] == '\n' && i + 1 < text_.size()) starts_.push_back(i + 1);
  }
}

std::optional<std::string> SourceText::find_line(i32 line) const {
  if (line < 1 || line > line_count()) return std::nullopt;
  usize start = starts_[static_cast<usize>(line) - 1];
  usize end = std::min(text_.find('\n', start), text_.size());
  std::string_view trimmed = trim(std::string_view(text_).substr(start, end - start));
  if (trimmed.size() > kMaxLineBytes) {
    usize cut = kMaxLineBytes;
    while (cut > 0 && is_continuation(trimmed[cut])) cut--;
    return make_printable(trimmed.substr(0, cut)) + "...";
  }
  return make_printable(trimmed);
}

i32 SourceText::line_of(usize offset) const {
  auto after = std::ranges::upper_bound(starts_, offset);
  return static_cast<i32>(after - starts_.begin());
}

SourceCache::SourceCache(Options options) : options_(std::move(options)) {
  module_caches_ = find_module_caches();
  std::vector<std::string> roots = find_go_roots();
  for (const std::string& cache : module_caches_) {
    // Where `go` keeps the releases it fetches by itself.
    if (options_.go_release.empty()) break;
    roots.push_back(cache + "/golang.org/toolchain@v0.0.1-" + options_.go_release + ".linux-amd64");
  }
  for (const std::string& root : roots) {
    bool is_wanted = options_.go_release.empty() || read_release(root) == options_.go_release;
    if (is_wanted) standard_libraries_.push_back(root + "/src");
  }
}

std::optional<std::string> SourceCache::find_path(const std::string& compiled) const {
  if (compiled.find('\0') != std::string::npos || compiled.empty()) return std::nullopt;
  if (compiled.front() == '/') return find_absolute(compiled);
  if (!stays_inside(compiled)) return std::nullopt;
  if (compiled.starts_with("./")) {
    std::string path = options_.folder.empty() ? compiled : options_.folder + "/" + compiled;
    return is_regular_file(path) ? std::optional(path) : std::nullopt;
  }
  if (compiled.find('@') != std::string::npos)
    return find_in_module_cache(escape_module_path(compiled));
  if (std::optional<std::string> path = find_in_standard_library(compiled)) return path;
  return find_in_main_module(compiled);
}

std::optional<std::string> SourceCache::find_absolute(const std::string& compiled) const {
  std::string_view path(compiled);
  constexpr std::string_view kCache = "/pkg/mod/";
  constexpr std::string_view kLibrary = "/src/";
  usize library = path.find(kLibrary);
  if (is_regular_file(compiled)) {
    std::string release = library == path.npos ? "" : read_release(compiled.substr(0, library));
    bool is_other_release = release.starts_with("go1") && !options_.go_release.empty() &&
                            release != options_.go_release;
    if (!is_other_release) return compiled;
  } else if (usize cache = path.rfind(kCache); cache != path.npos) {
    return find_in_module_cache(path.substr(cache + kCache.size()));
  }
  if (library == path.npos || !looks_like_go_root(path.substr(0, library))) return std::nullopt;
  return find_in_standard_library(path.substr(library + kLibrary.size()));
}

std::optional<std::string> SourceCache::find_in_module_cache(std::string_view path) const {
  if (!stays_inside(path)) return std::nullopt;
  for (const std::string& cache : module_caches_) {
    std::string candidate = cache + "/" + std::string(path);
    if (is_regular_file(candidate)) return candidate;
  }
  return std::nullopt;
}

std::optional<std::string> SourceCache::find_in_standard_library(std::string_view path) const {
  if (!stays_inside(path)) return std::nullopt;
  for (const std::string& library : standard_libraries_) {
    std::string candidate = library + "/" + std::string(path);
    if (is_regular_file(candidate)) return candidate;
  }
  return std::nullopt;
}

// The folder above (or here) whose go.mod says `module M`, M being the beginning of the path.
std::optional<std::string> SourceCache::find_in_main_module(std::string_view path) const {
  std::error_code error;
  std::filesystem::path folder = options_.folder.empty() ? std::filesystem::current_path(error)
                                                         : std::filesystem::path(options_.folder);
  if (error) return std::nullopt;
  for (int depth = 0; depth < 64 && !folder.empty(); depth++) {
    SourceText module_file(read_regular_file(folder / "go.mod").value_or(""));
    for (i32 line = 1; line <= module_file.line_count(); line++) {
      std::string text = module_file.find_line(line).value_or("");
      constexpr std::string_view kModule = "module ";
      if (!text.starts_with(kModule)) continue;
      std::string prefix = text.substr(kModule.size(), text.find("//") - kModule.size());
      prefix = std::string(trim(prefix)) + "/";
      if (!path.starts_with(prefix)) break;
      std::string candidate = folder / path.substr(prefix.size());
      return is_regular_file(candidate) ? std::optional(candidate) : std::nullopt;
    }
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
  }
  return std::nullopt;
}

std::optional<SourceCache::Module> SourceCache::find_module(const std::string& path) const {
  for (const std::string& library : standard_libraries_) {
    if (path.starts_with(library + "/")) return std::nullopt;
  }
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  for (int depth = 0; depth < 64 && !folder.empty(); depth++) {
    if (std::optional<std::string> text = read_regular_file(folder / "go.mod")) {
      Module module{folder, 0};
      SourceText lines(std::move(*text));
      for (i32 line = 1; line <= lines.line_count(); line++) {
        std::string directive = lines.find_line(line).value_or("");
        constexpr std::string_view kGo = "go 1.";
        if (!directive.starts_with(kGo)) continue;
        const char* end = directive.data() + directive.size();
        (void)std::from_chars(directive.data() + kGo.size(), end, module.language);
      }
      return module;
    }
    const bool is_version =
        is_below(module_caches_, path) && folder.filename().string().find('@') != std::string::npos;
    if (is_version) return Module{folder, 16, false};
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
  }
  return Module{std::filesystem::path(path).parent_path(), 0, false};
}

bool SourceCache::is_own(const std::string& compiled) const {
  const std::optional<std::string> path = find_path(compiled);
  return path && !is_below(module_caches_, *path) && !is_below(standard_libraries_, *path) &&
         path->find("/vendor/") == path->npos && path->find("/pkg/mod/") == path->npos;
}

bool SourceCache::is_newer_than_binary(const std::string& path) const {
  if (options_.binary_path.empty()) return false;
  struct stat file;
  struct stat binary;
  if (::stat(path.c_str(), &file) != 0 || ::stat(options_.binary_path.c_str(), &binary) != 0)
    return false;
  return std::pair(file.st_mtim.tv_sec, file.st_mtim.tv_nsec) >
         std::pair(binary.st_mtim.tv_sec, binary.st_mtim.tv_nsec);
}

const SourceText* SourceCache::find_file(const std::string& compiled) {
  auto [it, is_new] = files_.try_emplace(compiled);
  if (!is_new) return it->second.get();
  std::optional<std::string> path = find_path(compiled);
  // Files of a module cache or a release never change; they may have been fetched after the build.
  if (!path) return nullptr;
  bool is_fixed = is_below(module_caches_, *path) || is_below(standard_libraries_, *path);
  if (!is_fixed && is_newer_than_binary(*path)) return nullptr;
  std::optional<std::string> text = read_regular_file(*path);
  if (text) it->second = std::make_unique<SourceText>(std::move(*text));
  return it->second.get();
}

std::string SourceCache::line_text(const std::string& compiled, i32 line) {
  const SourceText* file = find_file(compiled);
  return file == nullptr ? "" : file->find_line(line).value_or("");
}

}  // namespace geist::source
