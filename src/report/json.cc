// geist-report/1: the Report as JSON, and back. docs/report.md describes every field.
//
// The names are a promise: later releases add fields and never rename or drop one. A value that is
// not known is null (or an empty list), so a reader finds every key in every report, in that order.
//
// A report that is read back may have been edited or cut: every access asks for the kind first, and
// the first field that disappoints is named. Fields added later may be absent: then the defaults.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/go_symbol.h"
#include "base/text.h"
#include "findings/classes.h"
#include "findings/detectors.h"
#include "findings/losses.h"
#include "report/diff.h"
#include "report/report.h"
#include "report/sections.h"

namespace geist::report {
namespace {

using Json = nlohmann::ordered_json;
using findings::Finding;
using findings::Frame;

constexpr const char* kSchema = "geist-report/1";
constexpr std::string_view kUserCommand = "geist run --report=json:FILE -- ./prog";

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}
template <typename T>
Json number_or_null(T number) {
  return number == 0 ? Json(nullptr) : Json(number);
}

// --- writing ---

// As a person writes it: the linker escapes the dots of a package path's last element, "yaml%2ev3".
std::string plain_function(const std::string& function) {
  const usize slash = function.rfind('/', function.find_first_of("(["));
  return (slash == function.npos ? "" : function.substr(0, slash + 1)) + short_function(function);
}

Json frame_json(const Frame& frame) {
  return {{"function", plain_function(frame.function)},
          {"file", text_or_null(frame.file)},
          {"line", number_or_null(frame.line)},
          {"source", text_or_null(frame.source)},
          {"inlined", frame.inlined}};
}

Json frames_json(const std::vector<Frame>& frames) {
  Json list = Json::array();
  for (const Frame& frame : frames) list.push_back(frame_json(frame));
  return list;
}

Json place_json(const auto& of) {
  return {{"function", text_or_null(plain_function(of.function))},
          {"file", text_or_null(of.file)},
          {"line", number_or_null(of.line)}};
}

Json site_json(const Finding& finding) {
  const Frame site = finding.append_stack.empty() ? Frame{} : finding.append_stack.front();
  Json json = place_json(site);
  json.update({{"pc", text_or_null(finding.pc)},
               {"inlined_into", text_or_null(finding.inlined_into)},
               {"source", text_or_null(site.source)}});
  return json;
}

Json victim_json(const findings::Victim& victim) {
  return {{"holder", std::string(findings::holder_name(victim.holder))},
          {"name", text_or_null(victim.name)},
          {"type", text_or_null(victim.type)},
          {"len", victim.len},
          {"cap", number_or_null(victim.cap)},
          {"function", text_or_null(plain_function(victim.function))},
          {"file", text_or_null(victim.file)},
          {"line", number_or_null(victim.line)},
          {"address", text_or_null(victim.address)},
          {"made_by", frames_json(victim.made_by)},
          {"made_by_note", text_or_null(victim.made_by_note)}};
}

Json drawing_json(const std::vector<findings::DrawnView>& views) {
  Json list = Json::array();
  for (const findings::DrawnView& view : views) {
    list.push_back({{"label", view.label},
                    {"first", view.first},
                    {"len", view.len},
                    {"cap", number_or_null(view.cap)}});
  }
  return list;
}

Json stacks_json(const std::vector<findings::Stack>& stacks) {
  Json list = Json::array();
  for (const findings::Stack& stack : stacks) {
    list.push_back({{"role", stack.role},
                    {"goroutine", text_or_null(stack.goroutine)},
                    {"frames", frames_json(stack.frames)},
                    {"made_at", frames_json(stack.made_at)},
                    {"made_by_goroutine", text_or_null(stack.made_by_goroutine)}});
  }
  return list;
}

Json proof_json(const findings::Proof& proof) {
  return {{"what", proof.what},
          {"line", number_or_null(proof.line)},
          {"plain", proof.plain},
          {"healed", proof.healed},
          {"diff", proof.diff},
          {"plain_runs", proof.plain_runs},
          {"healed_runs", proof.healed_runs},
          {"healed_count", proof.healed_count},
          {"condition", text_or_null(proof.condition)},
          {"restored_runs", proof.restored_runs},
          {"sentence", emit_proof_sentence(proof)}};
}

Json stop_json(const findings::StopPoint& stop) {
  if (stop.pc.empty()) return nullptr;
  return {{"pc", stop.pc},
          {"array", stop.array},
          {"new_len", stop.new_len},
          {"cap", stop.cap},
          {"added", stop.added},
          {"victim",
           {{"frame", stop.victim_frame},
            {"array", text_or_null(stop.victim_array)},
            {"len", text_or_null(stop.victim_len)}}}};
}

Json words_json(const Finding& finding) {
  const findings::ClassWords& words = findings::words_of(finding);
  return {{"sentence", emit_sentence(finding)},
          {"stack", words.writer},
          {"reads", words.reader},
          {"not_read", words.not_read}};
}

Json finding_json(const Finding& finding) {
  return {{"id", finding.id},
          {"rule", finding.rule},
          {"class", finding.finding_class},
          {"words", words_json(finding)},
          {"level", std::string(findings::level_name(finding.level))},
          {"count", finding.count},
          {"fingerprint", finding.fingerprint},
          {"aliases", finding.aliases},
          {"site_code", text_or_null(finding.site_code)},
          {"site", site_json(finding)},
          {"stack", frames_json(finding.append_stack)},
          {"goroutine", text_or_null(finding.goroutine)},
          {"array",
           {{"address", text_or_null(finding.array_address)},
            {"element_size", number_or_null(finding.element_size)},
            {"capacity", number_or_null(finding.array_capacity)},
            {"type", text_or_null(finding.element_type)}}},
          {"append",
           {{"operand", text_or_null(finding.operand)},
            {"old_len", finding.old_len},
            {"added", finding.added},
            {"cap", finding.cap},
            {"shared_by", number_or_null(finding.sharing)}}},
          {"stop", stop_json(finding.stop)},
          {"element",
           {{"index", finding.element_index},
            {"before", text_or_null(finding.before)},
            {"after", text_or_null(finding.after)},
            {"before_hex", text_or_null(finding.before_hex)},
            {"after_hex", text_or_null(finding.after_hex)}}},
          {"victim", victim_json(finding.victim)},
          {"reads", frames_json(finding.reader_stack)},
          {"reads_goroutine", text_or_null(finding.reader_goroutine)},
          {"stacks", stacks_json(finding.stacks)},
          {"ended_with", text_or_null(finding.ended_with)},
          {"drawing", drawing_json(finding.drawing)},
          {"process", finding.pid == 0 ? Json(nullptr)
                                       : Json{{"pid", finding.pid}, {"binary", finding.binary}}},
          {"tests", finding.tests},
          {"other_victims", finding.other_victims},
          {"fix", text_or_null(finding.fix)},
          {"fix_diff", text_or_null(finding.fix_diff)},
          {"fix_file", text_or_null(finding.fix_file)},
          {"fix_compiles", finding.fix_compiles},
          {"fix_elsewhere", text_or_null(finding.fix_elsewhere)},
          {"heal", text_or_null(finding.heal)},
          {"proof", finding.proof ? proof_json(*finding.proof) : Json(nullptr)},
          {"condition", text_or_null(finding.condition)},
          {"repeat", text_or_null(finding.repeat)}};
}

Json places_json(const std::set<findings::PlaceInSource>& places) {
  Json out = Json::array();
  for (const findings::PlaceInSource& place : places)
    out.push_back({{"file", place.file}, {"line", place.line}});
  return out;
}

Json healed_sites_json(const std::vector<findings::Bisection::Site>& healed) {
  Json sites = Json::array();
  for (const findings::Bisection::Site& site : healed) {
    sites.push_back(place_json(site.frame));
    sites.back().update({{"source", text_or_null(site.frame.source)},
                         {"heal", text_or_null(site.heal)},
                         {"healed", site.healed}});
  }
  return sites;
}

Json bisection_json(const findings::Bisection& bisection) {
  return {{"sites", healed_sites_json(bisection.sites)},
          {"candidates", bisection.candidates},
          {"runs", bisection.runs},
          {"proof", proof_json(bisection.proof)}};
}

// Of those that are not zero.
Json severities_json(const std::map<std::string, u64>& lost) {
  Json severities = Json::object();
  for (const auto& [name, count] : lost) {
    if (count != 0) severities[name] = findings::severity_name(findings::severity_of_loss(name));
  }
  return severities;
}

Json other_changes_json(const std::vector<findings::OtherChange>& changes) {
  Json out = Json::array();
  for (const findings::OtherChange& change : changes) {
    out.push_back({{"kind", change.kind},
                   {"condition", text_or_null(change.condition)},
                   {"reason", change.reason},
                   {"test", text_or_null(change.test)},
                   {"sites", healed_sites_json(change.sites)},
                   {"proof", proof_json(change.proof)}});
  }
  return out;
}

Json section_json(const findings::Section& section) {
  Json rows = Json::array();
  auto values = [&](Json json, const std::vector<u64>& numbers) {
    for (usize i = 0; i < section.columns.size() && i < numbers.size(); ++i)
      json[section.columns[i]] = numbers[i];
    return json;
  };
  for (const findings::Section::Row& row : section.rows) {
    Json json = place_json(row);
    if (!row.type.empty() || !row.makers.empty()) {
      json.update({{"name", text_or_null(row.name)}, {"type", text_or_null(row.type)}});
      Json& makers = json["goroutines_from"] = Json::array();
      for (const findings::Section::Maker& maker : row.makers)
        makers.push_back(place_json(maker)), makers.back()["goroutines"] = maker.goroutines;
    }
    rows.push_back(values(std::move(json), row.values));
  }
  return {{"columns", section.columns},
          {"rows", rows},
          {"totals", values(Json::object(), totals_of(section))},
          {"note", text_or_null(section.note)}};
}

// Every key is in every report: null for a detector that was not asked for.
void add_sections(const findings::Report& report, Json& json) {
  for (const findings::DetectorRow& detector : findings::all_detectors()) {
    if (!detector.has_section()) continue;
    const auto found = report.sections.find(std::string(detector.name));
    json[detector.name] =
        found == report.sections.end() ? Json(nullptr) : section_json(found->second);
  }
}

Json target_json(const findings::Target& target) {
  return {{"command", target.command},
          {"binary", text_or_null(target.binary)},
          {"go", text_or_null(target.go)},
          {"module", text_or_null(target.module)},
          {"build_id", text_or_null(target.build_id)},
          {"position_independent", target.position_independent},
          {"module_dir", text_or_null(target.module_dir_hint)},
          {"goroot", text_or_null(target.goroot)}};
}

Json fixed_json(const findings::Report& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) findings.push_back(finding_json(finding));
  Json skipped = Json::object();
  for (const auto& [reason, count] : report.sites.skipped) skipped[reason] = count;
  Json lost = {{"ring_full", 0}, {"not_watched", 0}};
  for (const auto& [name, count] : report.lost) lost[name] = count;
  Json programs = Json::array();
  for (const findings::ProgramRuns& program : report.programs) {
    programs.push_back({{"binary", program.binary},
                        {"go", program.go},
                        {"build_id", text_or_null(program.build_id)},
                        {"processes", program.processes}});
  }
  return {{"schema", kSchema},
          {"geist", report.geist_version},
          {"target", target_json(report.target)},
          {"programs", programs},
          {"exit",
           {{"code", report.exit_known ? Json(report.exit_code) : Json(nullptr)},
            {"signal", report.exit_signal ? Json(*report.exit_signal) : Json(nullptr)}}},
          {"sites",
           {{"growslice_calls", report.sites.growslice_calls},
            {"always_grows", report.sites.always_grows},
            {"probed", report.sites.probed},
            {"skipped", skipped},
            {"without_grow_path", places_json(report.sites.without_grow_path)}}},
          {"events",
           {{"overwriting", report.events.overwriting},
            {"contexts", report.events.contexts},
            {"recorded", report.events.recorded},
            {"judged", report.events.judged}}},
          {"findings", findings},
          {"bisection", report.bisection ? bisection_json(*report.bisection) : Json(nullptr)},
          {"lost", lost},
          {"lost_severity", severities_json(report.lost)},
          {"cost",
           {{"wall_s", report.cost.wall_s},
            {"parked_s", report.cost.parked_s},
            {"slow_path_s", report.cost.slow_path_s},
            {"watch_s", report.cost.watch_s},
            {"gates_s", report.cost.gates_s},
            {"checks_s", report.cost.checks_s},
            {"monitor_cpu_s", report.cost.monitor_cpu_s},
            {"program_cpu_s", report.cost.program_cpu_s},
            {"stops", report.cost.stops},
            {"pause_p50_ms", report.cost.pause_p50_ms},
            {"pause_p99_ms", report.cost.pause_p99_ms}}},
          {"notes", report.notes},
          {"suppressed", report.suppressed},
          {"unused_suppressions", report.unused_suppressions}};
}

