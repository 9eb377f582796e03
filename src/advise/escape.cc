// The notes that count are the last ones, "moved to heap: x" and "… escapes to heap"; the ways that -m=2
// tells before, "… escapes to heap in f:" and its "from" lines, say why (cmd/compile/internal/escape).
#include "advise/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "advise/bench.h"
#include "base/text.h"
#include "profile/text_parts.h"
#include "run/child.h"
#include "run/temporary_folder.h"

namespace geist::advise {
namespace {

namespace fs = std::filesystem;
using Place = std::pair<std::string, i32>;

constexpr u64 kBuildTimeout = 600;
constexpr usize kLongest = 160;   // of what is quoted
constexpr usize kMostShown = 40;  // rows of the text
constexpr usize kMostPackages = 10000;
constexpr std::string_view kRuntimeFrames = R"(runtime\..*|internal/runtime/.*)";

struct Line {
  std::string_view file, rest;
  i32 line = 0, column = 0;
};

bool read_part(std::string_view& text, i32& number) {
  const usize colon = text.find(':');
  if (colon == text.npos) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + colon, number);
  if (error != std::errc() || end != text.data() + colon || number < 1) return false;
  text = text.substr(colon + 1);
  return true;
}

// "./main.go:7:20: moved to heap: t".
bool read_place(std::string_view text, Line& out) {
  for (usize colon = text.find(':'); colon != text.npos; colon = text.find(':', colon + 1)) {
    std::string_view rest = text.substr(colon + 1);
    if (!read_part(rest, out.line) || !read_part(rest, out.column) || !rest.starts_with(' '))
      continue;
    out.file = text.substr(0, colon);
    out.rest = rest.substr(1);
    return !out.file.empty() && out.file[0] != ' ';
  }
  return false;
}

std::string quote(std::string_view text) {
  return clip(printable(text.substr(0, 4 * kLongest)), kLongest);
}

template <typename F>
void for_each_line(std::string_view text, F&& tell) {
  for (usize at = 0; at < text.size();) {
    const usize end = std::min(text.find('\n', at), text.size());
    tell(text.substr(at, end - at));
    at = end + 1;
  }
}

constexpr std::string_view kMoved = "moved to heap: ";
constexpr std::string_view kEscapes = " escapes to heap";

// "  from return &t (return) at ./main.go:7:34" → "return &t (return)".
std::string_view step_of(std::string_view rest) {
  constexpr std::string_view kFrom = "    from ";
  if (!rest.starts_with(kFrom)) return "";
  rest = rest.substr(kFrom.size());
  return rest.substr(0, rest.rfind(" at "));
}

std::string real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? path.lexically_normal().string() : real.string();
}

// Where the compiler was asked, for its relative names.
std::string folder_of(const std::string& package) {
  std::error_code error;
  return fs::is_directory(package, error) ? package : fs::current_path(error).string();
}

Result<run::ChildResult> ask_go(std::vector<std::string> words, const std::string& folder,
                                const std::string& temporary, const run::ChildSignals& signals) {
  words.insert(words.begin(), "go");
  return run::run_child({std::move(words), folder, {"GOTMPDIR=" + temporary}, kBuildTimeout},
                        signals);
}

std::string what_of(const Escape& escape) {
  return escape.is_moved ? "variable " + escape.what : escape.what;
}

std::string describe(const EscapeRow& row, const std::string& folder) {
  std::string file = row.file;
  if (file.starts_with(folder + "/")) file = file.substr(folder.size() + 1);
  return fmt::format("{}:{}", file, row.line);
}

std::string bytes_text(i64 bytes) {
  return profile::scaled_label(bytes, "bytes", "auto");
}

}  // namespace

