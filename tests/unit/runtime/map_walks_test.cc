// A range over a map as the runtime sees it: steps, inserts, and what the assignments give back.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>

#include "fake_sys.h"
#include "runtime/runtime.h"

namespace geist::runtime {
namespace {

constexpr uint64_t kHz = 1000000000, kMs = 1000000;

abi::Location in_register(uint8_t reg) {
  abi::Location l{};
  l.kind = abi::kRegister;
  l.reg = reg;
  return l;
}

class MapWalks : public testing::Test {
 protected:
  MapWalks() {
    fake = FakeSys();
    fake.tsc = kMs;
    control.armed = 1;
    control.tsc_hz = kHz;
    control.heartbeat_limit = 2 * kHz;
    control.heartbeat_tsc = fake.tsc;
    control.park_grace_ticks = 100 * kMs;
    control.g_goid = 16;
    control.g_m = 24;
    control.m_curg = 8;
    control.map_table = reinterpret_cast<uint64_t>(table.get());
    for (uint64_t i = 0; i < abi::kSlots; ++i) slots[i].sequence = i;
    state->control = reinterpret_cast<uint64_t>(&control);
    state->slots = reinterpret_cast<uint64_t>(slots.get());
    g = {reinterpret_cast<uint64_t>(stack.data()),
         reinterpret_cast<uint64_t>(stack.data() + stack.size()), 7,
         reinterpret_cast<uint64_t>(m.data())};
    m[1] = reinterpret_cast<uint64_t>(g.data());
    stack[33] = 0x1000;  // a frame of one word, then its return address
    stack[41] = 0x2000;
    saved.regs[4] = reinterpret_cast<uint64_t>(&stack[32]);
    saved.regs[5] = reinterpret_cast<uint64_t>(&stack[40]);
    saved.regs[14] = reinterpret_cast<uint64_t>(g.data());
    make_site(0, abi::kMapStep);
    make_site(1, abi::kMapInsert);
    make_site(2, abi::kMapAssigned);
    sites[1].values[abi::kMapType].kind = abi::kConstant;
    sites[1].values[abi::kMapType].addend = 8;
  }
  void make_site(uint32_t index, uint32_t mode) {
    sites[index].id = 100 + index;
    sites[index].detector = abi::kMaps;
    sites[index].mode = mode;
    sites[index].values[abi::kMapAt] = in_register(0);
  }
  // The iterator lies on the stack; before the first step it has no key.
  void step(uint64_t key, uint64_t elem, uint64_t of = 0) {
    uint64_t* iterator = &stack[44];
    iterator[0] = key;
    iterator[1] = elem;
    iterator[2] = 0x5000;
    iterator[3] = of == 0 ? map() : of;
    run(0, reinterpret_cast<uint64_t>(iterator));
  }
  void insert(uint64_t elem) {
    run(1, map());
    run(2, elem);
  }
  void run(uint32_t site, uint64_t rax) {
    saved.regs[0] = rax;
    geist_on_point(&sites[site], &saved, state.get());
  }
  uint64_t map() const { return reinterpret_cast<uint64_t>(map_.data()); }
  uint64_t told() const { return control.recorded; }
  uint64_t kind(uint64_t index) const { return slots[index].event.map.kind; }

  abi::Control control{};
  std::unique_ptr<abi::MapTable> table = std::make_unique<abi::MapTable>();
  std::unique_ptr<abi::Slot[]> slots = std::make_unique<abi::Slot[]>(abi::kSlots);
  std::unique_ptr<abi::State> state = std::make_unique<abi::State>();
  std::array<abi::Site, 3> sites{};
  std::array<uint64_t, 8> g{}, m{};
  std::array<uint64_t, 64> stack{};
  alignas(16) std::array<uint32_t, 8> map_{0, 0, 0, 4711};
  Saved saved{};
};

TEST_F(MapWalks, ALoopThatOnlyWalksIsSilent) {
  step(0, 0);
  step(1, 0x100);
  step(2, 0x200);
  EXPECT_EQ(told(), 0u);
}

TEST_F(MapWalks, AnInsertIsToldBeforeTheNextStep) {
  step(0, 0);
  step(1, 0x100);
  insert(0x900);
  EXPECT_EQ(told(), 0u);
  step(2, 0x200);
  ASSERT_EQ(told(), 1u);
  EXPECT_EQ(kind(0), abi::kMapWalked);
  const abi::Event& event = slots[0].event;
  EXPECT_EQ(event.map.map, map());
  EXPECT_EQ(event.map.type, 0x5000u);
  ASSERT_EQ(event.old_size, 16u);
  std::array<uint64_t, 2> returns{};
  std::memcpy(returns.data(), event.old_bytes, 16);
  EXPECT_EQ(returns, (std::array<uint64_t, 2>{0x1000, 0x2000}));
  step(3, 0x300);
  EXPECT_EQ(told(), 1u) << "one insert, one finding";
}

TEST_F(MapWalks, ALoopThatIsLeftAfterTheInsertIsSilent) {
  step(0, 0);
  step(1, 0x100);
  insert(0x900);
  step(0, 0);
  step(1, 0x100);
  EXPECT_EQ(told(), 0u);
}

TEST_F(MapWalks, AnEntryOfItsOwnThatMakesTheLoopInsertAgain) {
  step(0, 0);
  step(1, 0x100);
  insert(0x900);
  step(1, 0x100);
  insert(0xa00);
  step(2, 0x900);
  ASSERT_EQ(told(), 2u);
  EXPECT_EQ(kind(1), abi::kMapChained);
}

// Its place was free again: what was visited there is the old one.
TEST_F(MapWalks, AnEntryThatTakesThePlaceOfTheOneThatIsVisited) {
  step(0, 0);
  step(1, 0x100);
  insert(0x100);
  step(2, 0x100);
  ASSERT_EQ(told(), 1u);
  EXPECT_EQ(kind(0), abi::kMapWalked);
}

TEST_F(MapWalks, WhoWalksOnceMoreMayGoOnUntilThereIsNothingNew) {
  step(0, 0);
  step(1, 0x100);
  insert(0x900);
  step(1, 0x100);
  insert(0xa00);
  step(2, 0x900);
  step(0, 0);
  ASSERT_EQ(told(), 3u);
  EXPECT_EQ(kind(2), abi::kMapAgain);
}

TEST_F(MapWalks, AnotherMapAtTheSameAddressIsNotOnceMore) {
  step(0, 0);
  step(1, 0x100);
  insert(0x900);
  step(1, 0x100);
  insert(0xa00);
  step(2, 0x900);
  map_[3] = 4712;
  step(0, 0);
  EXPECT_EQ(told(), 2u);
}

TEST_F(MapWalks, AnInsertByAnotherGoroutineIsNotThisLoops) {
  step(0, 0);
  step(1, 0x100);
  g[2] = 8;
  insert(0x900);
  g[2] = 7;
  step(2, 0x200);
  EXPECT_EQ(told(), 0u);
  EXPECT_EQ(table->pending_walks, 0u);
}

TEST_F(MapWalks, AnAssignmentThatNeverReturnsDoesNotStayPending) {
  step(0, 0);
  step(1, 0x100);
  run(1, map());
  EXPECT_EQ(table->pending_walks, 1u);
  step(0, 0);
  EXPECT_EQ(table->pending_walks, 0u);
}

}  // namespace
}  // namespace geist::runtime