Json report_json(const findings::Report& report) {
  Json json = fixed_json(report);
  json["detectors"] = report.detectors;
  json["conditions"] = report.conditions;
  json["other_changes"] = other_changes_json(report.other_changes);
  add_sections(report, json);
  return json;
}

// --- reading ---

// One object of the report. Every find_ leaves its default when the key is absent or null, and
// notes the first field whose kind is wrong; the caller asks once, at the end.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string path, std::string* problem)
      : json_(json), path_(std::move(path)), problem_(problem) {
    if (!json_.is_object()) complain(path_, "an object");
  }

  void read(const char* key, std::string* out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return complain(name_of(key), "a string");
    *out = value->get<std::string>();
  }
  void read(const char* key, bool* out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return complain(name_of(key), "true or false");
    *out = value->get<bool>();
  }
  void read(const char* key, double* out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number()) return complain(name_of(key), "a number");
    *out = value->get<double>();
  }
  template <typename Int>
    requires std::is_integral_v<Int>
  void read(const char* key, Int* out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    bool fits = false;
    if (value->is_number_unsigned()) {
      u64 number = value->get<u64>();
      fits = std::in_range<Int>(number);
      if (fits) *out = static_cast<Int>(number);
    } else if (value->is_number_integer()) {
      i64 number = value->get<i64>();
      fits = std::in_range<Int>(number);
      if (fits) *out = static_cast<Int>(number);
    }
    if (!fits) complain(name_of(key), "a whole number in range");
  }
  void read(const char* key, std::vector<std::string>* out) const {
    for_each(key, [&](const Json& value, const std::string& name) {
      if (!value.is_string()) return complain(name, "a string");
      out->push_back(value.get<std::string>());
    });
  }
  void read(const char* key, std::map<std::string, u64>* out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_object()) return complain(name_of(key), "an object");
    for (const auto& item : value->items()) {
      if (!item.value().is_number_unsigned())
        return complain(name_of(key) + "." + item.key(), "a count");
      (*out)[item.key()] = item.value().get<u64>();
    }
  }
  template <typename F>
  void for_each(const char* key, F&& visit) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) return complain(name_of(key), "a list");
    for (usize i = 0; i < value->size(); i++)
      visit((*value)[i], fmt::format("{}[{}]", name_of(key), i));
  }
  bool has(const char* key) const { return find(key) != nullptr; }
  // An object that is absent reads as an empty one.
  ObjectReader object(const char* key) const {
    static const Json kEmpty = Json::object();
    const Json* value = find(key);
    return {value == nullptr ? kEmpty : *value, name_of(key), problem_};
  }
  void complain(const std::string& name, std::string_view expected) const {
    if (problem_->empty()) *problem_ = fmt::format("{}: expected {}", name, expected);
  }
  std::string* problem() const { return problem_; }

 private:
  const Json* find(const char* key) const {
    if (!json_.is_object()) return nullptr;
    auto it = json_.find(key);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }
  std::string name_of(const char* key) const { return path_.empty() ? key : path_ + "." + key; }

  const Json& json_;
  std::string path_;
  std::string* problem_;
};

