// SARIF 2.1.0, for code scanning services and editors. Sections are those of the OASIS standard.
//
//   run ─ tool.driver.rules[GB001]
//       ─ invocations[0]: command, exit, notes and losses as notifications
//       ─ results[]: location = the append
//                    codeFlows = overwritten by → victim → read by, in the order of time
//                    stacks, relatedLocations, fixes, partialFingerprints
//
// Paths are relative to where a service checks the module out (SRCROOT), to GOROOT, or to the
// module cache, so that the same finding has the same place on every machine. Names and values come
// from the target: texts are printable, and what SARIF would take for a link or a placeholder is
// escaped (§3.11.5, §3.11.6).
#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "findings/classes.h"
#include "findings/losses.h"
#include "report/report.h"
#include "source/patch.h"

namespace geist::report {
namespace {

using Json = nlohmann::ordered_json;
using findings::Finding;
using findings::Frame;
using findings::Level;

constexpr const char* kSchema = "https://json.schemastore.org/sarif-2.1.0.json";
constexpr const char* kModuleBase = "SRCROOT";
constexpr const char* kGoBase = "GOROOT";

Json message(std::string_view text) {
  std::string escaped;
  for (char c : printable(text)) {
    if (c == '{' || c == '}') escaped += c;                  // §3.11.5: doubled
    if (c == '[' || c == ']' || c == '\\') escaped += '\\';  // §3.11.6: no links
    escaped += c;
  }
  return {{"text", escaped}};
}

// RFC 3986: what is no unreserved character of a path is percent-encoded.
std::string encode_path(std::string_view path) {
  std::string out;
  for (char c : path) {
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    std::string_view("-._~/@+").find(c) != std::string_view::npos;
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<u8>(c));
  }
  return out;
}

class SarifWriter {
 public:
  explicit SarifWriter(const findings::Report& report) : report_(report) {}
  Json log() const;

 private:
  Json artifact(const std::string& file) const;
  Json location(const Frame& frame, const Json& text) const;
  Json victim_location(const Finding& finding) const;
  Json stack(const std::string& title, const std::vector<Frame>& frames) const;
  Json code_flow(const Finding& finding) const;
  Json fixes(const Finding& finding) const;
  Json properties(const Finding& finding) const;
  Json result(const Finding& finding) const;
  Json invocation() const;
  Json base_uris() const;