EscapeList read_escapes(std::string_view text) {
  EscapeList list;
  std::set<std::tuple<std::string, i32, i32, std::string>> known;
  std::map<std::tuple<std::string, i32, i32>, std::string> ways;
  for_each_line(text, [&](std::string_view one) {
    Line line;
    const bool is_of_heap = one.find("to heap") != one.npos;
    if (!read_place(one, line)) {
      list.odd_lines += is_of_heap && !one.starts_with('#') ? 1 : 0;
      return;
    }
    if (std::string_view step = step_of(line.rest); !step.empty()) {
      if (ways.size() < kMostEscapes)
        ways[{std::string(line.file), line.line, line.column}] = quote(step);
      return;
    }
    const bool is_moved = line.rest.starts_with(kMoved);
    if (!is_moved && !line.rest.ends_with(kEscapes)) return;
    std::string_view what = is_moved ? line.rest.substr(kMoved.size())
                                     : line.rest.substr(0, line.rest.size() - kEscapes.size());
    if (list.rows.size() == kMostEscapes) {
      ++list.beyond;
      return;
    }
    if (!known.insert({std::string(line.file), line.line, line.column, std::string(what)}).second)
      return;
    list.rows.push_back(
        {std::string(line.file), line.line, line.column, quote(what), is_moved, ""});
  });
  for (Escape& row : list.rows) {
    auto way = ways.find({row.file, row.line, row.column});
    if (way != ways.end()) row.why = way->second;
  }
  return list;
}

std::vector<Package> read_packages(std::string_view text) {
  std::vector<Package> packages;
  for_each_line(text, [&](std::string_view line) {
    const usize tab = line.find('\t');
    if (tab == line.npos || packages.size() == kMostPackages) return;
    packages.push_back({std::string(line.substr(0, tab)), std::string(line.substr(tab + 1))});
  });
  return packages;
}

Result<EscapeAdvice> list_escapes(const std::string& package, const run::ChildSignals& signals) {
  if (package.empty() || package[0] == '-')
    return Error(fmt::format("\"{}\" is no package", package));
  GEIST_TRY(temporary, run::TemporaryFolder::make());
  std::error_code ignored;
  const bool is_folder = fs::is_directory(package, ignored);
  const std::string folder = folder_of(package);
  const std::string name = is_folder ? "." : package;
  Result<run::ChildResult> version =
      ask_go({"env", "GOVERSION"}, folder, temporary.path(), signals);
  if (!version.ok()) return without_go(version.error());
  GEIST_TRY(listed, ask_go({"list", "-f", "{{.ImportPath}}\t{{.Dir}}", name}, folder,
                           temporary.path(), signals));
  if (listed.code != 0)
    return Error(fmt::format("{}: go list: {}", package, first_line(listed.err)));
  Result<run::ChildResult> built = Error("");
  for (const char* level : {"-gcflags=-m=2", "-gcflags=-m=1"}) {  // the first may say too much
    built = ask_go({"build", level, "-o", "/dev/null", name}, folder, temporary.path(), signals);
    if (built.ok() || built.error().kind() == ErrorKind::kSystem) break;
  }
  if (!built.ok()) return built.take_error();
  if (built->timed_out)
    return Error(fmt::format("{}: go build did not end in {} s", package, kBuildTimeout));
  if (built->code != 0) {
    // What does not compile stands among what the compiler says of escapes.
    std::string why = first_error(built->err);
    return Error(fmt::format("{} does not build: {}", package, why));
  }
  EscapeAdvice advice;
  advice.go = first_line(version->out);
  advice.package = package;
  advice.folder = real_path(folder);
  advice.packages = read_packages(listed.out);
  advice.list = read_escapes(built->err);
  std::map<Place, usize> rows;
  for (const Escape& escape : advice.list.rows) {
    Place place{real_path(fs::path(folder) / escape.file), escape.line};
    auto [at, is_new] = rows.emplace(place, advice.rows.size());
    if (is_new) advice.rows.push_back({place.first, place.second, 0, {}});
    advice.rows[at->second].escapes.push_back(escape);
  }
  std::ranges::sort(advice.rows, {},
                    [](const EscapeRow& row) { return std::pair(row.file, row.line); });
  return advice;
}