void read_place(const ObjectReader& reader, auto& of) {
  reader.read("function", &of.function);
  reader.read("file", &of.file);
  reader.read("line", &of.line);
}

std::vector<Frame> read_frames(const ObjectReader& parent, const char* key) {
  std::vector<Frame> frames;
  parent.for_each(key, [&](const Json& json, const std::string& name) {
    ObjectReader reader(json, name, parent.problem());
    Frame frame;
    read_place(reader, frame);
    reader.read("source", &frame.source);
    reader.read("inlined", &frame.inlined);
    frames.push_back(std::move(frame));
  });
  return frames;
}

std::set<findings::PlaceInSource> read_places(const ObjectReader& sites) {
  std::set<findings::PlaceInSource> places;
  sites.for_each("without_grow_path", [&](const Json& json, const std::string& name) {
    ObjectReader reader(json, name, sites.problem());
    findings::PlaceInSource place;
    reader.read("file", &place.file);
    reader.read("line", &place.line);
    places.insert(std::move(place));
  });
  return places;
}

findings::Victim read_victim(const ObjectReader& reader) {
  findings::Victim victim;
  std::string holder = "heap";
  reader.read("holder", &holder);
  std::optional<findings::Holder> found;
  for (findings::Holder candidate : {findings::Holder::kHeap, findings::Holder::kGlobal,
                                     findings::Holder::kStack, findings::Holder::kRegister}) {
    if (findings::holder_name(candidate) == holder) found = candidate;
  }
  if (!found) reader.complain("victim.holder", "heap, global, stack or register");
  victim.holder = found.value_or(findings::Holder::kHeap);
  reader.read("name", &victim.name);
  reader.read("type", &victim.type);
  reader.read("len", &victim.len);
  reader.read("cap", &victim.cap);
  read_place(reader, victim);
  reader.read("address", &victim.address);
  victim.made_by = read_frames(reader, "made_by");
  reader.read("made_by_note", &victim.made_by_note);
  return victim;
}

