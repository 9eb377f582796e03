// See map_walk_probes.h. What stands at each place is a comparison or two; the rest is the runtime's.
#include "probe/map_walk_probes.h"

#include <algorithm>

#include "program/points.h"
#include "program/stack_check.h"

namespace geist::probe {
namespace {

using program::FunctionCode;
using x86::Cond;
using x86::MemRef;
using x86::Reg;

constexpr usize kMostInserts = 32;

Primitive make(abi::MapOperation mode, u8 temps, x86::RegMask uses) {
  Primitive primitive;
  primitive.temps = temps;
  primitive.writes_flags = true;
  primitive.enters = true;
  primitive.uses = uses;
  primitive.detector = abi::kMaps;
  primitive.mode = mode;
  return primitive;
}

abi::Location in_register(Reg reg) {
  abi::Location at{};
  at.kind = abi::kRegister;
  at.reg = static_cast<u8>(reg);
  return at;
}

// The address of the map's walk.
void emit_walk(x86::Assembler& as, const PrimitivePlace& place, Reg map, Reg walk, Reg temp) {
  constexpr i64 kIndexBits = i64{abi::kMapWalks - 1} << 4;
  static_assert(sizeof(abi::MapWalk) == 16 << 4, "bits 4 to 11 of the address, times 16");
  as.mov(walk, map);
  as.and_imm(walk, kIndexBits);
  as.shl(walk, 4);
  as.lea(temp, {.disp = static_cast<i64>(place.maps + offsetof(abi::MapTable, walks)),
                .absolute = true});
  as.add(walk, temp);
}

MemRef field(Reg walk, usize offset) {
  return {.base = walk, .disp = static_cast<i64>(offset)};
}

// A name of a function that puts a new entry into a map.
bool inserts(std::string_view name) {
  if (name.starts_with("runtime.mapassign")) return true;
  constexpr std::string_view kMaps = "internal/runtime/maps.";
  if (!name.starts_with(kMaps)) return false;
  name.remove_prefix(kMaps.size());
  return name.starts_with("(*Map).putSlotSmall") || name == "(*Map).PutSlot" ||
         name == "(*table).PutSlot";
}

// INCQ (M): only the number of entries is counted so.
std::optional<Reg> counts_entry(const x86::Insn& insn) {
  const x86::Operand& target = insn.operands[0];
  const bool is_count = insn.op == x86::Op::kInc && target.kind == x86::Operand::Kind::kMem &&
                        target.size_bits == 64 && target.mem.disp == abi::kMapUsedOffset &&
                        target.mem.index == x86::kNoReg && target.mem.base != x86::kNoReg &&
                        target.mem.base != x86::kRsp && !target.mem.rip_relative &&
                        !target.mem.segment;
  return is_count ? std::optional(target.mem.base) : std::nullopt;
}

// The count and the instruction before it. Both write to the map's own memory, which is there: the
// function has refused a nil map at its entry. From the code around it that cannot be told.
std::optional<program::Point> make_place(const FunctionCode& code, u32 count) {
  const program::Block& block = code.blocks()[code.block_of(count)];
  const bool knows_jumps = std::ranges::none_of(
      code.blocks(), [](const program::Block& any) { return any.unknown_succs; });
  if (!knows_jumps || count == block.first) return std::nullopt;
  const x86::Brief &before = code.briefs()[count - 1], &brief = code.briefs()[count];
  const bool has_room = brief.end() - before.addr >= program::kJmpBytes;
  if (before.flow != x86::Flow::kNext || before.end() != brief.addr || !has_room)
    return std::nullopt;
  program::Point point;
  point.kind = program::PointKind::kInlined;
  point.function = code.function().index;
  point.at = brief.addr;
  point.displaced = {before.addr, brief.end()};
  point.live = code.live_before(count);
  return point;
}

// At the count, or a little after it where nothing else leads there.
std::optional<program::Point> find_place(const FunctionCode& code, u32 count, Reg map) {
  constexpr u32 kNear = 6;
  const u32 last = code.blocks()[code.block_of(count)].last;
  for (u32 i = count; i < count + kNear && i <= last; ++i) {
    program::PointAnswer answer = program::point_at(code, i, program::PointKind::kInlined);
    if (program::Point* point = std::get_if<program::Point>(&answer)) return *point;
    const x86::Brief& brief = code.briefs()[i];
    if (brief.flow != x86::Flow::kNext || (brief.writes & x86::bit(map)) != 0) break;
  }
  return make_place(code, count);
}

void add_inserts(const read::GoBinary& binary, const read::Function& function,
                 std::vector<PointProbe>& probes) {
  const std::optional<FunctionCode> code = FunctionCode::decode(binary, function);
  if (!code) return;
  for (u32 i = 0; i < code->briefs().size() && probes.size() < kMostInserts; ++i) {
    const std::optional<Reg> map = counts_entry(code->insn(i));
    if (!map) continue;
    std::optional<program::Point> point = find_place(*code, i, *map);
    if (!point) continue;
    if (const std::optional<i32> frame = binary.pclntab().find_sp_delta(function, point->at))
      point->frame_bytes = *frame;
    point->stack_room = program::StackRoom(binary).below(function, point->at);
    probes.push_back({*point, look_at_insert(*map, point->frame_bytes)});
  }
}

}  // namespace

Primitive look_at_step(Reg iterator) {
  Primitive primitive = make(abi::kMapStep, 3, x86::bit(iterator));
  primitive.values[abi::kMapAt] = in_register(iterator);
  primitive.emit = [iterator](x86::Assembler& as, const PrimitivePlace& place) {
    const Reg walk = place.temps[0], temp = place.temps[1], map = place.temps[2];
    as.mov(map, MemRef{.base = iterator, .disp = abi::kIteratorMapOffset});
    as.test(map, map);
    as.jcc(Cond::kE, place.done);
    emit_walk(as, place, map, walk, temp);
    as.cmp(map, field(walk, offsetof(abi::MapWalk, map)));
    as.jcc(Cond::kNe, place.enter);
    as.cmp(iterator, field(walk, offsetof(abi::MapWalk, iterator)));
    as.jcc(Cond::kNe, place.enter);
    as.cmp_mem_zero(field(walk, offsetof(abi::MapWalk, dirty)), 64);
    as.jcc(Cond::kNe, place.enter);
    // The first step may be that of the next loop, with the same iterator.
    as.cmp_mem_zero({.base = iterator, .disp = abi::kIteratorKeyOffset}, 64);
    as.jcc(Cond::kE, place.enter);
  };
  return primitive;
}

Primitive look_at_insert(Reg map, i64 frame_bytes) {
  Primitive primitive = make(abi::kMapInsert, 2, x86::bit(map));
  primitive.values[abi::kMapAt] = in_register(map);
  primitive.values[abi::kMapType].kind = abi::kConstant;
  primitive.values[abi::kMapType].addend = frame_bytes;
  primitive.emit = [map](x86::Assembler& as, const PrimitivePlace& place) {
    emit_walk(as, place, map, place.temps[0], place.temps[1]);
    as.cmp(map, field(place.temps[0], offsetof(abi::MapWalk, map)));
    as.jcc(Cond::kE, place.enter);
  };
  return primitive;
}

Primitive look_at_assigned() {
  Primitive primitive = make(abi::kMapAssigned, 0, x86::bit(x86::kRax));
  primitive.values[abi::kMapAt] = in_register(x86::kRax);
  primitive.emit = [](x86::Assembler& as, const PrimitivePlace& place) {
    const usize offset = offsetof(abi::MapTable, pending_walks);
    as.cmp_mem_zero({.disp = static_cast<i64>(place.maps + offset), .absolute = true}, 64);
    as.jcc(Cond::kNe, place.enter);
  };
  return primitive;
}

std::vector<PointProbe> find_map_walk_probes(const read::GoBinary& binary) {
  std::vector<PointProbe> steps;
  for (std::string_view name : {"runtime.mapiternext", "internal/runtime/maps.(*Iter).Next"}) {
    if (!binary.pclntab().find_function_named(name)) continue;
    for (const program::Point& point :
         program::find_points(binary, {program::PointKind::kEntry, std::string(name), ""}).points)
      steps.push_back({point, look_at_step(x86::kRax)});
  }
  if (steps.empty()) return {};
  std::vector<PointProbe> probes;
  const read::Pclntab& all = binary.pclntab();
  for (u32 i = 0; i < all.function_count(); ++i) {
    const read::Function function = all.function(read::FuncIndex{i});
    if (inserts(function.name)) add_inserts(binary, function, probes);
  }
  const program::FoundPoints returns =
      program::find_points(binary, {program::PointKind::kReturn, "runtime.mapassign*", ""});
  for (const program::Point& point : returns.points)
    if (probes.size() + steps.size() < kMostMapWalkProbes) probes.push_back({point, look_at_assigned()});
  probes.insert(probes.end(), steps.begin(), steps.end());
  return probes;
}

}  // namespace geist::probe
