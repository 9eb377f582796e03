// Names of appends, taken apart and looked up; see site_names.h. Nothing is guessed: a name that
// means nothing or two things is an error that lists what was near.
#include "sites/names.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "base/text.h"

namespace geist::sites {
namespace {

constexpr usize kMaxCandidates = 8;

// Is `end` the path or what follows one of its slashes?
bool ends_path(const std::string& path, const std::string& end) {
  if (!path.ends_with(end)) return false;
  return path.size() == end.size() || path[path.size() - end.size() - 1] == '/';
}

struct Wanted {
  std::string function, file;
  i32 line = 0;
  bool means(const SiteName& name) const {
    return line == name.line && means_place(name) && means_function(name);
  }
  bool means_place(const SiteName& name) const { return ends_path(name.file, file); }
  bool means_function(const SiteName& name) const {
    return function == name.function || function == short_function(name.function);
  }
};

std::optional<Wanted> parse(const std::string& name) {
  usize second = name.rfind(':');
  if (second == std::string::npos || second == 0) return std::nullopt;
  usize first = name.rfind(':', second - 1);
  if (first == std::string::npos || first == 0 || first + 1 == second) return std::nullopt;
  Wanted wanted{without_type_arguments(std::string_view(name).substr(0, first)),
                name.substr(first + 1, second - first - 1), 0};
  const char* end = name.data() + name.size();
  auto [stop, error] = std::from_chars(name.data() + second + 1, end, wanted.line);
  if (error != std::errc() || stop != end || wanted.line <= 0) return std::nullopt;
  return wanted;
}

std::string list_names(const std::set<SiteName>& names, bool full) {
  std::string out;
  usize count = 0;
  for (const SiteName& name : names) {
    if (count++ == kMaxCandidates)
      return out + fmt::format("\nand {} more", names.size() - kMaxCandidates);
    if (!out.empty()) out += "\n";
    out += full ? fmt::format("{}:{}:{}", name.function, name.file, name.line) : name.text();
  }
  return out;
}

Result<std::vector<usize>> find_at(const SiteTable& table, const std::string& name) {
  u64 address = 0;
  const char* end = name.data() + name.size();
  auto [stop, error] = std::from_chars(name.data() + 2, end, address, 16);
  if (error == std::errc() && stop == end) {
    for (usize i = 0; i < table.sites.size(); ++i) {
      if (table.sites[i].call.value == address) return std::vector<usize>{i};
    }
  }
  return Error(fmt::format("no append at {}", name))
      .with_hint("geist sites lists every append of a binary");
}

}  // namespace

std::string without_type_arguments(std::string_view function) {
  std::string out;
  int depth = 0;
  for (char c : function) {
    if (c == ']' && depth > 0 && --depth == 0) out += "...";
    if (depth == 0) out.push_back(c);
    if (c == '[') ++depth;
  }
  return out;
}

std::string SiteName::text() const {
  return fmt::format("{}:{}:{}", short_function(function), base_name(file), line);
}

SiteName name_of(const read::GoBinary& binary, const AppendSite& site) {
  read::Function function = binary.pclntab().function(site.function);
  read::SourceFrame frame = binary.pclntab().source_frames(function, site.call).front();
  return {without_type_arguments(frame.function), std::string(frame.file), frame.line};
}

SiteName name_of_call(const read::GoBinary& binary, ImageAddr call) {
  const std::optional<read::Function> function = binary.pclntab().find_function(call);
  if (!function) return {};
  const read::SourceFrame frame = binary.pclntab().source_frames(*function, call).front();
  return {without_type_arguments(frame.function), std::string(frame.file), frame.line};
}

Result<std::vector<usize>> find_named(const std::vector<SiteName>& names, const std::string& name,
                                      std::string_view what) {
  std::optional<Wanted> wanted = parse(name);
  if (!wanted) {
    return Error(fmt::format("\"{}\" is no {}: expected function:file:line, as a report prints it",
                             name, what))
        .with_hint(
            "for example 'echo.(*Group).add:group.go:145'; geist sites lists every append of a "
            "binary");
  }
  std::vector<usize> found;
  std::set<SiteName> meant, near;
  for (usize i = 0; i < names.size(); ++i) {
    const SiteName& here = names[i];
    bool same_function = wanted->means_function(here);
    if (wanted->means(here)) {
      found.push_back(i);
      meant.insert(here);
    } else if (same_function || (wanted->means_place(here) && wanted->line == here.line)) {
      near.insert(here);
    }
  }
  if (found.empty()) {
    Error error(fmt::format("no {} at {}", what, name));
    if (near.empty() && what != "append") return error;
    if (near.empty())
      return std::move(error).with_hint("geist sites lists every append of a binary");
    return std::move(error).with_hint(fmt::format("{}s near it:\n", what) +
                                      list_names(near, false));
  }
  if (meant.size() > 1) {
    return Error(fmt::format("{} means more than one {}", name, what))
        .with_hint("one of:\n" + list_names(meant, true));
  }
  return found;
}

Result<std::vector<usize>> find_sites_named(const read::GoBinary& binary, const SiteTable& table,
                                            const std::string& name) {
  if (name.starts_with("0x")) return find_at(table, name);
  std::vector<SiteName> names;
  for (const AppendSite& site : table.sites) names.push_back(name_of(binary, site));
  return find_named(names, name, "append");
}

}  // namespace geist::sites