std::vector<findings::DrawnView> read_drawing(const ObjectReader& parent) {
  std::vector<findings::DrawnView> views;
  parent.for_each("drawing", [&](const Json& json, const std::string& name) {
    ObjectReader reader(json, name, parent.problem());
    findings::DrawnView view;
    reader.read("label", &view.label);
    reader.read("first", &view.first);
    reader.read("len", &view.len);
    reader.read("cap", &view.cap);
    views.push_back(std::move(view));
  });
  return views;
}

std::vector<findings::Stack> read_stacks(const ObjectReader& parent) {
  std::vector<findings::Stack> stacks;
  parent.for_each("stacks", [&](const Json& json, const std::string& name) {
    ObjectReader reader(json, name, parent.problem());
    findings::Stack stack;
    reader.read("role", &stack.role);
    reader.read("goroutine", &stack.goroutine);
    stack.frames = read_frames(reader, "frames");
    stack.made_at = read_frames(reader, "made_at");
    reader.read("made_by_goroutine", &stack.made_by_goroutine);
    stacks.push_back(std::move(stack));
  });
  return stacks;
}

std::optional<findings::Proof> read_proof(const ObjectReader& parent) {
  if (!parent.has("proof")) return std::nullopt;
  ObjectReader reader = parent.object("proof");
  findings::Proof proof;
  reader.read("condition", &proof.condition);
  reader.read("what", &proof.what);
  reader.read("line", &proof.line);
  reader.read("plain", &proof.plain);
  reader.read("healed", &proof.healed);
  reader.read("diff", &proof.diff);
  reader.read("plain_runs", &proof.plain_runs);
  reader.read("healed_runs", &proof.healed_runs);
  reader.read("healed_count", &proof.healed_count);
  reader.read("restored_runs", &proof.restored_runs);
  return proof;
}

