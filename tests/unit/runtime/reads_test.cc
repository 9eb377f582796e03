// What the runtime makes of a read: what stood in the buffer at its begin, told with the machine as it
// was then, when it ends.
#include "abi/reads.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>

#include "fake_sys.h"
#include "runtime/runtime.h"

namespace geist::runtime {
namespace {

constexpr uint64_t kHz = 1000000000;
constexpr int kRax = 0, kRcx = 1, kRbx = 3, kRsp = 4, kRsi = 6;

class Reads : public testing::Test {
 protected:
  Reads() {
    fake = FakeSys();
    control.armed = 1;
    control.tsc_hz = kHz;
    control.heartbeat_limit = 2 * kHz;
    control.heartbeat_tsc = fake.tsc;
    control.g_goid = 16;
    control.g_m = 24;
    control.m_procid = 8;
    for (uint64_t i = 0; i < abi::kSlots; ++i) slots[i].sequence = i;
    state->control = reinterpret_cast<uint64_t>(&control);
    state->slots = reinterpret_cast<uint64_t>(slots.get());
    begin.id = 3, end.id = 4;
    begin.detector = end.detector = abi::kRefill;
    begin.mode = abi::kReadBegins, end.mode = abi::kReadEnds;
    std::memcpy(buffer.data(), "what was there before", 21);
    lies_on(stack);
  }
  // The goroutine's stack; the return address of the read is 0x1234.
  void lies_on(std::array<uint64_t, 64>& words) {
    g = {reinterpret_cast<uint64_t>(words.data()),
         reinterpret_cast<uint64_t>(words.data() + words.size()), 99,
         reinterpret_cast<uint64_t>(m.data())};
    words[32] = 0x1234;
    saved.regs[kRsp] = reinterpret_cast<uint64_t>(&words[32]);
    saved.regs[14] = reinterpret_cast<uint64_t>(g.data());
  }
  void begins(uint64_t to, uint64_t size) {
    saved.regs[kRbx] = to;
    saved.regs[kRcx] = size;
    geist_on_overwrite(&begin, &saved, state.get());
  }
  void begins() { begins(reinterpret_cast<uint64_t>(buffer.data()), buffer.size()); }
  void ends(int64_t n) {
    saved.regs[kRax] = static_cast<uint64_t>(n);
    saved.regs[kRbx] = saved.regs[kRcx] = 0;  // err
    geist_on_overwrite(&end, &saved, state.get());
  }

  abi::Control control{};
  std::unique_ptr<abi::Slot[]> slots = std::make_unique<abi::Slot[]>(abi::kSlots);
  std::unique_ptr<abi::State> state = std::make_unique<abi::State>();
  abi::Site begin{}, end{};
  Saved saved{};
  std::array<char, 1000> buffer{};
  std::array<uint64_t, 2> m{0, 4711};
  std::array<uint64_t, 4> g{};
  std::array<uint64_t, 64> stack{}, other_stack{};
};

TEST_F(Reads, WhatWasReadIsToldWithWhatStoodThere) {
  begins();
  EXPECT_EQ(control.recorded, 0u);
  std::memcpy(buffer.data(), "what the kernel wrote", 21);
  ends(8);
  ASSERT_EQ(control.recorded, 1u);
  const abi::Event& e = slots[0].event;
  EXPECT_EQ(e.detector, uint32_t{abi::kRefill});
  EXPECT_EQ(e.site, 4u);
  EXPECT_EQ(e.append.old_ptr, reinterpret_cast<uint64_t>(buffer.data()));
  EXPECT_EQ(e.append.dest, e.append.old_ptr);
  EXPECT_EQ(e.append.num, 8u);
  EXPECT_EQ(e.append.dest_size, 8u);
  EXPECT_EQ(e.append.elem_size, 1u);
  ASSERT_EQ(e.old_size, 8u);
  EXPECT_EQ(std::memcmp(e.old_bytes, "what was", 8), 0);
  EXPECT_EQ(e.regs[kRbx], reinterpret_cast<uint64_t>(buffer.data()));  // as at the begin
  EXPECT_EQ(e.regs[kRcx], buffer.size());
  EXPECT_EQ(e.stack[0], 0x34);
}

TEST_F(Reads, NoMoreThanTheFirstBytesAreKept) {
  buffer.fill('x');
  begins();
  ends(900);
  ASSERT_EQ(control.recorded, 1u);
  EXPECT_EQ(slots[0].event.append.num, 900u);
  EXPECT_EQ(slots[0].event.old_size, abi::kMaxOldBytes);
}

TEST_F(Reads, WhatOverwritesOnlyZerosIsNotTold) {
  buffer.fill(0);
  begins();
  ends(8);
  buffer[20] = 'x';
  begins();
  ends(8);  // as far as it was read there were zeros
  EXPECT_EQ(control.recorded, 0u);
}

TEST_F(Reads, AReadThatReadsNothingIsOverAllTheSame) {
  begins();
  ends(0);
  begins();
  ends(-1);
  begins();
  ends(2000);  // more than there was room for: not believed
  EXPECT_EQ(control.recorded, 0u);
  ends(8);  // of no read that began
  EXPECT_EQ(control.recorded, 0u);
  begins();
  ends(8);
  EXPECT_EQ(control.recorded, 1u);
}

TEST_F(Reads, RegistersGoAlongWithTheStack) {
  saved.regs[kRsi] = reinterpret_cast<uint64_t>(&stack[40]);
  begins();
  lies_on(other_stack);
  saved.regs[kRsi] = 7;  // used for something else meanwhile
  ends(8);
  ASSERT_EQ(control.recorded, 1u);
  EXPECT_EQ(slots[0].event.regs[kRsi], reinterpret_cast<uint64_t>(&other_stack[40]));
  EXPECT_EQ(slots[0].event.regs[kRsp], reinterpret_cast<uint64_t>(&other_stack[32]));
}

TEST_F(Reads, TwoGoroutinesReadAtOnce) {
  begins();
  const std::array<uint64_t, 4> first = g;
  std::array<uint64_t, 4> second = {reinterpret_cast<uint64_t>(other_stack.data()),
                                    reinterpret_cast<uint64_t>(other_stack.data() + 64), 100,
                                    reinterpret_cast<uint64_t>(m.data())};
  other_stack[32] = 0x5678;
  Saved one = saved;
  saved.regs[14] = reinterpret_cast<uint64_t>(second.data());
  saved.regs[kRsp] = reinterpret_cast<uint64_t>(&other_stack[32]);
  begins(reinterpret_cast<uint64_t>(buffer.data() + 5), 10);
  ends(3);
  ASSERT_EQ(control.recorded, 1u);
  EXPECT_EQ(slots[0].event.goid, 100u);
  EXPECT_EQ(std::memcmp(slots[0].event.old_bytes, "was", 3), 0);
  saved = one;
  ends(4);
  ASSERT_EQ(control.recorded, 2u);
  EXPECT_EQ(slots[1].event.goid, first[2]);
  EXPECT_EQ(std::memcmp(slots[1].event.old_bytes, "what", 4), 0);
}

TEST_F(Reads, ABufferOnTheStackIsLeftAlone) {
  stack[50] = 1;
  begins(reinterpret_cast<uint64_t>(&stack[50]), 8);
  ends(8);
  EXPECT_EQ(control.recorded, 0u);
}

}  // namespace
}  // namespace geist::runtime
