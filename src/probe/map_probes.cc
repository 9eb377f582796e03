// The table of map functions, and what stands at their entries. Which of two functions that call each
// other has the work differs between releases and with -pgo, so each program is asked: a function
// that calls one which is looked at itself is left out. Looked at twice, an operation counts once
// all the same: it is one goroutine's.
#include "probe/map_probes.h"

#include <algorithm>

#include <fmt/format.h>

#include "program/points.h"

namespace geist::probe {
namespace {

using x86::Reg;

// Of hiter and maps.Iter alike: runtime/map.go, internal/runtime/maps/table.go.
constexpr i32 kIteratorType = abi::kIteratorTypeOffset, kIteratorMap = abi::kIteratorMapOffset;

struct MapFunction {
  std::string_view name;
  abi::MapOperation operation = abi::kMapRead;
  MapArguments arguments;
  // A function that does all the work and is looked at itself, where this one still calls it: what
  // the compiler inlines where differs.
  std::string_view calls = "";
};

constexpr MapArguments kPlain{};
constexpr MapArguments kOfMethod{x86::kRax, x86::kRbx, false};
constexpr MapArguments kOfIterator{x86::kRax, x86::kRax, true};

constexpr MapFunction kFunctions[] = {
    {"runtime.mapaccess1", abi::kMapRead, kPlain, "runtime.mapaccess2"},
    {"runtime.mapaccess1_fast32", abi::kMapRead, kPlain, "runtime.mapaccess2_fast32"},
    {"runtime.mapaccess1_fast64", abi::kMapRead, kPlain, "runtime.mapaccess2_fast64"},
    {"runtime.mapaccess1_faststr", abi::kMapRead, kPlain, "runtime.mapaccess2_faststr"},
    {"runtime.mapaccess2", abi::kMapRead, kPlain},
    {"runtime.mapaccess2_fast32", abi::kMapRead, kPlain},
    {"runtime.mapaccess2_fast64", abi::kMapRead, kPlain},
    {"runtime.mapaccess2_faststr", abi::kMapRead, kPlain},
    {"runtime.mapassign", abi::kMapWrite, kPlain},
    {"runtime.mapassign_fast32", abi::kMapWrite, kPlain},
    {"runtime.mapassign_fast32ptr", abi::kMapWrite, kPlain},
    {"runtime.mapassign_fast64", abi::kMapWrite, kPlain},
    {"runtime.mapassign_fast64ptr", abi::kMapWrite, kPlain},
    {"runtime.mapassign_faststr", abi::kMapWrite, kPlain},
    {"internal/runtime/maps.(*Map).PutSlot", abi::kMapWrite, kOfMethod},
    {"runtime.mapdelete", abi::kMapDelete, kPlain, "internal/runtime/maps.(*Map).Delete"},
    {"runtime.mapdelete_fast32", abi::kMapDelete, kPlain, "internal/runtime/maps.(*Map).Delete"},
    {"runtime.mapdelete_fast64", abi::kMapDelete, kPlain, "internal/runtime/maps.(*Map).Delete"},
    {"runtime.mapdelete_faststr", abi::kMapDelete, kPlain, "internal/runtime/maps.(*Map).Delete"},
    {"internal/runtime/maps.(*Map).Delete", abi::kMapDelete, kOfMethod},
    {"runtime.mapclear", abi::kMapClear, kPlain, "internal/runtime/maps.(*Map).Clear"},
    {"internal/runtime/maps.(*Map).Clear", abi::kMapClear, kOfMethod},
    {"runtime.mapiternext", abi::kMapIterate, kOfIterator},
    {"runtime.mapIterStart", abi::kMapIterate, kPlain, "internal/runtime/maps.(*Iter).Next"},
    {"runtime.mapIterNext", abi::kMapIterate, kOfIterator, "internal/runtime/maps.(*Iter).Next"},
    {"internal/runtime/maps.(*Iter).Next", abi::kMapIterate, kOfIterator},
    {"runtime.mapclone2", abi::kMapCopy, kPlain, "internal/runtime/maps.(*Map).Clone"},
    {"internal/runtime/maps.(*Map).Clone", abi::kMapCopy, kOfMethod},
};
static_assert(std::size(kFunctions) < kMostMapProbes);

abi::Location in_register(Reg reg) {
  abi::Location at{};
  at.kind = abi::kRegister;
  at.reg = static_cast<u8>(reg);
  return at;
}

abi::Location in_iterator(Reg reg, i32 offset) {
  abi::Location at = in_register(reg);
  at.kind = abi::kMemory;
  at.disp = offset;
  return at;
}

bool does_call(const read::GoBinary& binary, const read::Function& function,
               std::string_view callee_name) {
  const std::optional<read::Function> callee = binary.pclntab().find_function_named(callee_name);
  const std::optional<program::FunctionCode> code =
      callee ? program::FunctionCode::decode(binary, function) : std::nullopt;
  return code && std::ranges::any_of(code->briefs(), [&](const x86::Brief& brief) {
           const bool leaves = brief.flow == x86::Flow::kCall || brief.flow == x86::Flow::kJmp;
           return leaves && brief.target == callee->entry;
         });
}

void add_entry(const read::GoBinary& binary, std::string_view name, Primitive primitive,
               MapProbes& out) {
  program::FoundPoints found =
      program::find_points(binary, {program::PointKind::kEntry, std::string(name), ""});
  for (const program::RefusedPoint& refused : found.refused)
    out.missing.push_back(fmt::format("{}: {}", name, program::refusal_help(refused.why)));
  for (program::Point& point : found.points) {
    // The trampoline reads the return address there.
    if (point.frame_bytes != 0)
      out.missing.push_back(fmt::format("{}: {}", name, "its frame is not as expected"));
    else
      out.probes.push_back({point, primitive});
  }
}

// Enters the runtime each time; the program ends there.
Primitive look_at_fatal() {
  Primitive primitive = enter_runtime();
  primitive.detector = abi::kMaps;
  primitive.mode = abi::kMapFatal;
  primitive.values[abi::kMapAt] = in_register(x86::kRax);
  primitive.values[abi::kMapType] = in_register(x86::kRbx);
  return primitive;
}

// Counts the operation as it begins, and what an earlier one has inserted. Of a step of a loop only
// the first is one: the iterator has no key yet.
class MixEmitter {
 public:
  MixEmitter(x86::Assembler& as, abi::MapOperation operation, const MapArguments& arguments,
             Reg entry)
      : as_(as),
        count_(abi::count_of(operation) * sizeof(u64)),
        arguments_(arguments),
        entry_(entry),
        has_grown_(as.new_label()),
        seen_(as.new_label()) {}

