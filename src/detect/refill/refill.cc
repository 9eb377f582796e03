// Copies and reads into memory that somebody still has a view of. What is probed are CALLs of what
// copies, and the functions that read (probe/refill_probes.h); each place is described as an append to an empty slice would be, so that
// its events can be judged like those.
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "detect/detector.h"
#include "detect/refill/kept_case.h"
#include "detect/refill/refill_case.h"
#include "probe/refill_probes.h"
#include "probe/stale_probes.h"

namespace geist::detect::refill {
namespace {

using program::ValueLocation;

constexpr u64 kCallBytes = 5;

void find(const Program& program, probe::PlanOptions& plan) {
  for (probe::PointProbe& probe : probe::find_refill_probes(program.binary, program.sites))
    plan.points.push_back(std::move(probe));
  for (probe::PointProbe& probe : probe::find_read_probes(program.binary))
    plan.points.push_back(std::move(probe));
  auto holds_slices = [&](const sites::AppendSite& site) {
    return site.type_addr && site.elem_size != 0 &&
           find_slice_in(program.binary, site.type_addr).has_value();
  };
  for (probe::PointProbe& probe :
       probe::find_list_growth_probes(program.binary, program.sites, holds_slices))
    plan.points.push_back(std::move(probe));
}

ValueLocation in_register(x86::Reg reg) {
  ValueLocation location;
  location.kind = ValueLocation::Kind::kRegister;
  location.reg = reg;
  return location;
}

// By the CALL; and those of copies by the record that their events name. Of a read that is its
// function's, so they are known by where the function returns to.
class Places {
 public:
  void add(Place place, std::optional<u32> record) {
    const ImageAddr at = place.site.site.call;
    if (record) by_record_[*record] = at;
    places_.emplace(at, std::move(place));
  }
  void add_reader(u32 record) { readers_.insert(record); }
  std::map<ImageAddr, Place>& all() { return places_; }
  Place* find(const abi::Event& event, LoadBias bias) {
    const auto by_record = by_record_.find(event.site);
    std::optional<ImageAddr> at;
    if (by_record != by_record_.end()) at = by_record->second;
    if (readers_.contains(event.site)) at = find_call(event, bias);
    const auto place = at ? places_.find(*at) : places_.end();
    return place == places_.end() ? nullptr : &place->second;
  }

 private:
  static std::optional<ImageAddr> find_call(const abi::Event& event, LoadBias bias) {
    u64 ret = 0;
    if (event.stack_size < sizeof ret) return std::nullopt;
    std::memcpy(&ret, event.stack, sizeof ret);
    return bias.to_image(TargetAddr(ret - kCallBytes));
  }
  std::map<ImageAddr, Place> places_;
  std::map<u32, ImageAddr> by_record_;
  std::set<u32> readers_;
};

Place make_place(const read::GoBinary& binary, const program::Point& call, u32 record) {
  Place place;
  const std::optional<read::Function> callee = binary.pclntab().find_function(call.target);
  if (callee) place.callee = callee->name;
  place.is_read = probe::is_reader(place.callee);
  place.is_typed = place.callee != "runtime.memmove" && !place.is_read;
  sites::AppendSite& site = place.site.site;
  site.function = call.function;
  site.call = site.branch = call.at;
  site.inplace_entry = call.at + kCallBytes;
  site.old_ptr = in_register(place.is_typed || place.is_read ? x86::kRbx : x86::kRax);
  site.new_len = site.cap = site.num = in_register(x86::kRcx);
  site.elem_size = place.is_typed ? 0 : 1;
  place.site.record = record;
  return place;
}

// Which of their function's lines with a copy they are on.
void number_places(judge::Context& context, Places& places) {
  std::map<std::string, std::set<i32>> lines;
  std::map<ImageAddr, i32> line_of;
  const read::Pclntab& functions = context.binary.pclntab();
  for (auto& [at, place] : places.all()) {
    const sites::AppendSite& site = place.site.site;
    const read::SourceFrame frame =
        functions.source_frames(functions.function(site.function), site.call).front();
    place.identity.function = context.identities.declaring(frame);
    line_of[at] = frame.line;
    lines[place.identity.function].insert(frame.line);
  }
  // Apart from the numbers of the function's appends.
  constexpr u32 kFirst = 2000;
  for (auto& [at, place] : places.all()) {
    const std::set<i32>& all = lines[place.identity.function];
    place.identity.ordinal =
        kFirst + static_cast<u32>(std::distance(all.begin(), all.find(line_of[at])));
  }
}

// Lists that may grow, by the record that their events name.
using ListPlaces = std::map<u32, ListPlace>;

bool is_list(const judge::Context& context, const probe::PlannedPoint& planned) {
  const std::optional<read::Function> callee =
      context.binary.pclntab().find_function(planned.point.target);
  return planned.point.kind == program::PointKind::kCall && callee &&
         callee->name == "runtime.growslice";
}

std::shared_ptr<ListPlaces> find_lists(judge::Context& context) {
  std::map<ImageAddr, const sites::AppendSite*> by_call;
  for (const sites::AppendSite& site : context.sites.sites) by_call.emplace(site.call, &site);
  auto places = std::make_shared<ListPlaces>();
  for (const probe::PlannedPoint& planned : context.plan.points) {
    if (planned.refused || planned.detector != abi::kRefill || !is_list(context, planned)) continue;
    const auto site = by_call.find(planned.point.at);
    if (site == by_call.end()) continue;
    const std::optional<SliceIn> slice = find_slice_in(context.binary, site->second->type_addr);
    if (!slice) continue;
    ListPlace& place = (*places)[planned.record];
    place.site.site = *site->second;
    place.slice = *slice;
  }
  return places;
}

std::shared_ptr<Places> find_places(judge::Context& context) {
  auto places = std::make_shared<Places>();
  std::optional<u32> reader;
  for (const probe::PlannedPoint& planned : context.plan.points) {
    if (planned.refused || planned.detector != abi::kRefill) continue;
    if (is_list(context, planned)) continue;
    if (planned.point.kind == program::PointKind::kCall)
      places->add(make_place(context.binary, planned.point, planned.record), planned.record);
    else
      places->add_reader(*(reader = planned.record));
  }
  if (reader) {
    for (const program::Point& call : probe::find_calls_of_readers(context.binary))
      places->add(make_place(context.binary, call, *reader), std::nullopt);
  }
  number_places(context, *places);
  return places;
}

judge::Clerk clerk(judge::Desk& desk) {
  const auto places = find_places(desk.context());
  const auto lists = find_lists(desk.context());
  auto arrays = std::make_shared<KeptArrays>();
  const LoadBias bias = desk.context().bias();
  auto last_scan_s = std::make_shared<double>(0.0005);
  auto habits = std::make_shared<append::WordHabits>();
  judge::Clerk clerk;
  clerk.detector = abi::kRefill;
  clerk.fits = [places, lists, bias](const abi::Event& event) {
    const auto list = lists->find(event.site);
    if (list != lists->end()) return KeptCase::fits(event, list->second);
    const Place* place = places->find(event, bias);
    return place != nullptr && RefillCase::fits(event, *place);
  };
  clerk.open = [&desk, places, lists, arrays, bias, last_scan_s,
                habits](judge::Opening opening) -> std::unique_ptr<judge::Case> {
    const auto list = lists->find(opening.event->site);
    if (list != lists->end())
      return std::make_unique<KeptCase>(desk, std::move(opening), list->second, *arrays);
    const Place& place = *places->find(*opening.event, bias);
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
