// A map function's trampoline, run with known registers (machine.h): who gets on without the runtime,
// what is noted of it, and that everything else stays as it was.
#include "probe/map_probes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <span>

#include "machine.h"

namespace geist::probe {
namespace {

using x86::Assembler;
using x86::MemRef;

constexpr unsigned long kReturned = 1, kEvent = 2;
constexpr u64 kOwner = 0x1111, kOther = 0x2222;
constexpr u8 kPushRbp[] = {0x55};
constexpr u8 kPopRbpRet[] = {0x5d, 0xc3};

class MapProbe : public testing::Test {
 protected:
  static constexpr u64 kCodeAt = 0x100, kReturnAt = 0x600, kEventAt = 0x700, kTrampolineAt = 0x1000,
                       kRecordAt = 0x2000, kTableAt = 0x3000,
                       kBytes = kTableAt + sizeof(abi::MapTable) + 0x1000;

  MapProbe() {
    void* at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    memory = static_cast<u8*>(at);
    base = reinterpret_cast<u64>(at);
    put_test_exit(memory + kReturnAt, kReturned);
    put_test_exit(memory + kEventAt, kEvent);
    for (u64 r = 0; r < 16; ++r) start.regs[r] = 0x0101010101010101 * (r + 1);
    start.regs[x86::kR14] = kOwner;
    start.regs[x86::kRbx] = kMap;
  }
  ~MapProbe() override { ::munmap(memory, kBytes); }

  // A function that begins as Go's do behind their stack check, with this at its entry.
  void patch(const Primitive& primitive) {
    Assembler as(base + kCodeAt);
    as.append_bytes(kPushRbp);
    as.mov(x86::kRbp, x86::kRsp);
    as.add_imm(x86::kRax, 5);
    as.append_bytes(kPopRbpRet);
    as.finish();
    std::memcpy(memory + kCodeAt, as.bytes().data(), as.bytes().size());
    read::Function function;
    function.entry = ImageAddr(base + kCodeAt);
    function.end = function.entry + as.bytes().size();
    const auto code = program::FunctionCode::decode_bytes(as.bytes(), function, nullptr);
    ASSERT_TRUE(code.has_value());
    const program::PointAnswer answer = program::entry_point(*code);
    ASSERT_TRUE(std::holds_alternative<program::Point>(answer));
    const program::Point& point = std::get<program::Point>(answer);
    const u64 offset = point.displaced.begin.value - base;
    const u64 size = point.displaced.end - point.displaced.begin;
    const std::vector<u8> original(memory + offset, memory + offset + size);
    DisplacedCode displaced{point.displaced, original, {}};
    for (u64 at = 0; at < size; at += displaced.insns.back().length)
      displaced.insns.push_back(
          *x86::decode(ByteView(original).subspan(at), point.displaced.begin + at));
    const PlacedPrimitive placed{&point, &primitive, base + kRecordAt, base + kEventAt,
                                 base + kTableAt};
    const auto made =
        emit_point_trampoline(std::span(&placed, 1), displaced, LoadBias{0}, base + kTrampolineAt);
    ASSERT_TRUE(made.has_value());
    std::memcpy(memory + kTrampolineAt, made->bytes.data(), made->bytes.size());
    Assembler jump(point.displaced.begin.value);
    jump.jmp_to(base + kTrampolineAt);
    std::memcpy(memory + offset, jump.bytes().data(), jump.bytes().size());
  }

  MachineState call() {
    MachineState state = start;
    u8* top = stack + sizeof stack / 2;
    const u64 returns_to = base + kReturnAt;
    std::memcpy(top, &returns_to, sizeof returns_to);
    geist_test_enter(&state, base + kCodeAt, top);
    return state;
  }
  void expect_as_without(const MachineState& state) {
    EXPECT_EQ(state.exit, kReturned);
    EXPECT_EQ(state.regs[x86::kRax], start.regs[x86::kRax] + 5);
    for (int r : {x86::kRbx, x86::kRcx, x86::kRdi, x86::kRsi, x86::kRbp, x86::kR8, x86::kR14})
      EXPECT_EQ(state.regs[r], start.regs[r]) << r;
    EXPECT_EQ(state.regs[x86::kRsp], 8u);
  }

  abi::MapEntry& entry(u64 map = kMap) {
    return reinterpret_cast<abi::MapTable*>(memory + kTableAt)
        ->entries[(map >> 4) % abi::kMapEntries];
  }
  void set_owner(u64 map, u64 owner) {
    entry(map).map = map;
    entry(map).owner = owner;
  }

