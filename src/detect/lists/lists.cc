// Lists of the shape of container/list that are used wrongly, which none of its methods tells: they
// do nothing, or harm. The program's own code is probed where it asks whose element it has
// (probe/list_probes.h, runtime/lists.cc); here an event becomes a finding.
//
//   GB020  Next, Prev of an element that was removed before: nil, and the walk ends there
//            it had a neighbour on that side when it was removed       ─▶ confirmed
//            it was the last one there: nil is what was to come        ─▶ likely
//            who removed it is not known                               ─▶ suspect
//   GB021  an element is moved or removed that its neighbours do not know: a copy of one, or one of
//          a list that was emptied by Init                             ─▶ confirmed
//   GB022  an operation of one list gets an element of another: it does nothing; to try
//          the lists one after the other is how some programs look for it  ─▶ likely
#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "abi/lists.h"
#include "detect/detector.h"
#include "detect/maps/describe.h"
#include "findings/fingerprint.h"
#include "heap/unwind.h"
#include "probe/list_probes.h"

namespace geist::detect::lists {
namespace {

using findings::Finding;
using findings::Frame;
using findings::Level;
using findings::Stack;

constexpr u32 kMaxFrames = 64;
constexpr usize kMaxFindings = 200;

class Lists : public Listener {
 public:
  explicit Lists(const Watched& watched) : watched_(watched), words_(watched) {}
  void hear(const abi::Event& event) override;
  void tell(findings::Report& report) override;

 private:
  const program::ListPoint* find_place(u64 record);
  std::vector<Frame> frames_at(const program::ListPoint& place, std::span<const u64> returns) const;
  std::vector<u64> returns_of(const abi::Event& event, const program::ListPoint& place) const;
  std::vector<Frame> removal_of(const abi::Event& event);
  bool is_copy(const abi::ListFacts& facts) const;
  void describe_stale(const abi::Event& event, std::string_view method, Finding& finding);
  void describe_torn(const abi::Event& event, std::string_view method, Finding& finding) const;
  void describe_foreign(std::string_view method, Finding& finding) const;
  void name_list(const abi::Event& event, std::string_view function, Finding& finding) const;
  void name_bug(Finding& finding) const;
  void add(Finding finding, const abi::Event& event, std::string_view function);

