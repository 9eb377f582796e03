// Appends that move their array while somebody else keeps the old one. What is probed are the CALLs
// of growslice (probe/stale_probes.h); each is described as an append to an empty slice would be.
#include <map>
#include <memory>

#include "detect/detector.h"
#include "detect/stale/stale_case.h"
#include "probe/stale_probes.h"

namespace geist::detect::stale {
namespace {

using program::ValueLocation;

using Places = std::map<u32, Place>;  // by the record that their events name

void find(const Program& program, probe::PlanOptions& plan) {
  for (probe::PointProbe& probe : probe::find_stale_probes(program.binary, program.sites))
    plan.points.push_back(std::move(probe));
}

ValueLocation in_register(x86::Reg reg) {
  ValueLocation location;
  location.kind = ValueLocation::Kind::kRegister;
  location.reg = reg;
  return location;
}

// At the CALL what is alive behind it stands in slots, and the operand in its argument's register.
Place make_place(judge::Context& context, const sites::AppendSite& found, u32 record) {
  Place place;
  sites::AppendSite& site = place.site.site;
  site.function = found.function;
  site.call = site.branch = found.call;
  site.inplace_entry = found.behind_call();
  site.elem_size = found.elem_size;
  site.type_addr = found.type_addr;
  site.old_ptr = in_register(x86::kRax);
  site.new_len = site.cap = site.num = in_register(x86::kRbx);
  for (const sites::LivePointer& live : found.live_pointers) {
    sites::LivePointer pointer = live;
    pointer.at_branch = {.kind = ValueLocation::Kind::kStackSlot, .disp = live.slot};
    site.live_pointers.push_back(pointer);
  }
  place.site.record = record;
  place.identity = context.identities.of(found);
  return place;
}

std::shared_ptr<Places> find_places(judge::Context& context) {
  std::map<ImageAddr, const sites::AppendSite*> by_call;
  for (const sites::AppendSite& site : context.sites.sites) by_call.emplace(site.call, &site);
  auto places = std::make_shared<Places>();
  for (const probe::PlannedPoint& planned : context.plan.points) {
    if (planned.refused || planned.detector != abi::kStale) continue;
    const auto site = by_call.find(planned.point.at);
    if (site != by_call.end())
      places->emplace(planned.record, make_place(context, *site->second, planned.record));
  }
  return places;
}

judge::Clerk clerk(judge::Desk& desk) {
  const auto places = find_places(desk.context());
  auto last_scan_s = std::make_shared<double>(0.0005);
  judge::Clerk clerk;
  clerk.detector = abi::kStale;
  clerk.fits = [places](const abi::Event& event) {
    const auto place = places->find(event.site);
    return place != places->end() && StaleCase::fits(event, place->second);
  };
  clerk.open = [&desk, places, last_scan_s](judge::Opening opening) {
    const Place& place = places->at(opening.event->site);
    StaleCase::prepare(*opening.event);
    auto c = std::make_unique<StaleCase>(desk, std::move(opening), place);
    *last_scan_s = c->find_holders();
    return c;
  };
  clerk.next_cost_s = [last_scan_s] { return *last_scan_s; };
  return clerk;
}

}  // namespace

const Hooks kHooks{.find = find, .clerk = clerk};

}  // namespace geist::detect::stale
