// Copies into memory that somebody still has a view of. What is probed are CALLs
// (probe/refill_probes.h); each place is described as an append to an empty slice would be, so that
// its events can be judged like those.
#include <map>
#include <memory>
#include <set>

#include "detect/detector.h"
#include "detect/refill/refill_case.h"
#include "probe/refill_probes.h"

namespace geist::detect::refill {
namespace {

using program::ValueLocation;

constexpr u64 kCallBytes = 5;

void find(const Program& program, probe::PlanOptions& plan) {
  for (probe::PointProbe& probe : probe::find_refill_probes(program.binary, program.sites))
    plan.points.push_back(std::move(probe));
}

ValueLocation in_register(x86::Reg reg) {
  ValueLocation location;
  location.kind = ValueLocation::Kind::kRegister;
  location.reg = reg;
  return location;
}

// By the record that the events name.
using Places = std::map<u32, Place>;

Place make_place(const read::GoBinary& binary, const probe::PlannedPoint& planned) {
  Place place;
  const std::optional<read::Function> callee = binary.pclntab().find_function(planned.point.target);
  if (callee) place.callee = callee->name;
  place.is_typed = place.callee != "runtime.memmove";
  sites::AppendSite& site = place.site.site;
  site.function = planned.point.function;
  site.call = site.branch = planned.point.at;
  site.inplace_entry = planned.point.at + kCallBytes;
  site.old_ptr = in_register(place.is_typed ? x86::kRbx : x86::kRax);
  site.new_len = site.cap = site.num = in_register(x86::kRcx);
  site.elem_size = place.is_typed ? 0 : 1;
  place.site.record = planned.record;
  return place;
}

// Which of their function's lines with a copy they are on.
void number_places(judge::Context& context, Places& places) {
  std::map<std::string, std::set<i32>> lines;
  std::map<u32, i32> line_of;
  const read::Pclntab& functions = context.binary.pclntab();
  for (auto& [record, place] : places) {
    const sites::AppendSite& site = place.site.site;
    const read::SourceFrame frame =
        functions.source_frames(functions.function(site.function), site.call).front();
    place.identity.function = context.identities.declaring(frame);
    line_of[record] = frame.line;
    lines[place.identity.function].insert(frame.line);
  }
  // Apart from the numbers of the function's appends.
  constexpr u32 kFirst = 2000;
  for (auto& [record, place] : places) {
    const std::set<i32>& all = lines[place.identity.function];
    place.identity.ordinal =
        kFirst + static_cast<u32>(std::distance(all.begin(), all.find(line_of[record])));
  }
}

judge::Clerk clerk(judge::Desk& desk) {
  auto places = std::make_shared<Places>();
  judge::Context& context = desk.context();
  for (const probe::PlannedPoint& planned : context.plan.points) {
    if (!planned.refused && planned.detector == abi::kRefill)
      places->emplace(planned.record, make_place(context.binary, planned));
  }
  number_places(context, *places);
  auto last_scan_s = std::make_shared<double>(0.0005);
  auto habits = std::make_shared<append::WordHabits>();
  judge::Clerk clerk;
  clerk.detector = abi::kRefill;
  clerk.fits = [places](const abi::Event& event) {
    auto place = places->find(event.site);
    return place != places->end() && RefillCase::fits(event, place->second);
  };
  clerk.open = [&desk, places, last_scan_s, habits](judge::Opening opening) {
    const Place& place = places->at(opening.event->site);
    RefillCase::prepare(*opening.event, place);
    auto c = std::make_unique<RefillCase>(desk, std::move(opening), place, *habits);
    habits->note(c->event());
    *last_scan_s = c->find_victims();
    return c;
  };
  clerk.next_cost_s = [last_scan_s] { return *last_scan_s; };
  return clerk;
}

}  // namespace

const Hooks kHooks{.find = find, .clerk = clerk};

}  // namespace geist::detect::refill