  const findings::Report& report_;
};

Json SarifWriter::artifact(const std::string& file) const {
  const findings::Target& target = report_.target;
  for (const std::string& folder : {target.module_dir_hint, target.module}) {
    if (auto rest = find_rest(file, folder))
      return {{"uri", encode_path(*rest)}, {"uriBaseId", kModuleBase}};
  }
  if (auto rest = target.goroot.empty() ? std::nullopt : find_rest(file, target.goroot)) {
    return {{"uri", encode_path(*rest)}, {"uriBaseId", kGoBase}};
  }
  std::string path = encode_path(file);
  return {{"uri", path.starts_with('/') ? "file://" + path : path}};
}

Json SarifWriter::location(const Frame& frame, const Json& text) const {
  Json location = Json::object();
  if (!frame.file.empty()) {
    Json place = {{"artifactLocation", artifact(frame.file)}};
    if (frame.line > 0) place["region"] = {{"startLine", frame.line}};
    if (frame.line > 0 && !frame.source.empty())
      place["region"]["snippet"] = {{"text", printable(frame.source)}};
    location["physicalLocation"] = place;
  }
  if (!frame.function.empty()) {
    location["logicalLocations"] =
        Json::array({{{"fullyQualifiedName", printable(frame.function)}, {"kind", "function"}}});
  }
  if (!text.is_null()) location["message"] = text;
  return location;
}

// Where the victim is held, when that is a frame; else where it was made; else only its name.
Json SarifWriter::victim_location(const Finding& finding) const {
  const findings::Victim& victim = finding.victim;
  Json text = finding.stacks.empty()
                  ? message(fmt::format("the victim: {}, {}", describe_victim(victim),
                                        describe_length(victim)))
                  : message(fmt::format("the map: {}", describe_victim(victim)));
  Frame frame;
  frame.function = victim.function;
  frame.file = victim.file;
  frame.line = victim.line;
  if (frame.file.empty() && !victim.made_by.empty()) frame = victim.made_by.front();
  return location(frame, text);
}

Json SarifWriter::stack(const std::string& title, const std::vector<Frame>& frames) const {
  Json list = Json::array();
  for (const Frame& frame : frames) list.push_back({{"location", location(frame, nullptr)}});
  return {{"message", message(title)}, {"frames", list}};
}

Json SarifWriter::code_flow(const Finding& finding) const {
  const findings::ClassWords& words = findings::words_of(finding);
  Json steps = Json::array();
  auto add = [&](const Json& place, const char* kind) {
    steps.push_back({{"location", place},
                     {"kinds", Json::array({kind})},
                     {"importance", "essential"},
                     {"executionOrder", static_cast<int>(steps.size()) + 1}});
  };
  add(location(finding.append_stack.front(), message(words.way_writer)), "memory");
  if (finding.victim.is_known()) add(victim_location(finding), "value");
  if (!finding.reader_stack.empty()) {
    add(location(finding.reader_stack.front(), message(words.way_reader)), "usage");
  }
  for (usize i = 1; i < finding.stacks.size(); ++i) {
    if (!finding.stacks[i].frames.empty())
      add(location(finding.stacks[i].frames.front(), message(words.way_reader)), "memory");
  }
  return {{"message", message(words.way)}, {"threadFlows", Json::array({{{"locations", steps}}})}};
}

// The patch changes one file.
Json SarifWriter::fixes(const Finding& finding) const {
  Json replacements = Json::array();
  source::Patch patch = source::read_patch(finding.fix_diff).value_or(source::Patch());
  for (const auto& [line, change] : patch.replacements) {
    Json region = {{"startLine", line},
                   {"startColumn", 1},
                   {"endLine", line + change.removed},
                   {"endColumn", 1}};
    replacements.push_back(
        {{"deletedRegion", region}, {"insertedContent", {{"text", change.text}}}});
  }
  if (replacements.empty() || finding.append_stack.empty()) return Json::array();
  const std::string& file =
      finding.fix_file.empty() ? finding.append_stack.front().file : finding.fix_file;
  Json change = {{"artifactLocation", artifact(file)}, {"replacements", replacements}};
  Json fix = {
      {"description", message("Copy instead of writing into the shared array: " + finding.fix)},
      {"artifactChanges", Json::array({change})}};
  return Json::array({fix});
}

Json SarifWriter::properties(const Finding& finding) const {
  Json properties = {{"level", std::string(findings::level_name(finding.level))}};
  auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) properties[key] = printable(value);
  };
  add("before", finding.before);
  add("after", finding.after);
  add("elementType", finding.element_type);
  add("victim", finding.victim.name);
  add("victimType", finding.victim.type);
  if (finding.victim.is_known())
    properties["victimHolder"] = std::string(findings::holder_name(finding.victim.holder));
  add("condition", finding.condition);
  add("repeat", finding.repeat);
  if (finding.proof) add("proof", emit_proof_sentence(*finding.proof));
  add("fix", finding.fix);
  return properties;
}

// SARIF wants a key for each way of making them (§3.27.17): results of different versions are
// compared by the one that both have.
Json fingerprints(const Finding& finding) {
  Json prints = Json::object();
  auto add = [&](const std::string& fingerprint) {
    const char* key = fingerprint.starts_with("g2:") ? "geistFinding/v2" : "geistFinding/v1";
    if (!fingerprint.empty() && !prints.contains(key)) prints[key] = printable(fingerprint);
  };
  add(finding.fingerprint);
  for (const std::string& alias : finding.aliases) add(alias);
  return prints;
}

const char* sarif_level(Level level) {
  switch (level) {
    case Level::kProved:
    case Level::kConfirmed:
      return "error";
    case Level::kLikely:
      return "warning";
    default:
      return "note";
  }
}