  // `temp` is free afterwards.
  void see_entries(Reg map, Reg temp) {
    if (arguments_.by_iterator) return;
    as_.mov(temp, {.base = map, .disp = abi::kMapUsedOffset});
    as_.cmp(temp, field(offsetof(abi::MapMix, used)));
    as_.jcc(x86::Cond::kNe, has_grown_);
    as_.bind(seen_);
  }
  void count(bool is_owner) {
    const x86::Label counted = as_.new_label();
    if (arguments_.by_iterator) {
      as_.cmp_mem_zero({.base = arguments_.map, .disp = abi::kIteratorKeyOffset}, 64);
      as_.jcc(x86::Cond::kNe, counted);
    }
    if (is_owner)
      as_.inc_mem(field(offsetof(abi::MapMix, own) + count_));
    else
      as_.lock_inc(field(offsetof(abi::MapMix, others) + count_));
    as_.bind(counted);
  }
  // After all other code: of those who see the new number at once, one has the old one.
  void emit_rare_code(Reg temp, Reg old) {
    if (arguments_.by_iterator) return;
    as_.bind(has_grown_);
    as_.mov(old, temp);
    as_.xchg_mem(field(offsetof(abi::MapMix, used)), old);
    as_.sub(temp, old);
    as_.jcc(x86::Cond::kLe, seen_);
    as_.lock_add_mem(field(offsetof(abi::MapMix, inserts)), temp);
    as_.jmp(seen_);
  }