std::string first_error(std::string_view text) {
  std::string found;
  for_each_line(text, [&](std::string_view one) {
    Line line;
    if (!found.empty() || one.empty() || one.starts_with('#')) return;
    constexpr std::string_view kTalk[] = {"can inline",    "cannot inline", "inlining call",
                                          "leaking param", "moved to",      "parameter ",
                                          "index bounds",  "mark inlined",  "devirtual",
                                          "ignoring ",     "zero-copy",     "  "};
    if (read_place(one, line)) {
      if (std::ranges::any_of(kTalk,
                              [&](std::string_view word) { return line.rest.starts_with(word); }))
        return;
      if (line.rest.find("to heap") != line.rest.npos ||
          line.rest.find("not escape") != line.rest.npos)
        return;
    }
    found = quote(one);
  });
  return found;
}

void join_bytes(const std::map<Place, i64>& bytes, const std::vector<Package>& packages,
                EscapeAdvice& advice) {
  // As -trimpath names files, and as the disk does.
  std::map<std::string, std::string> folders;
  std::set<std::string> known;
  for (const Package& package : packages) {
    const std::string folder = real_path(package.folder);
    folders[package.path] = folder;
    folders[package.folder] = folder;
    known.insert(folder);
  }
  std::map<Place, i64> here;
  for (const auto& [place, value] : bytes) {
    const fs::path file(place.first);
    std::string folder = file.parent_path().string();
    if (auto of = folders.find(folder); of != folders.end())
      folder = of->second;
    else if (file.is_absolute())
      folder = real_path(folder);
    if (!known.contains(folder)) continue;
    here[{folder + "/" + file.filename().string(), place.second}] += value;
    advice.in_packages += value;
  }
  for (EscapeRow& row : advice.rows) {
    auto found = here.find({row.file, row.line});
    if (found != here.end()) row.bytes = found->second;
  }
  std::ranges::stable_sort(advice.rows, std::ranges::greater(), &EscapeRow::bytes);
}

Status join_profile(const profile::Profile& profile, EscapeAdvice& advice) {
  profile::ReportOptions options;
  for (std::string_view type : {"alloc_space", "space", "inuse_space"}) {
    if (std::ranges::find(profile.sample_types, type, &profile::ValueType::type) ==
        profile.sample_types.end())
      continue;
    options.sample_type = type;
    break;
  }
  if (options.sample_type.empty())
    return Error("is no profile of allocations; /debug/pprof/allocs and heap are");
  if (profile.drop_frames.empty()) options.filters.drop = kRuntimeFrames;
  std::vector<std::string> notes;
  profile::GraphOptions lines{.granularity = profile::Granularity::kLines};
  GEIST_TRY(answer, profile::ask(profile, options, lines, &notes));
  std::map<Place, i64> bytes;
  for (u32 i : answer.graph.shown) {
    const profile::Node& node = answer.graph.nodes[i];
    if (node.flat != 0 && node.line > 0 && node.line <= INT32_MAX)
      bytes[{node.file, static_cast<i32>(node.line)}] += node.flat;
  }
  advice.unit = options.sample_type;
  advice.total = answer.graph.total;
  join_bytes(bytes, advice.packages, advice);
  return Done{};
}

