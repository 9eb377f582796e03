// The table of maps as two goroutines use it: who is remembered, who waits, and who meets whom. Each
// test plays both goroutines: what one does while the other waits is done by the fake futex.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>

#include "fake_sys.h"
#include "runtime/runtime.h"

namespace geist::runtime {
namespace {

constexpr uint64_t kHz = 1000000000;  // a tick is a nanosecond
constexpr uint64_t kUs = 1000, kMs = 1000000;
constexpr uint64_t kType = 0x5000;
// Two maps, as far as they are looked at.
alignas(64) uint64_t maps[16];
const uint64_t kMap = reinterpret_cast<uint64_t>(maps), kOtherMap = kMap + 64;

abi::Location in_register(uint8_t reg) {
  abi::Location l{};
  l.kind = abi::kRegister;
  l.reg = reg;
  return l;
}

// Enough of runtime.g and runtime.m, and a stack with a return address and one caller's frame.
struct Goroutine {
  std::array<uint64_t, 8> g{};
  std::array<uint64_t, 8> m{};
  std::array<uint64_t, 64> stack{};
  Saved saved{};
  uint64_t ret = 0;

  Goroutine(uint64_t goid, uint64_t return_address, uint64_t caller) : ret(return_address) {
    g = {reinterpret_cast<uint64_t>(stack.data()),
         reinterpret_cast<uint64_t>(stack.data() + stack.size()),
         goid,
         reinterpret_cast<uint64_t>(m.data()),
         caller + 0x500,  // gopc
         1};              // parentGoid
    m[0] = 4711;
    m[1] = reinterpret_cast<uint64_t>(g.data());  // curg
    stack[32] = return_address;
    stack[40] = 0;  // the chain of frame pointers ends
    stack[41] = caller;
    saved.regs[4] = reinterpret_cast<uint64_t>(stack.data() + 32);
    saved.regs[5] = reinterpret_cast<uint64_t>(stack.data() + 40);
    saved.regs[14] = reinterpret_cast<uint64_t>(g.data());
    saved.regs[0] = kType;
    saved.regs[3] = kMap;
  }
};

class TableOfMaps : public testing::Test {
 protected:
  TableOfMaps() {
    fake = FakeSys();
    fake.tsc = kMs;
    control.armed = 1;
    control.tsc_hz = kHz;
    control.heartbeat_limit = 2 * kHz;
    control.heartbeat_tsc = fake.tsc;
    control.park_grace_ticks = 100 * kMs;
    control.g_goid = 16;
    control.g_m = 24;
    control.g_go_pc = 32;
    control.g_parent_goid = 40;
    control.m_procid = 0;
    control.m_curg = 8;
    control.m_locks = 16;
    control.map_table = reinterpret_cast<uint64_t>(table.get());
    for (uint64_t i = 0; i < abi::kSlots; ++i) slots[i].sequence = i;
    state->control = reinterpret_cast<uint64_t>(&control);
    state->slots = reinterpret_cast<uint64_t>(slots.get());
    table->hold_us = 100;
    table->sites = reinterpret_cast<uint64_t>(sites.data());
    table->site_count = static_cast<uint32_t>(sites.size());
    make_site(0, abi::kMapRead);
    make_site(1, abi::kMapWrite);
    // Each wait lasts until its time is over.
    fake.on_wait = [](volatile uint32_t*, uint64_t timeout_us) { fake.tsc += timeout_us * kUs; };
  }
  void make_site(uint32_t index, uint32_t operation) {
    sites[index].id = 100 + index;
    sites[index].detector = abi::kMaps;
    sites[index].mode = operation;
    sites[index].values[abi::kMapAt] = in_register(3);
    sites[index].values[abi::kMapType] = in_register(0);
  }
  void reads(Goroutine& by) { geist_on_point(&sites[0], &by.saved, state.get()); }
  void writes(Goroutine& by) { geist_on_point(&sites[1], &by.saved, state.get()); }
  // What `visit` does while somebody waits for company for the first time.
  template <typename Visit>
  void while_held(Visit visit) {
    fake.on_wait = [this, visit, done = false](volatile uint32_t*, uint64_t timeout_us) mutable {
      fake.tsc += timeout_us * kUs / 2;
      if (done) return;
      done = true;
      visit();
    };
  }
  abi::MapEntry& entry() { return table->entries[(kMap >> 4) % abi::kMapEntries]; }
  uint64_t told() const { return control.recorded; }

