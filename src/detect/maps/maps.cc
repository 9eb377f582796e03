// Two goroutines in one map. The program's runtime functions look (probe/map_probes.h,
// runtime/maps.cc); here an event becomes a finding: both stacks, both goroutines and where they were
// made, what each was about to do, and the map by its name.
//
//   kMapMet   both stood before their operations at the same instant        ─▶ confirmed
//   kMapWalked, kMapChained, kMapAgain
//             one goroutine inserts into the map it ranges over (runtime/map_walks.cc) ─▶ suspect;
//             the loop walked over what it had inserted, and inserted again ─▶ confirmed, unless it
//             walks over the map until there is nothing new
//   kMapDies  Go's own check ended the program; its message names one side, the table of maps has
//             who else was there last                                       ─▶ confirmed
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>

#include "abi/maps.h"
#include "detect/detector.h"
#include "detect/maps/describe.h"
#include "findings/fingerprint.h"
#include "heap/unwind.h"

namespace geist::detect::maps {
namespace {

using findings::Finding;
using findings::Frame;
using findings::Stack;

constexpr u32 kMaxFrames = 64;
constexpr usize kMaxFindings = 200;

std::string role_of(u64 operation) {
  constexpr std::string_view kRoles[] = {"reads",  "ranges over",  "copies",
                                         "writes", "deletes from", "clears"};
  static_assert(std::size(kRoles) == abi::kMapOperations);
  return operation < std::size(kRoles) ? std::string(kRoles[operation]) : "uses";
}

Finding concurrent_use() {
  Finding finding;
  finding.rule = "GB010";
  finding.finding_class = "concurrent_map";
  finding.level = findings::Level::kConfirmed;
  return finding;
}

class Maps : public Listener {
 public:
  explicit Maps(const Watched& watched) : watched_(watched), words_(watched) {}
  void hear(const abi::Event& event) override;
  void tell(findings::Report& report) override;

 private:
  LoadBias bias() const { return watched_.process.plan.bias; }
  std::vector<Frame> frames_of(const abi::Event& event) const;
  void note_maker(u64 go_pc, u64 parent, Stack& stack) const;
  void name_map(u64 map, u64 type, Finding& finding) const;
  void name_bug(Finding& finding) const;
  void hear_met(const abi::Event& event);
  void hear_death(const abi::Event& event);
  void hear_walk(const abi::Event& event);
  std::optional<u64> find_dying_map(const abi::Event& event, const abi::MapTable& table) const;
  Stack last_side(const abi::MapTable& table, const abi::MapAccess& access, bool wrote) const;
  void add(Finding finding, const abi::Event& event, u64 map, u64 type);
  std::optional<u64> operation_of(u32 record) const;
  void note_maker_of(TargetAddr g, u64 goid, Stack& stack) const;