  static constexpr u64 kMap = 0xc000123450;
  u8* memory = nullptr;
  u64 base = 0;
  MachineState start{};
  alignas(16) u8 stack[8192] = {};
};

TEST_F(MapProbe, TheOwnerGetsOnAndIsNoted) {
  patch(look_at_map(abi::kMapWrite, {}));
  set_owner(kMap, kOwner);
  expect_as_without(call());
  EXPECT_EQ(entry().write_ret, base + kReturnAt);
  EXPECT_EQ(entry().read_ret, 0u);
}

TEST_F(MapProbe, ReadsAreNotedApart) {
  patch(look_at_map(abi::kMapRead, {}));
  set_owner(kMap, kOwner);
  expect_as_without(call());
  EXPECT_EQ(entry().read_ret, base + kReturnAt);
  EXPECT_EQ(entry().write_ret, 0u);
}

TEST_F(MapProbe, AnotherGoroutineEntersTheRuntime) {
  patch(look_at_map(abi::kMapWrite, {}));
  set_owner(kMap, kOther);
  const MachineState state = call();
  EXPECT_EQ(state.exit, kEvent);
  EXPECT_EQ(state.regs[x86::kRax], base + kRecordAt);  // its argument
  EXPECT_EQ(state.regs[x86::kRbx], kMap);
  EXPECT_EQ(entry().write_ret, 0u);
}

TEST_F(MapProbe, AnotherMapInThePlaceEntersTheRuntime) {
  patch(look_at_map(abi::kMapRead, {}));
  set_owner(kMap, kOwner);
  entry().map = kMap + (u64{abi::kMapEntries} << 4);
  EXPECT_EQ(call().exit, kEvent);
}

TEST_F(MapProbe, WhileTheMapRestsOthersGetOn) {
  patch(look_at_map(abi::kMapRead, {}));
  set_owner(kMap, kOther);
  entry().rest = 2;
  expect_as_without(call());
  expect_as_without(call());
  EXPECT_EQ(entry().read_ret, 0u);  // the owner's
  EXPECT_EQ(call().exit, kEvent);
}

TEST_F(MapProbe, TheNilMapIsNobodys) {
  patch(look_at_map(abi::kMapRead, {}));
  start.regs[x86::kRbx] = 0;
  MachineState state = call();
  expect_as_without(state);
}

TEST_F(MapProbe, AnIteratorLeadsToItsMap) {
  patch(look_at_map(abi::kMapIterate, {x86::kRax, x86::kRax, true}));
  const u64 iterator[12] = {1, 2, 0x5000, kMap};
  start.regs[x86::kRax] = reinterpret_cast<u64>(iterator);
  set_owner(kMap, kOwner);
  expect_as_without(call());
  EXPECT_EQ(entry().read_ret, base + kReturnAt);
  set_owner(kMap, kOther);
  entry().rest = 0;
  EXPECT_EQ(call().exit, kEvent);
}

// Where it counts, the map is read: its first word is the number of its entries.
class CountingMapProbe : public MapProbe {
 protected:
  CountingMapProbe() {
    start.regs[x86::kRbx] = at;
    set_owner(at, kOwner);
    entry(at).rest = 100;
  }
  abi::MapMix& mix() { return entry(at).mix; }
  alignas(16) u64 words[16] = {};
  const u64 at = reinterpret_cast<u64>(words);
};

TEST_F(CountingMapProbe, TheOwnersOperationsAndThoseOfOthersAreCounted) {
  patch(look_at_map(abi::kMapDelete, {}, true));
  expect_as_without(call());
  expect_as_without(call());
  set_owner(at, kOther);
  expect_as_without(call());
  EXPECT_EQ(mix().own[abi::kCountDeletes], 2u);
  EXPECT_EQ(mix().others[abi::kCountDeletes], 1u);
  EXPECT_EQ(mix().own[abi::kCountWrites] + mix().own[abi::kCountReads] + mix().inserts, 0u);
}

TEST_F(CountingMapProbe, AnotherMapIsLeftToTheRuntime) {
  patch(look_at_map(abi::kMapWrite, {}, true));
  entry(at).map = at + (u64{abi::kMapEntries} << 4);
  EXPECT_EQ(call().exit, kEvent);
  EXPECT_EQ(mix().own[abi::kCountWrites] + mix().others[abi::kCountWrites], 0u);
}

// What a write has done is seen by whoever comes next.
TEST_F(CountingMapProbe, InsertsAreWhatTheMapHasGrownBy) {
  patch(look_at_map(abi::kMapWrite, {}, true));
  expect_as_without(call());
  words[0] = 1;
  expect_as_without(call());
  words[0] = 2;
  set_owner(at, kOther);
  expect_as_without(call());
  EXPECT_EQ(mix().inserts, 2u);
  words[0] = 1;  // a delete
  expect_as_without(call());
  EXPECT_EQ(mix().inserts, 2u);
  EXPECT_EQ(mix().used, 1u);
  EXPECT_EQ(mix().own[abi::kCountWrites], 2u);
  EXPECT_EQ(mix().others[abi::kCountWrites], 2u);
}

TEST_F(CountingMapProbe, OnlyTheFirstStepOfALoopIsARange) {
  patch(look_at_map(abi::kMapIterate, {x86::kRax, x86::kRax, true}, true));
  u64 iterator[12] = {0, 0, 0x5000, at};
  start.regs[x86::kRax] = reinterpret_cast<u64>(iterator);
  expect_as_without(call());
  iterator[0] = 0x1234;  // the key
  expect_as_without(call());
  expect_as_without(call());
  EXPECT_EQ(mix().own[abi::kCountRanges], 1u);
}

TEST_F(CountingMapProbe, WithoutCountsNothingIsCountedNorRead) {
  patch(look_at_map(abi::kMapWrite, {}));
  start.regs[x86::kRbx] = kMap;  // no memory
  set_owner(kMap, kOwner);
  expect_as_without(call());
  EXPECT_EQ(entry().mix.own[abi::kCountWrites], 0u);
}

}  // namespace
}  // namespace geist::probe