 private:
  x86::MemRef field(usize offset) const {
    return {.base = entry_, .disp = static_cast<i64>(offsetof(abi::MapEntry, mix) + offset)};
  }

  x86::Assembler& as_;
  const usize count_;
  const MapArguments& arguments_;
  const Reg entry_;
  const x86::Label has_grown_, seen_;
};

}  // namespace

Primitive look_at_map(abi::MapOperation operation, MapArguments arguments, bool counts) {
  constexpr i64 kIndexBits = i64{abi::kMapEntries - 1} << 4;
  static_assert(sizeof(abi::MapEntry) == 16 << 5, "bits 4 to 14 of the address, times 32");
  Primitive primitive;
  primitive.temps = 3;
  primitive.writes_flags = true;
  primitive.enters = true;
  primitive.uses = x86::bit(arguments.map);
  primitive.detector = abi::kMaps;
  primitive.mode = operation;
  primitive.values[abi::kMapAt] =
      arguments.by_iterator ? in_iterator(arguments.map, kIteratorMap) : in_register(arguments.map);
  primitive.values[abi::kMapType] = arguments.by_iterator
                                        ? in_iterator(arguments.map, kIteratorType)
                                        : in_register(arguments.type);
  primitive.emit = [operation, arguments, counts](x86::Assembler& as, const PrimitivePlace& place) {
    const Reg entry = place.temps[0], temp = place.temps[1];
    const Reg map = arguments.by_iterator ? place.temps[2] : arguments.map;
    auto field = [&](usize offset) {
      return x86::MemRef{.base = entry, .disp = static_cast<i64>(offset)};
    };
    if (arguments.by_iterator) as.mov(map, {.base = arguments.map, .disp = kIteratorMap});
    as.test(map, map);
    as.jcc(x86::Cond::kE, place.done);
    as.mov(entry, map);
    as.and_imm(entry, kIndexBits);
    as.shl(entry, 5);
    as.lea(temp, {.disp = static_cast<i64>(place.maps + offsetof(abi::MapTable, entries)),
                  .absolute = true});
    as.add(entry, temp);
    as.cmp(map, field(offsetof(abi::MapEntry, map)));
    as.jcc(x86::Cond::kNe, place.enter);
    MixEmitter mix(as, operation, arguments, entry);
    if (counts) mix.see_entries(map, temp);
    const x86::Label is_owner = as.new_label();
    as.cmp(x86::kR14, field(offsetof(abi::MapEntry, owner)));
    as.jcc(x86::Cond::kE, is_owner);
    if (counts) mix.count(false);
    as.dec_mem32(field(offsetof(abi::MapEntry, rest)));
    as.jcc(x86::Cond::kS, place.enter);
    as.jmp(place.done);
    as.bind(is_owner);
    if (counts) mix.count(true);
    as.mov(temp, {.base = x86::kRsp, .disp = place.pushed_bytes});
    as.mov(field(abi::writes_map(operation) ? offsetof(abi::MapEntry, write_ret)
                                            : offsetof(abi::MapEntry, read_ret)),
           temp);
    if (!counts || arguments.by_iterator) return;
    as.jmp(place.done);
    mix.emit_rare_code(temp, place.temps[2]);
  };
  return primitive;
}

MapProbes find_map_probes(const read::GoBinary& binary, bool counts) {
  MapProbes out;
  for (const MapFunction& function : kFunctions) {
    const std::optional<read::Function> there = binary.pclntab().find_function_named(function.name);
    if (!there) continue;  // the linker leaves out what nobody calls
    if (!function.calls.empty() && does_call(binary, *there, function.calls)) continue;
    add_entry(binary, function.name, look_at_map(function.operation, function.arguments, counts),
              out);
  }
  add_entry(binary, "runtime.fatal", look_at_fatal(), out);
  return out;
}

}  // namespace geist::probe