std::vector<findings::Bisection::Site> read_healed_sites(const ObjectReader& parent) {
  std::vector<findings::Bisection::Site> sites;
  parent.for_each("sites", [&](const Json& json, const std::string& name) {
    ObjectReader item(json, name, parent.problem());
    findings::Bisection::Site site;
    read_place(item, site.frame);
    item.read("source", &site.frame.source);
    item.read("heal", &site.heal);
    item.read("healed", &site.healed);
    sites.push_back(std::move(site));
  });
  return sites;
}

std::optional<findings::Bisection> read_bisection(const ObjectReader& parent) {
  if (!parent.has("bisection")) return std::nullopt;
  ObjectReader reader = parent.object("bisection");
  findings::Bisection bisection;
  bisection.sites = read_healed_sites(reader);
  reader.read("candidates", &bisection.candidates);
  reader.read("runs", &bisection.runs);
  bisection.proof = read_proof(reader).value_or(findings::Proof{});
  return bisection;
}

findings::OtherChange read_other_change(const ObjectReader& reader) {
  findings::OtherChange change;
  reader.read("kind", &change.kind);
  reader.read("condition", &change.condition);
  reader.read("reason", &change.reason);
  reader.read("test", &change.test);
  change.sites = read_healed_sites(reader);
  change.proof = read_proof(reader).value_or(findings::Proof{});
  return change;
}

void read_stop(const ObjectReader& reader, findings::StopPoint& out) {
  reader.read("pc", &out.pc);
  reader.read("array", &out.array);
  reader.read("new_len", &out.new_len);
  reader.read("cap", &out.cap);
  reader.read("added", &out.added);
  const ObjectReader victim = reader.object("victim");
  victim.read("frame", &out.victim_frame);
  victim.read("array", &out.victim_array);
  victim.read("len", &out.victim_len);
}