  abi::Control control{};
  std::unique_ptr<abi::MapTable> table = std::make_unique<abi::MapTable>();
  std::unique_ptr<abi::Slot[]> slots = std::make_unique<abi::Slot[]>(abi::kSlots);
  std::unique_ptr<abi::State> state = std::make_unique<abi::State>();
  std::array<abi::Site, 2> sites{};
  Goroutine one{7, 0x1000, 0x1100}, two{9, 0x2000, 0x2200};
};

TEST_F(TableOfMaps, RemembersWhoCameLast) {
  writes(one);
  EXPECT_EQ(entry().map, kMap);
  EXPECT_EQ(entry().owner, one.saved.regs[14]);
  EXPECT_EQ(entry().accesses[entry().newest].goid, 7u);
  EXPECT_EQ(entry().accesses[entry().newest].write_ret, 0x1000u);
  EXPECT_EQ(table->holds, 0u);
  fake.tsc += 50 * kMs;  // nobody came near
  reads(two);
  EXPECT_EQ(entry().owner, two.saved.regs[14]);
  EXPECT_EQ(entry().accesses[entry().newest].read_ret, 0x2000u);
  EXPECT_EQ(table->near_misses, 0u);
  EXPECT_EQ(fake.waits, 0u);
}

TEST_F(TableOfMaps, AWriterAndAReaderMeet) {
  writes(one);
  fake.tsc += kMs;
  while_held([&] { writes(one); });
  reads(two);  // near the write: it waits, and the writer comes
  EXPECT_EQ(table->near_misses, 2u);
  EXPECT_EQ(table->met, 1u);
  ASSERT_EQ(told(), 1u);
  const abi::Event& e = slots[0].event;
  EXPECT_EQ(e.detector, uint32_t{abi::kMaps});
  EXPECT_EQ(e.facts_size, sizeof(abi::MapFacts));
  EXPECT_EQ(e.map.kind, uint64_t{abi::kMapMet});
  EXPECT_EQ(e.map.map, kMap);
  EXPECT_EQ(e.map.type, kType);
  EXPECT_EQ(e.goid, 7u);
  EXPECT_EQ(e.site, 101u);
  EXPECT_EQ(e.map.operation, uint64_t{abi::kMapWrite});
  EXPECT_EQ(e.map.go_pc, 0x1600u);
  EXPECT_EQ(e.other_site, 100u);
  EXPECT_EQ(e.map.other_operation, uint64_t{abi::kMapRead});
  EXPECT_EQ(e.map.other_goid, 9u);
  EXPECT_EQ(e.map.other_go_pc, 0x2700u);
  EXPECT_EQ(e.map.other_parent_goid, 1u);
  ASSERT_EQ(e.old_size, 16u);
  uint64_t pcs[2];
  std::memcpy(pcs, e.old_bytes, sizeof pcs);
  EXPECT_EQ(pcs[0], 0x2000u);
  EXPECT_EQ(pcs[1], 0x2200u);
  for (const abi::MapClaim& claim : table->claims)
    EXPECT_EQ(claim.state, uint32_t{abi::kClaimFree});
  EXPECT_EQ(entry().claimed, 0u);
  EXPECT_EQ(table->held, 0u);
}

TEST_F(TableOfMaps, TwoReadersNeverMeet) {
  reads(one);
  while_held([&] { reads(one); });
  reads(two);
  EXPECT_EQ(table->near_misses, 0u);
  EXPECT_EQ(table->holds, 0u);
  writes(one);  // now each of them waits, and readers may come by
  Goroutine three{11, 0x3000, 0x3300};
  while_held([&] { reads(three); });
  reads(two);
  EXPECT_EQ(table->holds, 3u);  // three too
  EXPECT_EQ(table->met, 0u);
  EXPECT_EQ(told(), 0u);
}

TEST_F(TableOfMaps, NobodyMeetsHimself) {
  writes(one);
  while_held([&] { writes(two); });
  reads(two);
  EXPECT_EQ(table->holds, 2u);  // each time, that in between too
  EXPECT_EQ(table->met, 0u);
}

TEST_F(TableOfMaps, WhoWaitsForAnotherMapIsNotMet) {
  writes(one);
  one.saved.regs[3] = kOtherMap;
  while_held([&] { writes(one); });
  reads(two);
  EXPECT_EQ(table->holds, 2u);  // each time, that in between too
  EXPECT_EQ(table->met, 0u);
}

TEST_F(TableOfMaps, AfterTheWaitNobodyIsMet) {
  writes(one);
  reads(two);
  EXPECT_EQ(table->holds, 1u);
  fake.on_wait = nullptr;
  table->hold_us = 0;
  writes(one);
  EXPECT_EQ(table->met, 0u);
}

// Memory of a map that is gone may be another one's.
TEST_F(TableOfMaps, AnotherMapAtTheSameAddressIsNew) {
  writes(one);
  maps[1] += uint64_t{1} << 32;
  reads(two);
  EXPECT_EQ(table->near_misses, 0u);
  EXPECT_EQ(table->holds, 0u);
}

// In vain each time: it becomes rarer, and ends.
TEST_F(TableOfMaps, WaitingInVainEnds) {
  control.park_grace_ticks = 1000 * kMs;
  for (int i = 0; i < 2000; ++i) {
    writes(one);
    fake.tsc += 177;
    reads(two);
    fake.tsc += 1913;
    control.heartbeat_tsc = fake.tsc;
  }
  EXPECT_LE(table->holds, 20u);
  EXPECT_GE(table->holds, 10u);
}

TEST_F(TableOfMaps, APathThatMetWaitsNoMore) {
  writes(one);
  while_held([&] { writes(one); });
  reads(two);
  const uint64_t holds = table->holds;
  fake.on_wait = [](volatile uint32_t*, uint64_t timeout_us) { fake.tsc += timeout_us * kUs; };
  for (int i = 0; i < 20; ++i) reads(two);
  EXPECT_EQ(table->holds, holds);
}

TEST_F(TableOfMaps, NobodyWaitsBeyondTheBudget) {
  control.park_grace_ticks = 0;
  writes(one);
  reads(two);
  EXPECT_EQ(table->near_misses, 1u);
  EXPECT_EQ(table->holds, 0u);
  EXPECT_EQ(table->not_held, 1u);
}

TEST_F(TableOfMaps, NobodyWaitsWithALockOfTheRuntime) {
  writes(one);
  two.m[2] = 1;
  reads(two);
  EXPECT_EQ(table->near_misses, 1u);
  EXPECT_EQ(table->holds, 0u);
}

TEST_F(TableOfMaps, WhatItIsNotSureOfItLeaves) {
  two.m[1] = 0;  // not the goroutine of this thread
  reads(two);
  EXPECT_EQ(entry().map, 0u);
  one.saved.regs[3] = 0;  // the nil map
  reads(one);
  EXPECT_EQ(table->looks, 0u);
  one.saved.regs[3] = reinterpret_cast<uint64_t>(one.stack.data() + 8);  // its own stack
  writes(one);
  EXPECT_EQ(table->paths[0].hash | table->near_misses, 0u);
}

// What only the trampolines have seen of the owner counts as just now.
TEST_F(TableOfMaps, TheOwnersUnseenOperationsCount) {
  reads(one);
  entry().write_ret = 0x1234;  // a trampoline's
  fake.tsc += 50 * kMs;
  reads(two);
  EXPECT_EQ(table->near_misses, 1u);
  const abi::MapAccess& of_one = entry().accesses[0];
  EXPECT_EQ(of_one.goid, 7u);
  EXPECT_EQ(of_one.write_ret, 0x1234u);
  EXPECT_EQ(of_one.write_path, 0u);
}

TEST_F(TableOfMaps, WhileSomebodyWaitsAllLook) {
  writes(one);
  sites[1].skip = 1000;
  entry().rest = 500;
  bool looked = false;
  while_held([&] {
    looked = sites[1].skip == 0 && entry().rest == 0 && entry().owner == abi::kMapNoOwner;
  });
  reads(two);
  EXPECT_TRUE(looked);
}

TEST_F(TableOfMaps, TooManyLooksAreThinnedOut) {
  control.map_ticks = kHz;  // far more than the budget
  control.park_grace_ticks = 0;
  writes(one);
  for (int i = 0; i < 3; ++i) {
    reads(two);
    writes(one);
  }
  EXPECT_GT(entry().rest, 0);
  EXPECT_GT(table->thinned_out, 0u);
  one.saved.regs[3] = kOtherMap;
  writes(one);  // a map that is new
  EXPECT_GT(sites[1].skip, 0u);
}

// A third map, whose entry is that of the first.
class TableOfMixes : public TableOfMaps {
 protected:
  TableOfMixes() {
    table->counts = 1;
    for (uint64_t& word : maps) word = 0;
  }
  // Of an address that is no map's, but where there is memory to look at.
  const std::unique_ptr<uint64_t[]> more = std::make_unique<uint64_t[]>(abi::kMapEntries * 2 * 2);
  uint64_t in_the_same_entry() const {
    const uint64_t first = (reinterpret_cast<uint64_t>(more.get()) + 15) & ~uint64_t{15};
    const uint64_t mask = uint64_t{abi::kMapEntries - 1} << 4;
    return first + (((kMap & mask) - (first & mask)) & mask);
  }
  const abi::RetiredMix* retired() const {
    for (const abi::RetiredMix& mix : table->retired) {
      if (mix.key != 0) return &mix;
    }
    return nullptr;
  }
};

TEST_F(TableOfMixes, TheFirstOperationIsCountedAndWhereItWas) {
  maps[0] = 3;
  writes(one);
  EXPECT_EQ(entry().type, kType);
  EXPECT_EQ(entry().mix.others[abi::kCountWrites], 1u);
  EXPECT_EQ(entry().mix.used, 3u);
  EXPECT_EQ(entry().mix.first_ret, 0x1000u);
  EXPECT_EQ(entry().mix.maps, 1u);
  reads(two);  // that is the trampoline's to count
  EXPECT_EQ(entry().mix.others[abi::kCountReads], 0u);
}

TEST_F(TableOfMixes, GoroutinesAreCountedByWhoMadeThem) {
  writes(one);
  Goroutine other_of_one(8, 0x1000, 0x1100), again(7, 0x1000, 0x1100);
  for (Goroutine* by : {&two, &other_of_one, &again, &two}) reads(*by);
  const abi::MapMakers* makers = entry().mix.makers;
  EXPECT_EQ(makers[0].go_pc, 0x1600u);
  EXPECT_EQ(makers[0].goroutines[0], (uint64_t{1} << 7) | (uint64_t{1} << 8));
  EXPECT_EQ(makers[1].go_pc, 0x2700u);
  EXPECT_EQ(makers[1].goroutines[0], uint64_t{1} << 9);
  EXPECT_EQ(makers[2].go_pc, 0u);
}

TEST_F(TableOfMixes, MakersThereIsNoRoomForAreOne) {
  for (uint64_t i = 0; i < 10; ++i) {
    Goroutine by(20 + i, 0x1000, 0x1100 + 16 * i);
    reads(by);
  }
  const abi::MapMakers* makers = entry().mix.makers;
  EXPECT_EQ(makers[abi::kMapMakers - 1].go_pc, abi::kMapOtherMakers);
  EXPECT_EQ(makers[0].goroutines[0], uint64_t{1} << 20);
  EXPECT_EQ(makers[abi::kMapMakers - 1].goroutines[0], uint64_t{0x7f} << 23);
}

TEST_F(TableOfMixes, WhatWasCountedOfAMapStaysWhenAnotherTakesItsEntry) {
  writes(one);
  entry().mix.own[abi::kCountReads] = 40;  // a trampoline's
  entry().mix.inserts = 2;
  one.saved.regs[3] = in_the_same_entry();
  writes(one);
  ASSERT_NE(retired(), nullptr);
  EXPECT_EQ(retired()->type, kType);
  EXPECT_EQ(retired()->mix.own[abi::kCountReads], 40u);
  EXPECT_EQ(retired()->mix.others[abi::kCountWrites], 1u);
  EXPECT_EQ(retired()->mix.inserts, 2u);
  EXPECT_EQ(retired()->mix.first_ret, 0x1000u);
  EXPECT_EQ(retired()->mix.maps, 1u);
  EXPECT_EQ(retired()->lock, 0u);
  EXPECT_EQ(entry().mix.own[abi::kCountReads], 0u);
  EXPECT_EQ(retired()->map, kMap);
  one.saved.regs[3] = kMap;  // and once more: of the same type and place
  writes(one);
  EXPECT_EQ(retired()->mix.others[abi::kCountWrites], 2u);
  EXPECT_EQ(retired()->mix.maps, 2u);
  EXPECT_EQ(retired()->map, abi::kMapSeveral);
  EXPECT_EQ(retired()->mix.makers[0].goroutines[0], uint64_t{1} << 7);
}

TEST_F(TableOfMixes, AMapThatComesAndGoesIsOne) {
  writes(one);
  two.saved.regs[3] = in_the_same_entry();
  two.saved.regs[0] = kType + 64;  // of another type
  for (int i = 0; i < 3; ++i) {
    writes(two);
    writes(one);
  }
  writes(two);
  for (const abi::RetiredMix& mix : table->retired) {
    if (mix.key == 0) continue;
    EXPECT_EQ(mix.mix.maps, 1u);
    EXPECT_EQ(mix.map, mix.type == kType ? kMap : in_the_same_entry());
    EXPECT_EQ(mix.mix.others[abi::kCountWrites], mix.type == kType ? 4u : 3u);
  }
}

TEST_F(TableOfMixes, AMapThatWasClearedIsTheSame) {
  writes(one);
  entry().mix.own[abi::kCountReads] = 40;
  maps[1] += uint64_t{1} << 32;  // its seed
  reads(two);
  EXPECT_EQ(entry().mix.own[abi::kCountReads], 40u);
  EXPECT_EQ(retired(), nullptr);
}

TEST_F(TableOfMixes, OfMapsOnAStackNothingIsKept) {
  one.saved.regs[3] = reinterpret_cast<uint64_t>(one.stack.data() + 8);
  writes(one);
  one.saved.regs[3] = kMap;
  writes(one);
  EXPECT_EQ(retired(), nullptr);
}

TEST_F(TableOfMixes, WhereThereIsNoRoomItIsCounted) {
  for (abi::RetiredMix& mix : table->retired) mix.key = 1, mix.lock = 0;
  writes(one);
  one.saved.regs[3] = in_the_same_entry();
  writes(one);
  EXPECT_EQ(table->mixes_lost, 1u);
}

TEST_F(TableOfMixes, OnlyWhereItIsAskedFor) {
  table->counts = 0;
  writes(one);
  EXPECT_EQ(entry().mix.maps, 0u);
}

TEST_F(TableOfMaps, TheDeathOfAProgramIsTold) {
  const char text[] = "concurrent map writes", other[] = "all goroutines are asleep";
  make_site(0, abi::kMapFatal);
  sites[0].values[abi::kMapAt] = in_register(0);
  sites[0].values[abi::kMapType] = in_register(3);
  one.saved.regs[0] = reinterpret_cast<uint64_t>(other);
  one.saved.regs[3] = sizeof other - 1;
  geist_on_point(&sites[0], &one.saved, state.get());
  EXPECT_EQ(told(), 0u);
  one.saved.regs[0] = reinterpret_cast<uint64_t>(text);
  one.saved.regs[3] = sizeof text - 1;
  geist_on_point(&sites[0], &one.saved, state.get());
  ASSERT_EQ(told(), 1u);
  const abi::Event& e = slots[0].event;
  EXPECT_EQ(e.map.kind, uint64_t{abi::kMapDies});
  EXPECT_EQ(e.map.operation, uint64_t{abi::kMapFatal});
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(e.old_bytes), e.old_size), text);
}

TEST_F(TableOfMaps, DisarmedNothingHappens) {
  control.armed = 0;
  writes(one);
  EXPECT_EQ(entry().map, 0u);
  EXPECT_EQ(sites[1].skip, ~uint64_t{0});
}

}  // namespace
}  // namespace geist::runtime