  const Watched& watched_;
  const maps::Describer words_;
  std::optional<program::FoundListPoints> places_;  // found anew with the first event
  std::map<std::string, Finding> findings_;  // by fingerprint
  u64 left_out_ = 0;
};

// The operation there; null when the plan has no such record.
const program::ListPoint* Lists::find_place(u64 record) {
  if (!places_) places_ = program::find_list_points(watched_.binary);
  const auto& planned = watched_.process.plan.points;
  auto point = std::ranges::find_if(planned, [&](const probe::PlannedPoint& one) {
    return !one.refused && one.detector == abi::kLists && one.record == record;
  });
  if (point == planned.end()) return nullptr;
  auto place = std::ranges::find_if(places_->points, [&](const program::ListPoint& one) {
    return one.point.at == point->point.at;
  });
  return place == places_->points.end() ? nullptr : &*place;
}

// "container/list.": what belongs to the list, and not to who uses it.
std::string_view package_of(std::string_view method) {
  return method.substr(0, method.find("(*"));
}

// The place of the point, then the callers; the list's own methods are left out.
std::vector<Frame> Lists::frames_at(const program::ListPoint& place,
                                    std::span<const u64> returns) const {
  std::vector<Frame> frames;
  words_.add_return(words_.bias().to_target(place.asked).value + 1, frames);
  for (u64 address : returns) words_.add_return(address, frames);
  const std::string_view package = package_of(place.name);
  const auto own = std::ranges::find_if(frames, [&](const Frame& frame) {
    return package.empty() || !frame.function.starts_with(package);
  });
  if (own != frames.end()) frames.erase(frames.begin(), own);
  return frames;
}

std::vector<u64> Lists::returns_of(const abi::Event& event,
                                   const program::ListPoint& place) const {
  const heap::StackCopy stack{TargetAddr(event.regs[x86::kRsp]), {event.stack, event.stack_size}};
  const heap::Unwound unwound =
      heap::unwind(watched_.binary, words_.bias(), place.point.at, stack, kMaxFrames);
  std::vector<u64> returns;
  for (const heap::StackFrame& frame : unwound.frames) {
    if (frame.is_return_address) returns.push_back(words_.bias().to_target(frame.pc).value);
  }
  return returns;
}

std::vector<Frame> Lists::removal_of(const abi::Event& event) {
  const program::ListPoint* place =
      event.list.has_removal != 0 ? find_place(event.other_site) : nullptr;
  if (place == nullptr) return {};
  std::vector<u64> returns(event.old_size / 8);
  std::memcpy(returns.data(), event.old_bytes, returns.size() * 8);
  return frames_at(*place, returns);
}

// Does a neighbour name another element that has the same value? Of container/list, where a value
// has two words.
bool Lists::is_copy(const abi::ListFacts& facts) const {
  constexpr u64 kValue = 24;
  const process::Memory& memory = watched_.process.memory;
  auto word = [&](u64 at) { return memory.find<u64>(TargetAddr(at)); };
  auto has_same_value = [&](u64 other) {
    if (other == facts.owner || other == facts.element) return false;
    for (u64 at = kValue; at < kValue + 16; at += 8) {
      const std::optional<u64> own = word(facts.element + at);
      if (!own || own != word(other + at)) return false;
    }
    return true;
  };
  const std::optional<u64> after_prev = word(facts.prev + abi::kElementNext);
  const std::optional<u64> before_next = word(facts.next + abi::kElementPrev);
  return (after_prev && has_same_value(*after_prev)) || (before_next && has_same_value(*before_next));
}

std::string_view short_method(std::string_view method) {
  return method.substr(method.rfind('.') + 1);
}

void Lists::describe_stale(const abi::Event& event, std::string_view method, Finding& finding) {
  finding.rule = "GB020";
  finding.finding_class = "removed_element";
  finding.stacks[0].role = fmt::format("takes {} of", short_method(method));
  Stack removal{"had removed", "", removal_of(event), {}, ""};
  if (removal.frames.empty()) return;
  removal.goroutine = fmt::format("{}", event.list.removal_goid);
  finding.stacks.push_back(std::move(removal));
  const bool is_next = event.list.operation == abi::kListNext;
  const u64 neighbour = is_next ? event.list.next : event.list.prev;
  finding.level = neighbour != event.list.list ? Level::kConfirmed : Level::kLikely;
}

void Lists::describe_torn(const abi::Event& event, std::string_view method,
                          Finding& finding) const {
  finding.rule = "GB021";
  finding.finding_class = "torn_list";
  finding.level = Level::kConfirmed;
  const bool is_copy_of_one = method.starts_with("container/list.") && is_copy(event.list);
  finding.stacks[0].role = fmt::format("calls {} with {}", short_method(method),
                                       is_copy_of_one ? "a copy of an element" : "an element");
}

void Lists::describe_foreign(std::string_view method, Finding& finding) const {
  finding.rule = "GB022";
  finding.finding_class = "foreign_element";
  finding.level = Level::kLikely;
  finding.stacks[0].role = fmt::format("calls {} with an element", short_method(method));
}

void Lists::name_list(const abi::Event& event, std::string_view function,
                      Finding& finding) const {
  const u64 list = event.list.owner != 0 ? event.list.owner : event.list.list;
  if (list == 0) return;
  findings::Victim& victim = finding.victim;
  victim.address = fmt::format("{:#x}", list);
  const std::string_view package = package_of(function);
  const usize slash = package.rfind('/');
  victim.type = fmt::format("{}List", package.substr(slash == package.npos ? 0 : slash + 1));
  victim.name = words_.names_of(std::array{TargetAddr(list)}).front();
}

// What is done, and the functions that do it: the same in the next build.
void Lists::name_bug(Finding& finding) const {
  std::string text = finding.rule;
  for (const Stack& stack : finding.stacks)
    text += fmt::format("|{}|{}", stack.role, words_.own_frame(stack.frames).function);
  finding.fingerprint = findings::fingerprint_of(text);
}

void Lists::add(Finding finding, const abi::Event& event, std::string_view function) {
  finding.count = event.hit == 0 ? 1 : event.hit;
  finding.append_stack = finding.stacks[0].frames;
  finding.goroutine = finding.stacks[0].goroutine;
  name_bug(finding);
  auto known = findings_.find(finding.fingerprint);
  if (known != findings_.end() && known->second.level >= finding.level) {
    known->second.count = std::max(known->second.count + 1, finding.count);
    return;
  }
  if (known == findings_.end() && findings_.size() >= kMaxFindings) {
    ++left_out_;
    return;
  }
  name_list(event, function, finding);
  findings_.insert_or_assign(finding.fingerprint, std::move(finding));
}

void Lists::hear(const abi::Event& event) {
  const program::ListPoint* place = find_place(event.site);
  Stack stack;
  if (place != nullptr) stack.frames = frames_at(*place, returns_of(event, *place));
  if (stack.frames.empty()) {
    ++left_out_;
    return;
  }
  stack.goroutine = fmt::format("{}", event.goid);
  Finding finding;
  finding.level = Level::kSuspect;
  finding.stacks = {std::move(stack)};
  if (event.list.kind == abi::kListStale)
    describe_stale(event, place->name, finding);
  else if (event.list.kind == abi::kListTorn)
    describe_torn(event, place->name, finding);
  else
    describe_foreign(place->name, finding);
  add(std::move(finding), event, place->name);
}

void Lists::tell(findings::Report& report) {
  for (const auto& [fingerprint, finding] : findings_) report.findings.push_back(finding);
  report.lost["list_findings_left_out"] += left_out_;
  if (!places_) places_ = program::find_list_points(watched_.binary);
  for (const std::string& missing : places_->missing)
    report.notes.push_back("lists are not looked at in " + missing);
  for (const probe::PlannedPoint& planned : watched_.process.plan.points) {
    if (!planned.refused) continue;
    auto place = std::ranges::find_if(places_->points, [&](const program::ListPoint& one) {
      return one.point.at == planned.point.at;
    });
    if (place != places_->points.end())
      report.notes.push_back(fmt::format(
          "lists are not looked at in {} in {}: {}", place->name,
          watched_.binary.pclntab().function(planned.point.function).name,
          program::refusal_help(*planned.refused)));
  }
}

void find(const Program& program, probe::PlanOptions& plan) {
  for (probe::PointProbe& probe : probe::find_list_probes(program.binary).probes)
    plan.points.push_back(std::move(probe));
}

std::unique_ptr<Listener> listen(const Watched& watched) {
  return std::make_unique<Lists>(watched);
}

}  // namespace

const Hooks kHooks{.find = find, .events = abi::kLists, .listen = listen};

}  // namespace geist::detect::lists