Finding read_finding(const ObjectReader& reader) {
  Finding finding;
  reader.read("id", &finding.id);
  reader.read("rule", &finding.rule);
  reader.read("class", &finding.finding_class);
  std::string level;
  reader.read("level", &level);
  std::optional<findings::Level> found = findings::find_level(level);
  if (!found) reader.complain("level", "latent, suspect, likely, confirmed or proved");
  finding.level = found.value_or(findings::Level::kLatent);
  reader.read("count", &finding.count);
  reader.read("fingerprint", &finding.fingerprint);
  reader.read("aliases", &finding.aliases);
  reader.read("site_code", &finding.site_code);
  reader.read("goroutine", &finding.goroutine);
  finding.append_stack = read_frames(reader, "stack");
  ObjectReader site = reader.object("site");
  site.read("pc", &finding.pc);
  site.read("inlined_into", &finding.inlined_into);
  ObjectReader array = reader.object("array");
  array.read("address", &finding.array_address);
  array.read("element_size", &finding.element_size);
  array.read("capacity", &finding.array_capacity);
  array.read("type", &finding.element_type);
  ObjectReader append = reader.object("append");
  append.read("operand", &finding.operand);
  append.read("old_len", &finding.old_len);
  append.read("added", &finding.added);
  append.read("cap", &finding.cap);
  append.read("shared_by", &finding.sharing);
  read_stop(reader.object("stop"), finding.stop);
  ObjectReader element = reader.object("element");
  element.read("index", &finding.element_index);
  element.read("before", &finding.before);
  element.read("after", &finding.after);
  element.read("before_hex", &finding.before_hex);
  element.read("after_hex", &finding.after_hex);
  finding.victim = read_victim(reader.object("victim"));
  finding.reader_stack = read_frames(reader, "reads");
  reader.read("reads_goroutine", &finding.reader_goroutine);
  finding.stacks = read_stacks(reader);
  reader.read("ended_with", &finding.ended_with);
  finding.drawing = read_drawing(reader);
  ObjectReader process = reader.object("process");
  process.read("pid", &finding.pid);
  process.read("binary", &finding.binary);
  reader.read("tests", &finding.tests);
  reader.read("other_victims", &finding.other_victims);
  reader.read("fix", &finding.fix);
  reader.read("fix_diff", &finding.fix_diff);
  reader.read("fix_file", &finding.fix_file);
  reader.read("fix_compiles", &finding.fix_compiles);
  reader.read("fix_elsewhere", &finding.fix_elsewhere);
  reader.read("heal", &finding.heal);
  finding.proof = read_proof(reader);
  reader.read("condition", &finding.condition);
  reader.read("repeat", &finding.repeat);
  return finding;
}

void read_sections(const ObjectReader& reader, findings::Report* report) {
  for (const findings::DetectorRow& detector : findings::all_detectors()) {
    std::string name(detector.name);
    if (!detector.has_section() || !reader.has(name.c_str())) continue;
    ObjectReader json = reader.object(name.c_str());
    findings::Section section;
    json.read("columns", &section.columns);
    json.read("note", &section.note);
    json.for_each("rows", [&](const Json& item, const std::string& path) {
      ObjectReader one(item, path, reader.problem());
      findings::Section::Row row;
      read_place(one, row);
      for (const std::string& column : section.columns)
        one.read(column.c_str(), &row.values.emplace_back());
      one.read("name", &row.name);
      one.read("type", &row.type);
      one.for_each("goroutines_from", [&](const Json& from, const std::string& at) {
        ObjectReader maker(from, at, reader.problem());
        findings::Section::Maker& made = row.makers.emplace_back();
        read_place(maker, made);
        maker.read("goroutines", &made.goroutines);
      });
      section.rows.push_back(std::move(row));
    });
    report->sections.emplace(std::move(name), std::move(section));
  }
}

