// What stands at the steps of a range and at inserts, run (machine.h), and where that is in a program.
#include "probe/map_walk_probes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "../read/go_fixture.h"
#include "machine.h"

namespace geist::probe {
namespace {

constexpr unsigned long kGoesOn = 1, kEvent = 2;

class MapWalkProbe : public testing::Test {
 protected:
  static constexpr u64 kGoesOnAt = 0x600, kEventAt = 0x700, kTableAt = 0x1000,
                       kBytes = kTableAt + sizeof(abi::MapTable) + 0x1000;
  static constexpr u64 kMap = 0xc000123450;

  MapWalkProbe() {
    void* at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    memory_ = static_cast<u8*>(at);
    base_ = reinterpret_cast<u64>(at);
    put_test_exit(memory_ + kGoesOnAt, kGoesOn);
    put_test_exit(memory_ + kEventAt, kEvent);
    iterator[abi::kIteratorMapOffset / 8] = kMap;
    iterator[abi::kIteratorKeyOffset / 8] = 1;
    walk().map = kMap;
    walk().iterator = reinterpret_cast<u64>(iterator);
  }
  ~MapWalkProbe() override { ::munmap(memory_, kBytes); }

  unsigned long run(const Primitive& primitive, u64 rax) {
    x86::Assembler as(base_);
    PrimitivePlace place;
    place.temps = {x86::kR11, x86::kR12, x86::kR13};
    place.maps = base_ + kTableAt;
    place.done = as.new_label();
    place.enter = as.new_label();
    primitive.emit(as, place);
    as.bind(place.done);
    as.jmp_to(base_ + kGoesOnAt);
    as.bind(place.enter);
    as.jmp_to(base_ + kEventAt);
    as.finish();
    EXPECT_TRUE(as.ok());
    std::memcpy(memory_, as.bytes().data(), as.bytes().size());
    MachineState state{};
    state.regs[x86::kRax] = rax;
    const MachineState start = state;
    geist_test_enter(&state, base_, stack_ + sizeof stack_ / 2);
    for (int reg : {0, 1, 2, 3, 5, 6, 7, 8, 9, 10}) EXPECT_EQ(state.regs[reg], start.regs[reg]);
    return state.exit;
  }
  unsigned long step() { return run(look_at_step(x86::kRax), reinterpret_cast<u64>(iterator)); }
  abi::MapTable& table() { return *reinterpret_cast<abi::MapTable*>(memory_ + kTableAt); }
  abi::MapWalk& walk() { return table().walks[(kMap >> 4) % abi::kMapWalks]; }

  u64 iterator[12] = {};

 private:
  u8* memory_ = nullptr;
  u64 base_ = 0;
  alignas(16) unsigned char stack_[4096] = {};
};

TEST_F(MapWalkProbe, AStepOfAKnownWalkGoesOn) {
  EXPECT_EQ(step(), kGoesOn);
}

TEST_F(MapWalkProbe, TheFirstStepAndThatOfAnotherWalkAreLookedAt) {
  iterator[0] = 0;
  EXPECT_EQ(step(), kEvent);
  iterator[0] = 1;
  walk().iterator = 1;
  EXPECT_EQ(step(), kEvent);
  walk().iterator = reinterpret_cast<u64>(iterator);
  walk().map = 16;
  EXPECT_EQ(step(), kEvent);
}

TEST_F(MapWalkProbe, SoIsAStepAfterAnInsert) {
  walk().dirty = 1;
  EXPECT_EQ(step(), kEvent);
}

TEST_F(MapWalkProbe, AnIteratorWithoutAMapGoesOn) {
  iterator[abi::kIteratorMapOffset / 8] = 0;
  EXPECT_EQ(step(), kGoesOn);
}

TEST_F(MapWalkProbe, OnlyInsertsIntoAMapThatIsWalkedOverAreLookedAt) {
  EXPECT_EQ(run(look_at_insert(x86::kRax, 8), kMap), kEvent);
  EXPECT_EQ(run(look_at_insert(x86::kRax, 8), kMap + 16), kGoesOn);
}

TEST_F(MapWalkProbe, AnAssignmentIsLookedAtWhileAnInsertIsPending) {
  EXPECT_EQ(run(look_at_assigned(), 0x1234), kGoesOn);
  table().pending_walks = 1;
  EXPECT_EQ(run(look_at_assigned(), 0x1234), kEvent);
}

// Each function that puts entries into maps has its count, and each assignment its returns.
TEST(MapWalkProbes, AreFoundInAProgram) {
  auto binary = std::move(read::GoBinary::open(read::default_fixture(), {}).value());
  const std::vector<PointProbe> probes = find_map_walk_probes(*binary);
  auto count = [&](u32 mode, std::string_view name) {
    return std::ranges::count_if(probes, [&](const PointProbe& probe) {
      return probe.primitive.mode == mode &&
             binary->pclntab().function(probe.point.function).name.starts_with(name);
    });
  };
  EXPECT_GE(count(abi::kMapStep, ""), 1);
  for (std::string_view name : {"runtime.mapassign_faststr", "runtime.mapassign"}) {
    EXPECT_GE(count(abi::kMapInsert, name), 1) << name;
    EXPECT_GE(count(abi::kMapAssigned, name), 1) << name;
  }
  EXPECT_LE(probes.size(), kMostMapWalkProbes);
}

}  // namespace
}  // namespace geist::probe
