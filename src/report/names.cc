// Names as a person reads them: files relative to where their reader stands.
//
//   /home/u/go/pkg/mod/github.com/x/y@v1.2.0/z/a.go  ->  z/a.go
//   /usr/local/go/src/fmt/print.go                   ->  fmt/print.go
#include <fmt/format.h>

#include "report/report.h"

namespace geist::report {
std::optional<std::string> find_rest(const std::string& path, std::string directory) {
  while (!directory.empty() && directory.back() == '/') directory.pop_back();
  if (directory.empty() || path.size() <= directory.size() + 1) return std::nullopt;
  if (path.compare(0, directory.size(), directory) != 0 || path[directory.size()] != '/')
    return std::nullopt;
  return path.substr(directory.size() + 1);
}

std::string short_file(const std::string& file, const findings::Target& target,
                       const TextOptions& options) {
  if (auto rest = find_rest(file, options.strip_path_prefix)) return *rest;
  if (auto rest = find_rest(file, target.module_dir_hint)) return *rest;
  if (!target.goroot.empty()) {
    if (auto rest = find_rest(file, target.goroot + "/src")) return *rest;
  }
  // A dependency: everything up to ".../name@version/" is its module root, with and without
  // -trimpath.
  usize at = file.rfind('@');
  if (at != std::string::npos) {
    usize slash = file.find('/', at);
    if (slash != std::string::npos && slash + 1 < file.size()) return file.substr(slash + 1);
  }
  // The main module built with -trimpath.
  if (auto rest = find_rest(file, target.module)) return *rest;
  return file;
}

std::string describe_length(const findings::Victim& victim) {
  return victim.len != 0 ? fmt::format("len {}", victim.len) : "length not known";
}

}  // namespace geist::report