std::string emit_escape_sentence(const EscapeAdvice& advice) {
  if (advice.rows.empty()) return "The compiler moves nothing of this package to the heap.";
  if (advice.unit.empty())
    return "Which of these lines matter, a profile tells: get one from /debug/pprof/allocs of a "
           "server (curl -o allocs.pb.gz "
           "http://HOST:PORT/debug/pprof/allocs) or from go test -memprofile=allocs.pb.gz "
           "-memprofilerate=1, and give it with --profile.";
  const EscapeRow& first = advice.rows[0];
  if (first.bytes == 0)
    return fmt::format(
        "None of these lines allocated anything in the profile; {} of its {} are at other lines of "
        "this package.",
        bytes_text(advice.in_packages), bytes_text(advice.total));
  i64 noted = 0;
  usize with_bytes = 0, half = 0;
  for (const EscapeRow& row : advice.rows) {
    if (row.bytes == 0) continue;
    ++with_bytes;
    noted += row.bytes;
  }
  for (i64 sum = 0; half < with_bytes && sum * 2 < noted; ++half) sum += advice.rows[half].bytes;
  return fmt::format(
      "{} of {} lines allocated something, {} line{} {} half of it: begin with {}, where {} goes "
      "to the heap ({}, {} of the profile). "
      "{} of the profile's {} are at lines of this package that the compiler says nothing about, "
      "or of others.",
      with_bytes, advice.rows.size(), half, half == 1 ? "" : "s", half == 1 ? "has" : "have",
      describe(first, advice.folder), what_of(first.escapes[0]), bytes_text(first.bytes),
      profile::percentage(first.bytes, advice.total), bytes_text(advice.total - noted),
      bytes_text(advice.total));
}

std::string emit_escape_text(const EscapeAdvice& advice) {
  std::string out = fmt::format("{}: {} lines with something that goes to the heap, by {}\n",
                                advice.package, advice.rows.size(), advice.go);
  if (!advice.unit.empty())
    out += fmt::format("{}: {} of {}\n", advice.profile, advice.unit, bytes_text(advice.total));
  out += "\n";
  usize shown = 0;
  for (const EscapeRow& row : advice.rows) {
    if (shown == kMostShown || (!advice.unit.empty() && row.bytes == 0)) break;
    ++shown;
    if (!advice.unit.empty())
      out += fmt::format("{:>10} {:>7}  ", bytes_text(row.bytes),
                         profile::percentage(row.bytes, advice.total));
    else
      out += "  ";
    out += describe(row, advice.folder) + "\n";
    for (const Escape& escape : row.escapes)
      out += fmt::format("{}{}{}\n", std::string(advice.unit.empty() ? 6 : 24, ' '),
                         what_of(escape), escape.why.empty() ? "" : "  ← " + escape.why);
  }
  if (shown < advice.rows.size())
    out += fmt::format("  {} more line{}{} (--json has all)\n", advice.rows.size() - shown,
                       advice.rows.size() - shown == 1 ? "" : "s",
                       advice.unit.empty() ? "" : ", most without bytes in the profile");
  if (advice.list.beyond != 0)
    out += fmt::format("  {} more notes of the compiler were not read\n", advice.list.beyond);
  if (advice.list.odd_lines != 0)
    out += fmt::format("  {} lines of the compiler were not understood\n", advice.list.odd_lines);
  return out + "\n" + wrap_text(emit_escape_sentence(advice), 2);
}

std::string emit_escape_json(const EscapeAdvice& advice) {
  using Json = nlohmann::ordered_json;
  Json rows = Json::array();
  for (const EscapeRow& row : advice.rows) {
    Json escapes = Json::array();
    for (const Escape& one : row.escapes)
      escapes.push_back({{"what", one.what},
                         {"kind", one.is_moved ? "moved" : "escapes"},
                         {"column", one.column},
                         {"why", one.why.empty() ? Json(nullptr) : Json(one.why)}});
    rows.push_back({{"file", row.file},
                    {"line", row.line},
                    {"bytes", advice.unit.empty() ? Json(nullptr) : Json(row.bytes)},
                    {"escapes", std::move(escapes)}});
  }
  Json json = {{"schema", "geist-advice/1"},
               {"what", "escape"},
               {"go", advice.go},
               {"package", advice.package},
               {"profile", advice.unit.empty() ? Json(nullptr)
                                               : Json({{"name", advice.profile},
                                                       {"sample_type", advice.unit},
                                                       {"total", advice.total},
                                                       {"in_packages", advice.in_packages}})},
               {"lines", std::move(rows)},
               {"notes_not_read", advice.list.beyond},
               {"lines_not_understood", advice.list.odd_lines},
               {"sentence", emit_escape_sentence(advice)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace geist::advise
