#include "profile/paths.h"

#include <vector>

#include "base/ints.h"

namespace geist::profile {

std::string clean_path(std::string_view path) {
  for (std::string_view prefix : {"/proc/self/cwd/./", "/proc/self/cwd/"}) {
    if (!path.starts_with(prefix)) continue;
    path.remove_prefix(prefix.size());
    break;
  }
  if (path.empty()) return "";
  const bool is_rooted = path.front() == '/';
  std::vector<std::string_view> parts;
  for (usize begin = 0; begin < path.size();) {
    const usize end = std::min(path.find('/', begin), path.size());
    std::string_view part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!is_rooted) {
      parts.push_back(part);
    }
  }
  std::string out(is_rooted ? "/" : "");
  for (usize i = 0; i < parts.size(); ++i) {
    if (i > 0) out += '/';
    out += parts[i];
  }
  return out.empty() ? "." : out;
}

}  // namespace geist::profile
