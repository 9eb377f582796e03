// One comparison and a countdown run at each CALL; what is left enters the runtime
// (runtime/overwrite.cc).
#include "probe/stale_probes.h"

#include <cstddef>
#include <functional>
#include <map>

#include "program/points.h"
#include "sites/identity.h"

namespace geist::probe {
namespace {

using program::Point;
using program::PointKind;
using x86::Reg;

abi::Location in_register(Reg reg) {
  abi::Location location{};
  location.kind = abi::kRegister;
  location.reg = static_cast<u8>(reg);
  return location;
}

Primitive tell_growth(abi::Detector detector, u32 mode, u64 elem_size) {
  Primitive primitive;
  primitive.temps = 1;
  primitive.writes_flags = true;
  primitive.enters = true;
  primitive.detector = detector;
  primitive.mode = mode;
  primitive.uses = x86::bit(Reg::kRax) | x86::bit(Reg::kRbx) | x86::bit(Reg::kRcx) |
                   x86::bit(Reg::kRdi) | x86::bit(Reg::kRsi);
  primitive.values[abi::kOldPtr] = in_register(Reg::kRax);
  primitive.values[abi::kNewLen] = in_register(Reg::kRbx);
  primitive.values[abi::kCap] = in_register(Reg::kRcx);
  primitive.values[abi::kNum] = in_register(Reg::kRdi);
  primitive.values[abi::kType] = in_register(Reg::kRsi);
  primitive.elem_size = elem_size;
  primitive.emit = [](x86::Assembler& as, const PrimitivePlace& place) {
    const Reg temp = place.temps[0];
    const x86::MemRef skip{.disp = static_cast<i64>(place.record + offsetof(abi::Site, skip)),
                           .absolute = true};
    as.test(Reg::kRcx, Reg::kRcx);
    as.jcc(x86::Cond::kE, place.done);  // from nothing
    as.mov(temp, skip);
    as.test(temp, temp);
    as.jcc(x86::Cond::kE, place.enter);
    as.lea(temp, {.base = temp, .disp = -1});
    as.mov(skip, temp);  // not atomic: a lost decrement costs nothing
  };
  return primitive;
}

std::vector<PointProbe> find_probes(const read::GoBinary& binary, const sites::SiteTable& sites,
                                    abi::Detector detector, u32 mode,
                                    const std::function<bool(const sites::AppendSite&)>& is_meant) {
  std::map<ImageAddr, u64> sizes;
  for (const sites::AppendSite& site : sites.sites) {
    const std::string_view name = binary.pclntab().function(site.function).name;
    const bool is_chosen = site.bucket == sites::SiteBucket::kProbed && site.elem_size != 1 &&
                           !sites::is_gos_own(binary, name) && is_meant(site);
    if (is_chosen) sizes.emplace(site.call, site.elem_size);
  }
  std::vector<PointProbe> probes;
  for (const Point& point :
       program::find_points(binary, {PointKind::kCall, "", "runtime.growslice"}).points) {
    const auto size = sizes.find(point.at);
    if (size == sizes.end()) continue;
    PointProbe probe{point, tell_growth(detector, mode, size->second)};
    if (stack_needed(probe.point, probe.primitive) <= probe.point.stack_room)
      probes.push_back(std::move(probe));
  }
  return probes;
}

}  // namespace

std::vector<PointProbe> find_stale_probes(const read::GoBinary& binary,
                                          const sites::SiteTable& sites) {
  return find_probes(binary, sites, abi::kStale, 0, [](const sites::AppendSite&) { return true; });
}

std::vector<PointProbe> find_list_growth_probes(
    const read::GoBinary& binary, const sites::SiteTable& sites,
    const std::function<bool(const sites::AppendSite&)>& is_meant) {
  return find_probes(binary, sites, abi::kRefill, abi::kListGrows, is_meant);
}

}  // namespace geist::probe