void read_counts(const ObjectReader& reader, findings::Report* report) {
  ObjectReader sites = reader.object("sites");
  sites.read("growslice_calls", &report->sites.growslice_calls);
  sites.read("always_grows", &report->sites.always_grows);
  sites.read("probed", &report->sites.probed);
  sites.read("skipped", &report->sites.skipped);
  report->sites.without_grow_path = read_places(sites);
  ObjectReader events = reader.object("events");
  events.read("overwriting", &report->events.overwriting);
  events.read("contexts", &report->events.contexts);
  events.read("recorded", &report->events.recorded);
  events.read("judged", &report->events.judged);
  reader.read("lost", &report->lost);
  ObjectReader cost = reader.object("cost");
  cost.read("wall_s", &report->cost.wall_s);
  cost.read("parked_s", &report->cost.parked_s);
  cost.read("slow_path_s", &report->cost.slow_path_s);
  cost.read("watch_s", &report->cost.watch_s);
  cost.read("gates_s", &report->cost.gates_s);
  cost.read("checks_s", &report->cost.checks_s);
  cost.read("monitor_cpu_s", &report->cost.monitor_cpu_s);
  cost.read("program_cpu_s", &report->cost.program_cpu_s);
  cost.read("stops", &report->cost.stops);
  cost.read("pause_p50_ms", &report->cost.pause_p50_ms);
  cost.read("pause_p99_ms", &report->cost.pause_p99_ms);
  reader.read("notes", &report->notes);
  reader.read("suppressed", &report->suppressed);
  reader.read("unused_suppressions", &report->unused_suppressions);
}

findings::Report read_report(const ObjectReader& reader) {
  findings::Report report;
  reader.read("geist", &report.geist_version);
  ObjectReader target = reader.object("target");
  target.read("command", &report.target.command);
  target.read("binary", &report.target.binary);
  target.read("go", &report.target.go);
  target.read("module", &report.target.module);
  target.read("build_id", &report.target.build_id);
  target.read("position_independent", &report.target.position_independent);
  target.read("module_dir", &report.target.module_dir_hint);
  target.read("goroot", &report.target.goroot);
  reader.for_each("programs", [&](const Json& json, const std::string& name) {
    ObjectReader one(json, name, reader.problem());
    findings::ProgramRuns program;
    one.read("binary", &program.binary);
    one.read("go", &program.go);
    one.read("build_id", &program.build_id);
    one.read("processes", &program.processes);
    report.programs.push_back(std::move(program));
  });
  ObjectReader exit = reader.object("exit");
  constexpr int kNoCode = -1;
  int code = kNoCode;
  exit.read("code", &code);
  report.exit_known = code != kNoCode;
  report.exit_code = report.exit_known ? code : 0;
  std::string signal;
  exit.read("signal", &signal);
  if (!signal.empty()) report.exit_signal = signal;
  read_counts(reader, &report);
  read_sections(reader, &report);
  report.bisection = read_bisection(reader);
  reader.read("detectors", &report.detectors);
  reader.read("conditions", &report.conditions);
  reader.for_each("other_changes", [&](const Json& json, const std::string& name) {
    report.other_changes.push_back(read_other_change(ObjectReader(json, name, reader.problem())));
  });
  reader.for_each("findings", [&](const Json& json, const std::string& name) {
    report.findings.push_back(read_finding(ObjectReader(json, name, reader.problem())));
  });
  return report;
}

}  // namespace

std::string emit_json(const findings::Report& report) {
  return report_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string emit_compact_json(const findings::Report& report) {
  return report_json(report).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<findings::Report> read_json(std::string_view text) {
  auto hint = [] { return fmt::format("A report is what this writes: {}", kUserCommand); };
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return Error("not a JSON file, or one that was cut off").with_hint(hint());
  std::string problem;
  ObjectReader reader(json, "", &problem);
  std::string schema;
  reader.read("schema", &schema);
  if (schema != kSchema) {
    return Error(fmt::format("expected the schema {}, found {}", kSchema,
                             schema.empty() ? "none" : "\"" + printable(schema) + "\""))
        .with_hint(hint());
  }
  findings::Report report = read_report(reader);
  if (!problem.empty()) return Error(printable(problem));
  return report;
}

std::string emit_diff_json(const ReportDiff& diff) {
  auto list = [](const std::vector<const Finding*>& findings) {
    Json json = Json::array();
    for (const Finding* finding : findings) json.push_back(finding_json(*finding));
    return json;
  };
  Json json = {{"schema", "geist-diff/1"},
               {"new", list(diff.appeared)},
               {"gone", list(diff.gone)},
               {"same", list(diff.same)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace geist::report
