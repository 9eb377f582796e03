// A graph by line, without the frames of the runtime at the leaf; then each line is looked up in its source.
#include "profile/sites.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "profile/text_parts.h"
#include "source/source.h"

namespace geist::profile {
namespace {

// Where a profile still has them: of the leaf's side, up to the first frame of the user.
constexpr std::string_view kRuntimeFrames = R"(runtime\..*|internal/runtime/.*)";
constexpr usize kSiteWidth = 100;

bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<u8>(c) >= 0x80;
}

// What follows the bracket of each call of `name` in the line: the word, then a bracket. A comment at its
// end does not count.
std::vector<std::string_view> find_calls(std::string_view line, std::string_view name) {
  std::vector<std::string_view> calls;
  if (usize comment = line.find("//"); comment != line.npos) line = line.substr(0, comment);
  for (usize at = line.find(name); at != line.npos; at = line.find(name, at + 1)) {
    if (at > 0 && (is_name_part(line[at - 1]) || line[at - 1] == '.')) continue;
    usize next = line.find_first_not_of(" \t", at + name.size());
    if (next != line.npos && line[next] == '(') calls.push_back(line.substr(next + 1));
  }
  return calls;
}

bool makes_slice(std::string_view arguments) {
  arguments = arguments.substr(std::min(arguments.find_first_not_of(" \t"), arguments.size()));
  return !arguments.starts_with("chan ") && !arguments.starts_with("map[");
}

Site::Kind kind_of(std::string_view line) {
  const bool appends = !find_calls(line, "append").empty();
  const bool makes = std::ranges::any_of(find_calls(line, "make"), makes_slice);
  if (appends) return makes ? Site::Kind::kBoth : Site::Kind::kAppend;
  return makes ? Site::Kind::kMake : Site::Kind::kOther;
}

std::string_view kind_name(Site::Kind kind) {
  switch (kind) {
    case Site::Kind::kAppend:
      return "append";
    case Site::Kind::kMake:
      return "make";
    case Site::Kind::kBoth:
      return "append+make";
    case Site::Kind::kOther:
    case Site::Kind::kUnknown:
      break;
  }
  return "";
}

Site classify(const Node& node, source::SourceCache& sources) {
  Site site{
      .function = printable(node.name), .file = node.file, .line = node.line, .value = node.flat};
  if (node.line < 1 || node.line > INT32_MAX) return site;
  const i32 line = static_cast<i32>(node.line);
  const source::SourceText* text = sources.find_file(node.file);
  std::optional<std::string> shown = text == nullptr ? std::nullopt : text->find_line(line);
  if (!shown) return site;
  site.text = *shown;
  site.kind = kind_of(*shown);
  if (site.kind != Site::Kind::kAppend && site.kind != Site::Kind::kBoth) return site;
  if (std::optional<source::AppendCall> call = source::find_append_operand(*text, line))
    site.text = call->call;
  return site;
}

}  // namespace

Result<Sites> find_sites(const Profile& profile, ReportOptions options,
                         std::vector<std::string>* notes) {
  auto has_type = [&](std::string_view name) {
    return std::ranges::find(profile.sample_types, name, &ValueType::type) !=
           profile.sample_types.end();
  };
  if (options.sample_type.empty() && has_type("alloc_space")) options.sample_type = "alloc_space";
  if (!has_type("alloc_space") && !has_type("inuse_space") && !has_type("space"))
    return Error("sites: this is no profile of allocations; /debug/pprof/allocs and heap are");
  if (profile.drop_frames.empty()) options.filters.drop = kRuntimeFrames;
  GraphOptions graph_options{.granularity = Granularity::kLines};
  GEIST_TRY(answer, ask(profile, options, graph_options, notes));
  Sites sites{.type = answer.type, .total = answer.graph.total};
  source::SourceCache sources;
  for (u32 i : answer.graph.shown) {
    const Node& node = answer.graph.nodes[i];
    if (node.flat == 0) continue;
    Site site = classify(node, sources);
    if (site.kind == Site::Kind::kOther || site.kind == Site::Kind::kUnknown) {
      const bool is_other = site.kind == Site::Kind::kOther;
      i64& value = is_other ? sites.other_value : sites.unknown_value;
      value = plus(value, site.value);
      ++(is_other ? sites.other_lines : sites.unknown_lines);
    } else {
      sites.rows.push_back(std::move(site));
    }
  }
  return sites;
}

std::string emit_sites(const Sites& sites, u64 most) {
  auto value = [&](i64 number) { return scaled_label(number, sites.type.unit, "auto"); };
  std::string out =
      fmt::format("Type: {}, {} in all\n{:>10} {:>6} {:<11}  site\n", printable(sites.type.type),
                  value(sites.total), "flat", "flat%", "kind");
  const usize shown = most == 0 ? sites.rows.size() : std::min<usize>(most, sites.rows.size());
  i64 hidden = 0;
  for (usize i = 0; i < sites.rows.size(); ++i) {
    const Site& site = sites.rows[i];
    if (i >= shown) {
      hidden = plus(hidden, site.value);
      continue;
    }
    out += fmt::format("{:>10} {} {:<11}  {} {}:{}\n", value(site.value),
                       percentage(site.value, sites.total), kind_name(site.kind), site.function,
                       printable(site.file), site.line);
    out += fmt::format("{:>31}{}\n", "", clip(printable(site.text), kSiteWidth));
  }
  auto add_rest = [&](i64 rest, usize lines, std::string_view what) {
    if (lines == 0) return;
    out += fmt::format("{:>10} {} {:<11}  {} {} {}\n", value(rest), percentage(rest, sites.total),
                       "", lines, lines == 1 ? "line" : "lines", what);
  };
  add_rest(hidden, sites.rows.size() - shown, "more with an append or make (--nodecount)");
  add_rest(sites.other_value, sites.other_lines, "without append and make");
  add_rest(sites.unknown_value, sites.unknown_lines, "whose source is not here");
  return out;
}

}  // namespace geist::profile
