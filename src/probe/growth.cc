// Two primitives and what moves off the stack; see growth.h.
#include "probe/growth.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "program/points.h"

namespace geist::probe {
namespace {

using program::Point;
using program::PointKind;
using x86::Assembler;
using x86::Cond;
using x86::Label;
using x86::Reg;

constexpr i64 kMostRoomBytes = i64{16} << 20;
constexpr i64 kMostRoomElements = i64{1} << 24;  // before the product with their size
// What moves off the stack was in a buffer of 32 bytes (cmd/compile/internal/base/flag.go,
// VariableMakeThreshold); of more, nothing is changed.
constexpr i64 kMostMovedBytes = 128, kMostMovedElements = 128;
constexpr u64 kTypeBytes = 16, kTypeShift = 4;

Primitive ask_for_room(const Point& point, bool has_buffer, SharedReturnFilter filter) {
  Primitive primitive;
  take_return_filter(filter, primitive);
  primitive.uses = x86::bit(x86::kRbx) | x86::bit(x86::kRcx) | x86::bit(x86::kRsi);
  if (has_buffer) primitive.uses |= x86::bit(x86::kR9);
  primitive.emit = [filter, has_buffer, slot = point.frame_bytes](Assembler& as,
                                                                  const PrimitivePlace& place) {
    if (filter) emit_return_filter(as, place, *filter, slot);
    as.cmp_imm(x86::kRbx, kMostRoomElements);
    as.jcc(Cond::kA, place.done);  // also what is negative, and panics
    as.lea(place.temps[0], {.index = x86::kRbx, .scale = 4, .disp = 8});
    as.mov(place.temps[1], {.base = x86::kRsi});  // abi.Type.Size_
    as.imul(place.temps[0], place.temps[1]);
    as.cmp_imm(place.temps[0], kMostRoomBytes);
    as.jcc(Cond::kA, place.done);
    as.lea(x86::kRcx, {.base = x86::kRbx, .index = x86::kRbx, .disp = 4});
    if (has_buffer) as.mov_imm(x86::kR9, 0);
  };
  return primitive;
}

Primitive say_it_is_full(u64 tight_len, const Point& point, SharedReturnFilter filter) {
  Primitive primitive;
  take_return_filter(filter, primitive);
  primitive.uses = x86::bit(x86::kRax) | x86::bit(x86::kRbx) | x86::bit(x86::kRcx);
  primitive.emit = [filter, tight_len, slot = point.frame_bytes](Assembler& as,
                                                                 const PrimitivePlace& place) {
    if (filter) emit_return_filter(as, place, *filter, slot);
    as.cmp_imm(x86::kRbx, static_cast<i64>(tight_len));
    as.jcc(Cond::kA, place.done);
    as.mov(x86::kRcx, x86::kRbx);
  };
  return primitive;
}

// Size_ and PtrBytes of types without pointers, by size.
std::vector<u8> fake_types() {
  std::vector<u8> bytes((kMostMovedBytes + 1) * kTypeBytes, 0);
  for (u64 size = 0; size <= kMostMovedBytes; ++size)
    std::memcpy(&bytes[size * kTypeBytes], &size, sizeof size);
  return bytes;
}

// At a CALL of moveSliceNoCap*: growslice(old, len, 2·len + 4, 0, et) in its place. The caller has
// appended to that slice, so its frame has room for the arguments of growslice, too.
Primitive move_with_room(ImageAddr growslice, bool has_type) {
  Primitive primitive;
  primitive.writes_flags = true;
  primitive.leaves_to = growslice;
  primitive.uses = x86::bit(x86::kRax) | x86::bit(x86::kRbx) | x86::bit(x86::kRcx) |
                   x86::bit(x86::kRdi) | x86::bit(x86::kRsi);
  if (!has_type) primitive.extra_bytes = fake_types().size();
  primitive.emit = [has_type](Assembler& as, const PrimitivePlace& place) {
    as.test(x86::kRcx, x86::kRcx);
    as.jcc(Cond::kE, place.done);
    as.cmp_imm(x86::kRcx, kMostMovedElements);
    as.jcc(Cond::kA, place.done);
    if (has_type) {
      as.mov(x86::kRsi, x86::kRax);
    } else {
      as.cmp_imm(x86::kRax, kMostMovedBytes);
      as.jcc(Cond::kA, place.done);
      Label code = as.new_label();
      as.jmp(code);
      const u64 types = as.here();
      as.append_bytes(fake_types());
      as.bind(code);
      as.shl(x86::kRax, kTypeShift);
      as.lea(x86::kRsi, {.disp = static_cast<i64>(types), .absolute = true});
      as.add(x86::kRsi, x86::kRax);
    }
    as.mov(x86::kRax, x86::kRbx);
    as.mov(x86::kRbx, x86::kRcx);
    as.lea(x86::kRcx, {.base = x86::kRbx, .index = x86::kRbx, .disp = 4});
    as.mov_imm(x86::kRdi, 0);
    as.jmp(place.leave);
  };
  return primitive;
}

Error cannot_be_set(const char* function, const program::RefusedPoint& refused) {
  return Error(fmt::format("growth cannot be changed in this program: {} at {:#x}: {}", function,
                           refused.at.value, program::refusal_help(refused.why)));
}

}  // namespace

std::vector<CodeRange> ranges_of_calls(const sites::SiteTable& table,
                                       const std::vector<ImageAddr>& chosen) {
  std::vector<ImageAddr> calls;
  for (const sites::AppendSite& site : table.sites) calls.push_back(site.call);
  return ranges_of_returns(calls, chosen);
}

// All of the function's returns, or it is refused: a capacity that is changed now and then tells
// nothing.
Status GrowthPoints::find_in(const char* function, bool is_move) {
  if (!binary_->pclntab().find_function_named(function)) return Done{};
  const bool has_buffer = std::string_view(function).find("Buf") != std::string_view::npos;
  auto take = [&](PointKind kind, std::vector<Place>& places) -> Status {
    program::FoundPoints found = program::find_points(*binary_, {kind, function, ""});
    if (!found.refused.empty()) return cannot_be_set(function, found.refused[0]);
    for (const Point& point : found.points) {
      if (point.frame_bytes < 0)
        return cannot_be_set(
            function, {kind, point.function, point.at, program::PointRefusal::kUnexpectedPrologue});
      places.push_back({point, has_buffer, is_move});
    }
    return Done{};
  };
  // NoAlias variants hand oldCap to the allocator where that may free the old array
  // (GOEXPERIMENT=runtimefreegc): it must stay what it is, and growslice is told at its own entry.
  const bool frees = std::string_view(function).ends_with("NoAlias") &&
                     binary_->pclntab().find_function_named("runtime.freegc").has_value();
  if (!is_move && !frees) GEIST_TRY_STATUS(take(PointKind::kEntry, entries_));
  return take(PointKind::kReturn, returns_);
}

Result<GrowthPoints> GrowthPoints::find(const read::GoBinary& binary) {
  GrowthPoints points(binary);
  for (const char* function : {"runtime.growslice", "runtime.growsliceNoAlias",
                               "runtime.growsliceBuf", "runtime.growsliceBufNoAlias"})
    GEIST_TRY_STATUS(points.find_in(function, false));
  for (const char* function : {"runtime.moveSliceNoCap", "runtime.moveSliceNoCapNoScan"})
    GEIST_TRY_STATUS(points.find_in(function, true));
  if (std::optional<read::Function> growslice =
          binary.pclntab().find_function_named("runtime.growslice"))
    points.growslice_ = growslice->entry;
  for (const char* function : {"runtime.moveSliceNoCap", "runtime.moveSliceNoCapNoScan"}) {
    program::FoundPoints found = program::find_points(binary, {PointKind::kCall, "", function});
    for (const Point& point : found.points)
      points.moves_.push_back(
          {point, false, true, !std::string_view(function).ends_with("NoScan")});
  }
  if (points.returns_.empty()) return Error("the program has no runtime.growslice: nothing grows");
  return points;
}

std::vector<CodeRange> GrowthPoints::functions_of(const std::vector<ImageAddr>& calls) const {
  std::vector<CodeRange> ranges;
  for (ImageAddr call : calls) {
    std::optional<read::Function> function = binary_->pclntab().find_function(call);
    if (function) ranges.push_back({function->entry, function->end});
  }
  std::ranges::sort(ranges, {}, &CodeRange::begin);
  auto rest = std::ranges::unique(ranges);
  ranges.erase(rest.begin(), rest.end());
  return ranges;
}

// Of functions that append, those of chosen appends where some are chosen. What cannot be changed
// stays as it is, for that is legal as well.
void GrowthPoints::add_moves(const sites::SiteTable& table, const Growth& growth,
                             PlanOptions& options) const {
  std::set<u32> functions;
  for (const sites::AppendSite& site : table.sites) {
    const bool is_chosen =
        !growth.calls || std::ranges::find(*growth.calls, site.call) != growth.calls->end();
    if (is_chosen) functions.insert(site.function.value);
  }
  for (const Place& move : moves_) {
    if (!functions.contains(move.point.function.value)) continue;
    PointProbe probe{move.point, move_with_room(growslice_, move.has_type)};
    if (stack_needed(probe.point, probe.primitive) <= probe.point.stack_room)
      options.points.push_back(std::move(probe));
  }
}

void GrowthPoints::add(const sites::SiteTable& table, const Growth& growth,
                       PlanOptions& options) const {
  SharedReturnFilter sites, functions;
  if (growth.calls) {
    const ImageAddr base = binary_->module().text;
    sites = std::make_shared<ReturnFilter>(ReturnFilter{base, ranges_of_calls(table, *growth.calls)});
    functions = std::make_shared<ReturnFilter>(ReturnFilter{base, functions_of(*growth.calls)});
  }
  if (growth.is_roomy) add_moves(table, growth, options);
  for (const Place& place : growth.is_roomy ? entries_ : returns_) {
    SharedReturnFilter filter = place.is_move ? functions : sites;
    options.points.push_back(
        {place.point, growth.is_roomy ? ask_for_room(place.point, place.has_buffer, filter)
                                      : say_it_is_full(growth.tight_len, place.point, filter)});
  }
}

std::vector<PointProbe> count_allocation_questions(const read::GoBinary& binary) {
  std::vector<PointProbe> points;
  for (const char* function : {"runtime.ReadMemStats", "testing.AllocsPerRun",
                               "runtime/metrics.Read", "testing.(*B).runN"}) {
    program::FoundPoints found = program::find_points(binary, {PointKind::kEntry, function, ""});
    for (const Point& point : found.points) points.push_back({point, count_passes()});
  }
  return points;
}

}  // namespace geist::probe