Json SarifWriter::result(const Finding& finding) const {
  std::string text = emit_sentence(finding);
  if (finding.level != Level::kLatent && finding.victim.is_known() && finding.stacks.empty())
    text += ": " + describe_victim(finding.victim);
  if (!finding.before.empty() && !finding.after.empty()) {
    text += fmt::format("; it was {} and became {}", finding.before, finding.after);
  }
  Json result = {{"ruleId", printable(finding.rule)},
                 {"level", sarif_level(finding.level)},
                 {"message", message(text + ".")},
                 {"occurrenceCount", std::max<u64>(finding.count, 1)}};
  const findings::ClassWords& words = findings::words_of(finding);
  const auto classes = findings::all_classes();
  auto rule = std::ranges::find(classes, finding.rule, &findings::ClassWords::rule);
  if (rule != classes.end()) result["ruleIndex"] = rule - classes.begin();
  if (!finding.append_stack.empty())
    result["locations"] = Json::array({location(finding.append_stack.front(), nullptr)});
  if (finding.victim.is_known())
    result["relatedLocations"] = Json::array({victim_location(finding)});
  Json stacks = Json::array();
  if (!finding.append_stack.empty()) {
    result["codeFlows"] = Json::array({code_flow(finding)});
    if (finding.stacks.empty())
      stacks.push_back(stack(fmt::format("{} by", words.writer), finding.append_stack));
  }
  for (const findings::Stack& side : finding.stacks) {
    stacks.push_back(stack(fmt::format("goroutine {} {}", side.goroutine, side.role), side.frames));
    if (!side.made_at.empty())
      stacks.push_back(
          stack(fmt::format("goroutine {} was made at", side.goroutine), side.made_at));
  }
  if (!finding.victim.made_by.empty())
    stacks.push_back(stack("the victim was made by", finding.victim.made_by));
  if (!finding.reader_stack.empty())
    stacks.push_back(stack(fmt::format("{} by", words.reader), finding.reader_stack));
  result["stacks"] = stacks;
  if (Json prints = fingerprints(finding); !prints.empty()) result["partialFingerprints"] = prints;
  if (Json fix = fixes(finding); !fix.empty()) result["fixes"] = fix;
  result["properties"] = properties(finding);
  return result;
}

Json SarifWriter::invocation() const {
  Json notices = Json::array();
  for (const std::string& note : report_.notes)
    notices.push_back({{"level", "note"}, {"message", message(note)}});
  for (const auto& [name, count] : report_.lost) {
    if (count == 0) continue;
    const findings::Severity severity = findings::severity_of_loss(name);
    const char* level = severity == findings::Severity::kError  ? "error"
                        : severity == findings::Severity::kLoss ? "warning"
                                                                : "note";
    notices.push_back(
        {{"level", level}, {"message", message(fmt::format("lost: {} {}", count, name))}});
  }
  Json invocation = {{"executionSuccessful", true},
                     {"exitCode", report_.exit_code},
                     {"toolExecutionNotifications", notices}};
  Json command = Json::array();
  for (const std::string& word : report_.target.command) command.push_back(word);
  invocation["arguments"] = command;
  if (report_.exit_signal) invocation["exitSignalName"] = printable(*report_.exit_signal);
  return invocation;
}

Json SarifWriter::base_uris() const {
  Json uris = Json::object();
  auto add = [&](const char* name, const std::string& folder) {
    bool is_known = folder.starts_with('/');
    uris[name] = is_known ? Json({{"uri", "file://" + encode_path(folder) + "/"}}) : Json::object();
  };
  add(kModuleBase, report_.target.module_dir_hint);
  add(kGoBase, report_.target.goroot);
  return uris;
}

Json SarifWriter::log() const {
  Json rules = Json::array();
  for (const findings::ClassWords& words : findings::all_classes()) {
    rules.push_back({{"id", words.rule},
                     {"name", words.rule_name},
                     {"shortDescription", {{"text", words.in_short}}},
                     {"fullDescription", {{"text", words.in_full}}},
                     {"help", {{"text", words.help}}},
                     {"defaultConfiguration", {{"level", "error"}}}});
  }
  Json driver = {{"name", "geist"}, {"rules", rules}};
  if (!report_.geist_version.empty()) driver["version"] = printable(report_.geist_version);
  Json results = Json::array();
  for (const Finding& finding : report_.findings) results.push_back(result(finding));
  Json run = {{"tool", {{"driver", driver}}},
              {"invocations", Json::array({invocation()})},
              {"originalUriBaseIds", base_uris()},
              {"columnKind", "unicodeCodePoints"},
              {"results", results}};
  return {{"$schema", kSchema}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
}

}  // namespace

std::string emit_sarif(const findings::Report& report) {
  return SarifWriter(report).log().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace geist::report
