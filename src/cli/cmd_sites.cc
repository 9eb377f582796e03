// geist sites: every growslice call of a binary, with the bucket it ended in. The buckets add up to
// the calls.
#include "cli/cmd_sites.h"

#include <limits>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/print.h"
#include "probe/heal_choice.h"
#include "probe/patch_plan.h"
#include "report/report.h"
#include "run/program_path.h"
#include "sites/append_sites.h"
#include "sites/plain_appends.h"

namespace geist::cli {
namespace {

using sites::AppendSite;
using sites::SiteBucket;

struct Line {
  std::string function, file;
  int line = 0;
};

Line line_of(const read::GoBinary& binary, const AppendSite& site) {
  read::Function function = binary.pclntab().function(site.function);
  std::vector<read::SourceFrame> frames = binary.pclntab().source_frames(function, site.call);
  return {std::string(frames[0].function), std::string(frames[0].file), frames[0].line};
}

bool is_skipped(SiteBucket bucket) {
  return bucket != SiteBucket::kProbed && bucket != SiteBucket::kAlwaysGrows &&
         bucket != SiteBucket::kNeverShared;
}

std::string summary_of(const sites::SiteTable& table, const sites::Refused& refused) {
  std::map<SiteBucket, u64> counts;
  for (const AppendSite& site : table.sites) ++counts[bucket_of(site, refused)];
  u64 grows = counts[SiteBucket::kAlwaysGrows];
  u64 probed = counts[SiteBucket::kProbed];
  u64 builders = counts[SiteBucket::kNeverShared];
  u64 with_path = table.sites.size() - grows - builders;
  std::string out = fmt::format("{} growslice calls: {} probed, {} always grow, {} skipped",
                                table.sites.size(), probed, grows, with_path - probed);
  if (builders != 0)
    out += fmt::format(", {} of strings.Builder, whose memory is nobody else's", builders);
  if (with_path != 0) {
    out += fmt::format("; {:.1f}% of the appends that can write in place",
                       100.0 * static_cast<double>(probed) / static_cast<double>(with_path));
  }
  out += "\n";
  for (const auto& [bucket, count] : counts) {
    if (!is_skipped(bucket)) continue;
    out += fmt::format("  {:6} {}: {}\n", count, sites::bucket_name(bucket),
                       sites::bucket_help(bucket));
  }
  std::map<sites::HealRefusal, u64> refusals;
  for (const AppendSite& site : table.sites) {
    if (bucket_of(site, refused) == SiteBucket::kProbed) ++refusals[site.heal_refusal];
  }
  for (const auto& [refusal, count_of_it] : refusals) {
    if (refusal == sites::HealRefusal::kNone) continue;
    out += fmt::format("  {:6} probed, but geist heal leaves it alone: {}: {}\n", count_of_it,
                       sites::refusal_name(refusal), sites::refusal_help(refusal));
  }
  return out;
}

// Appends that are no growslice call: listed by their source, as far as it is here.
std::vector<sites::PlainAppend> find_plain(const read::GoBinary& binary,
                                           const sites::SiteTable& table) {
  source::SourceCache sources(
      {.go_release = binary.build_info().release.text, .binary_path = binary.image().path()});
  return sites::find_plain_appends(binary, table, sources, std::numeric_limits<usize>::max());
}

std::string describe_plain(const std::vector<sites::PlainAppend>& appends) {
  if (appends.empty()) return "";
  std::string out = fmt::format(
      "{} append{} compiled without growslice, for the compiler knew that there is "
      "room, or a new array (-gcflags=-N keeps the call):\n",
      appends.size(), appends.size() == 1 ? "" : "s");
  for (const sites::PlainAppend& append : appends)
    out += fmt::format("  {}:{}\n", printable(append.file), append.line);
  return out;
}

std::string emit_text(const read::GoBinary& binary, const sites::SiteTable& table,
                      const sites::Refused& refused, bool only_skipped) {
  std::string out;
  for (const AppendSite& site : table.sites) {
    const SiteBucket bucket = bucket_of(site, refused);
    if (only_skipped && !is_skipped(bucket)) continue;
    Line line = line_of(binary, site);
    std::string_view refusal =
        bucket == SiteBucket::kProbed ? sites::refusal_name(site.heal_refusal) : "";
    out += fmt::format("{:#x}  {:22} {} ({}:{}){}{}\n", site.call.value, sites::bucket_name(bucket),
                       printable(line.function), printable(line.file), line.line,
                       refusal.empty() ? "" : "  not healed: ", refusal);
  }
  return out + summary_of(table, refused) + describe_plain(find_plain(binary, table));
}

std::string emit_json(const read::GoBinary& binary, const sites::SiteTable& table,
                      const sites::Refused& refused, bool only_skipped) {
  nlohmann::ordered_json root;
  root["schema"] = "geist-sites/1";
  root["go"] = binary.build_info().release.text;
  root["growslice_calls"] = table.sites.size();
  nlohmann::ordered_json buckets = nlohmann::ordered_json::object();
  for (const AppendSite& site : table.sites) {
    std::string name(sites::bucket_name(bucket_of(site, refused)));
    buckets[name] = buckets.value(name, u64{0}) + 1;
  }
  root["buckets"] = buckets;
  root["without_grow_path"] = nlohmann::ordered_json::array();
  for (const sites::PlainAppend& append : find_plain(binary, table))
    root["without_grow_path"].push_back({{"file", append.file}, {"line", append.line}});
  root["sites"] = nlohmann::ordered_json::array();
  for (const AppendSite& site : table.sites) {
    const SiteBucket bucket = bucket_of(site, refused);
    if (only_skipped && !is_skipped(bucket)) continue;
    Line line = line_of(binary, site);
    std::string_view refusal = probe::why_not_healable(site, refused);
    root["sites"].push_back(
        {{"pc", fmt::format("{:#x}", site.call.value)},
         {"bucket", std::string(sites::bucket_name(bucket))},
         {"function", line.function},
         {"file", line.file},
         {"line", line.line},
         {"element_size", site.elem_size},
         {"not_healed", refusal.empty() ? nlohmann::ordered_json(nullptr)
                                        : nlohmann::ordered_json(std::string(refusal))}});
  }
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

int cmd_sites(const SitesOptions& options) {
  Result<run::Program> program = run::resolve_binary(options.binary);
  if (!program.ok()) return fail(program.error());
  auto binary = read::GoBinary::open(program->path, {options.assume_go_minor});
  if (!binary.ok()) return fail(binary.error());
  const sites::SiteTable table =
      sites::find_append_sites(*binary.value(), std::thread::hardware_concurrency());
  const sites::Refused refused = probe::plan_anywhere(*binary.value(), table, {}).refused;
  const bool is_written =
      options.json ? print_data(emit_json(*binary.value(), table, refused, options.only_skipped))
                   : print_out(printable_lines(
                         emit_text(*binary.value(), table, refused, options.only_skipped)));
  return is_written ? to_int(ExitCode::kOk) : to_int(ExitCode::kBadInput);
}

}  // namespace geist::cli
