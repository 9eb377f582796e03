#include "probe/pool.h"

#include <array>

#include <fmt/format.h>

#include "probe/return_filter.h"
#include "program/calls_to.h"
#include "program/points.h"

namespace geist::probe {
namespace {

constexpr const char* kPut = "sync.(*Pool).Put";

Primitive put_nothing(const program::Point& point, SharedReturnFilter filter) {
  Primitive primitive;
  take_return_filter(filter, primitive);
  primitive.uses = x86::bit(x86::kRbx) | x86::bit(x86::kRcx);
  primitive.emit = [filter, slot = point.frame_bytes](x86::Assembler& as,
                                                      const PrimitivePlace& place) {
    if (filter) emit_return_filter(as, place, *filter, slot);
    as.mov_imm(x86::kRbx, 0);
    as.mov_imm(x86::kRcx, 0);
  };
  return primitive;
}

}  // namespace

Result<PoolPoints> PoolPoints::find(const read::GoBinary& binary) {
  const std::optional<read::Function> put = binary.pclntab().find_function_named(kPut);
  if (!put) return Error("the program puts nothing into a sync.Pool: pool changes nothing");
  const program::FoundPoints found =
      program::find_points(binary, {program::PointKind::kEntry, kPut, ""});
  const bool is_usable = found.refused.empty() && found.points.size() == 1 &&
                         found.points[0].frame_bytes >= 0;
  if (!is_usable)
    return Error(fmt::format("pools cannot be changed in this program: {} at {:#x}: {}", kPut,
                             put->entry.value,
                             found.refused.empty()
                                 ? "its entry is not as expected"
                                 : program::refusal_help(found.refused[0].why)));
  PoolPoints points;
  points.entry_ = found.points[0];
  points.text_ = binary.module().text;
  const std::array<ImageAddr, 1> entries{put->entry};
  for (const program::CallPlace& call : program::find_calls_to(binary, entries))
    if (!call.jumps) points.calls_.push_back(call.at);
  return points;
}

void PoolPoints::add(const std::optional<std::vector<ImageAddr>>& calls,
                     PlanOptions& options) const {
  SharedReturnFilter filter;
  if (calls)
    filter = std::make_shared<ReturnFilter>(ReturnFilter{text_, ranges_of_returns(calls_, *calls)});
  options.points.push_back({entry_, put_nothing(entry_, filter)});
}

}  // namespace geist::probe