  const Watched& watched_;
  const Describer words_;
  std::map<std::string, Finding> findings_;  // by fingerprint
  std::string half_known_;  // of a death whose other side is not known: the message
  std::map<u64, std::string> chained_;  // by map: the finding whose loop walked over its own entries
  std::set<std::string> settled_;       // of those, whose goroutines walked over the map again
  u64 left_out_ = 0;
};

// Of who tells: its stack is in the event, and it stands at the entry of a function.
std::vector<Frame> Maps::frames_of(const abi::Event& event) const {
  const auto& points = watched_.process.plan.map_points;
  auto point = std::ranges::find(points, event.site, &probe::PlannedPoint::record);
  if (point == points.end()) return {};
  const heap::StackCopy stack{TargetAddr(event.regs[x86::kRsp]), {event.stack, event.stack_size}};
  const heap::Unwound unwound =
      heap::unwind(watched_.binary, bias(), point->point.at, stack, kMaxFrames);
  std::vector<Frame> frames;
  for (const heap::StackFrame& frame : unwound.frames) {
    if (frame.is_return_address) words_.add_return(bias().to_target(frame.pc).value, frames);
  }
  return frames;
}

void Maps::note_maker(u64 go_pc, u64 parent, Stack& stack) const {
  stack.made_at = words_.made_at(go_pc);
  if (parent != 0 && !stack.made_at.empty()) stack.made_by_goroutine = fmt::format("{}", parent);
}

// While the process runs; a g that is another goroutine's by now says nothing.
void Maps::note_maker_of(TargetAddr g, u64 goid, Stack& stack) const {
  const process::Memory& memory = watched_.process.memory;
  const read::Layout& layout = watched_.binary.layout();
  if (memory.find<u64>(g + layout.g_goid) != goid) return;
  note_maker(memory.find<u64>(g + layout.g_go_pc).value_or(0),
             memory.find<u64>(g + layout.g_parent_goid).value_or(0), stack);
}

std::optional<u64> Maps::operation_of(u32 record) const {
  const probe::PatchPlan& plan = watched_.process.plan;
  if (record < plan.first_map_record) return std::nullopt;
  const usize index = record - plan.first_map_record;
  return index < plan.map_operations.size() ? std::optional<u64>(plan.map_operations[index])
                                            : std::nullopt;
}

void Maps::name_map(u64 map, u64 type, Finding& finding) const {
  findings::Victim& victim = finding.victim;
  victim.address = fmt::format("{:#x}", map);
  victim.type = words_.type_name(type);
  victim.name = words_.names_of(std::array{TargetAddr(map)}).front();
}

// The two functions, and what they do to a map of which type: the same in the next build.
void Maps::name_bug(Finding& finding) const {
  std::vector<std::string> sides;
  for (const Stack& stack : finding.stacks) {
    sides.push_back(fmt::format("{}|{}", stack.role, words_.own_frame(stack.frames).function));
  }
  std::ranges::sort(sides);
  std::string text = fmt::format("{}|{}", finding.rule, finding.victim.type);
  for (const std::string& side : sides) text += "|" + side;
  finding.fingerprint = findings::fingerprint_of(text);
}

void Maps::hear_met(const abi::Event& event) {
  const abi::MapFacts& facts = event.map;
  std::vector<u64> returns(event.old_size / 8);
  std::memcpy(returns.data(), event.old_bytes, returns.size() * 8);
  Stack first{role_of(facts.other_operation),
              fmt::format("{}", facts.other_goid),
              words_.frames_of(returns),
              {},
              ""};
  note_maker(facts.other_go_pc, facts.other_parent_goid, first);
  Stack second{role_of(facts.operation), fmt::format("{}", event.goid), frames_of(event), {}, ""};
  note_maker(facts.go_pc, facts.parent_goid, second);
  if (first.frames.empty() || second.frames.empty()) {
    ++left_out_;
    return;
  }
  Finding finding = concurrent_use();
  // Who changes the map is told first.
  if (!abi::writes_map(static_cast<u32>(facts.other_operation))) std::swap(first, second);
  finding.stacks = {std::move(first), std::move(second)};
  add(std::move(finding), event, facts.map, facts.type);
}

void Maps::add(Finding finding, const abi::Event& event, u64 map, u64 type) {
  finding.count = event.hit == 0 ? 1 : event.hit;
  finding.append_stack = finding.stacks[0].frames;
  finding.goroutine = finding.stacks[0].goroutine;
  finding.victim.type = words_.type_name(type);
  name_bug(finding);
  auto known = findings_.find(finding.fingerprint);
  if (known != findings_.end()) {
    const bool is_settled = settled_.contains(finding.fingerprint);
    if (!is_settled) known->second.level = std::max(known->second.level, finding.level);
    known->second.count = std::max(known->second.count + 1, finding.count);
    if (!finding.ended_with.empty()) known->second.ended_with = finding.ended_with;
    return;
  }
  if (findings_.size() >= kMaxFindings) {
    ++left_out_;
    return;
  }
  name_map(map, type, finding);
  findings_.emplace(finding.fingerprint, std::move(finding));
}

// Which map it was is in no register any more. Of those that the goroutine has used, it is the one
// whose address lies in its innermost frames (of several, the one used last); where no address does,
// the only one that it came to from a call which is under way.
std::optional<u64> Maps::find_dying_map(const abi::Event& event, const abi::MapTable& table) const {
  constexpr usize kMostWords = 256;
  std::set<u64> words;
  for (usize i = 0; i < std::min<usize>(event.stack_size / 8, kMostWords); ++i) {
    u64 word = 0;
    std::memcpy(&word, event.stack + i * 8, 8);
    if (word != 0) words.insert(word);
  }
  std::optional<u64> by_address, by_call;
  u64 latest = 0, calls = 0;
  for (usize i = 0; i < abi::kMapEntries; ++i) {
    const abi::MapEntry& entry = table.entries[i];
    const auto access = std::ranges::find(entry.accesses, event.goid, &abi::MapAccess::goid);
    if (entry.map == 0 || access == std::end(entry.accesses)) continue;
    if (words.contains(access->read_ret) || words.contains(access->write_ret)) {
      by_call = i;
      ++calls;
    }
    if (!words.contains(entry.map) || access->tsc < latest) continue;
    latest = access->tsc;
    by_address = i;
  }
  return by_address || calls != 1 ? by_address : by_call;
}

// The stack is that of the path, where the access came by one that is known.
Stack Maps::last_side(const abi::MapTable& table, const abi::MapAccess& access, bool wrote) const {
  const u32 path = wrote ? access.write_path : access.read_path;
  Stack side;
  side.goroutine = fmt::format("{}", access.goid);
  if (path == 0 || path > abi::kMapPaths) {
    side.role = wrote ? "writes" : "reads";
    words_.add_return(wrote ? access.write_ret : access.read_ret, side.frames);
    return side;
  }
  const abi::MapPath& known = table.paths[path - 1];
  side.role = role_of(operation_of(known.site).value_or(wrote ? abi::kMapWrite : abi::kMapRead));
  side.frames = words_.frames_of(
      std::span(known.pcs).first(std::min<usize>(known.frames, abi::kMapPathFrames)));
  return side;
}

// The message says what the one that dies was about, and that the other one wrote, or read.
void Maps::hear_death(const abi::Event& event) {
  const std::string message(reinterpret_cast<const char*>(event.old_bytes),
                            std::min<usize>(event.old_size, abi::kMaxOldBytes));
  const bool dies_writing = message.starts_with("concurrent map writes");
  const std::unique_ptr<abi::MapTable> table = watched_.process.ring.map_table();
  if (table == nullptr) return;
  half_known_ = message;
  const std::optional<u64> index = find_dying_map(event, *table);
  if (!index) return;
  const abi::MapEntry& entry = table->entries[*index];
  const abi::MapAccess* other = nullptr;
  for (const abi::MapAccess& access : entry.accesses) {
    const bool is_other = access.goid != 0 && access.goid != event.goid && access.write_ret != 0;
    if (is_other && (other == nullptr || access.tsc > other->tsc)) other = &access;
  }
  if (other == nullptr) return;
  Stack first = last_side(*table, *other, true);
  note_maker_of(TargetAddr(other->g), other->goid, first);
  Stack second{dies_writing                                     ? "writes"
               : message.find("iteration") != std::string::npos ? "ranges over"
                                                                : "reads",
               fmt::format("{}", event.goid),
               frames_of(event),
               {},
               ""};
  note_maker(event.map.go_pc, event.map.parent_goid, second);
  if (first.frames.empty() || second.frames.empty()) return;
  Finding finding = concurrent_use();
  finding.ended_with = "fatal error: " + message;
  finding.stacks = {std::move(first), std::move(second)};
  half_known_.clear();
  add(std::move(finding), event, entry.map, entry.type);
}

// The insert is told first.
void Maps::hear_walk(const abi::Event& event) {
  const abi::MapFacts& facts = event.map;
  if (facts.kind == abi::kMapAgain) {
    const auto known = chained_.find(facts.map);
    if (known == chained_.end()) return;
    settled_.insert(known->second);
    findings_.at(known->second).level = findings::Level::kSuspect;
    return;
  }
  std::vector<u64> returns(event.old_size / 8);
  std::memcpy(returns.data(), event.old_bytes, returns.size() * 8);
  const std::string goroutine = fmt::format("{}", event.goid);
  Finding finding;
  finding.rule = "GB011";
  finding.finding_class = "insert_while_ranging";
  finding.level = facts.kind == abi::kMapChained ? findings::Level::kConfirmed
                                                 : findings::Level::kSuspect;
  finding.stacks = {Stack{"inserts into", goroutine, words_.frames_of(returns), {}, ""},
                    Stack{"ranges over", goroutine, frames_of(event), {}, ""}};
  if (finding.stacks[0].frames.empty() || finding.stacks[1].frames.empty()) {
    ++left_out_;
    return;
  }
  finding.append_stack = finding.stacks[0].frames;
  finding.victim.type = words_.type_name(facts.type);
  name_bug(finding);
  if (facts.kind == abi::kMapChained && findings_.size() < kMaxFindings)
    chained_[facts.map] = finding.fingerprint;
  add(std::move(finding), event, facts.map, facts.type);
}

void Maps::hear(const abi::Event& event) {
  if (event.map.kind >= abi::kMapWalked) hear_walk(event);
  if (event.map.kind == abi::kMapMet) hear_met(event);
  if (event.map.kind == abi::kMapDies) hear_death(event);
}

void Maps::tell(findings::Report& report) {
  for (const auto& [fingerprint, finding] : findings_) report.findings.push_back(finding);
  if (!half_known_.empty() && findings_.empty())
    report.notes.push_back(fmt::format(
        "the program ended with \"{}\"; who else was in that map was not seen", half_known_));
  const std::unique_ptr<abi::MapTable> table = watched_.process.ring.map_table();
  report.lost["maps_thinned_out"] += table != nullptr ? table->thinned_out : 0;
  report.lost["map_findings_left_out"] += left_out_;
  words_.note_gaps(report);
}

void ask(probe::PlanOptions& plan) {
  plan.maps = true;
}

std::unique_ptr<Listener> listen(const Watched& watched) {
  return std::make_unique<Maps>(watched);
}

}  // namespace

const Hooks kHooks{.ask = ask, .events = abi::kMaps, .listen = listen};

}  // namespace geist::detect::maps
