// The runtime's rules as the tool and the program depend on them: what is recorded, what is dropped
// and counted, how long anything waits. Its sources are compiled in with a clock and a futex that
// the tests control.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>

#include "fake_sys.h"
#include "runtime/runtime.h"

namespace geist::runtime {
namespace {

constexpr uint64_t kHz = 1000000000;  // a tick is a nanosecond

abi::Location in_register(uint8_t reg) {
  abi::Location l{};
  l.kind = abi::kRegister;
  l.reg = reg;
  return l;
}

// A program with one site: RAX old_ptr, RBX newLen, RCX cap, one element of 8 bytes; R14 g with a
// small stack.
class Runtime : public testing::Test {
 protected:
  Runtime() {
    fake = FakeSys();
    control.armed = 1;
    control.tsc_hz = kHz;
    control.heartbeat_limit = 2 * kHz;
    control.heartbeat_tsc = fake.tsc;
    control.park_grace_ticks = 0;
    control.park_timeout_us = 50;
    control.gate_timeout_us = 10000;
    control.g_goid = 16;
    control.g_m = 24;
    control.m_procid = 8;
    for (uint64_t i = 0; i < abi::kSlots; ++i) slots[i].sequence = i;
    state->control = reinterpret_cast<uint64_t>(&control);
    state->slots = reinterpret_cast<uint64_t>(slots.get());
    site.id = 7;
    site.detector = abi::kAppend;
    site.elem_size = 8;
    site.values[abi::kOldPtr] = in_register(0);
    site.values[abi::kNewLen] = in_register(3);
    site.values[abi::kCap] = in_register(1);
    site.values[abi::kNum].addend = 1;
    array = {10, 20, 30, 40};
    m = {0, 4711};
    g = {reinterpret_cast<uint64_t>(stack.data()),
         reinterpret_cast<uint64_t>(stack.data() + stack.size()), 99,
         reinterpret_cast<uint64_t>(m.data())};
    saved.regs[0] = reinterpret_cast<uint64_t>(array.data());
    saved.regs[3] = 3;
    saved.regs[1] = 4;
    saved.regs[4] = reinterpret_cast<uint64_t>(stack.data() + 32);
    saved.regs[14] = reinterpret_cast<uint64_t>(g.data());
  }

  // One overwriting append; each in a context of its own when `caller` differs.
  void append(uint64_t caller = 0) {
    stack[40] = 0;  // end of the chain of frames
    stack[41] = caller;
    saved.regs[5] = reinterpret_cast<uint64_t>(stack.data() + 40);
    geist_on_overwrite(&site, &saved, state.get());
  }
  // What the tool does with the event of this ticket.
  void take(uint64_t ticket) {
    slots[ticket % abi::kSlots].ack = static_cast<uint32_t>(ticket + 1);
    slots[ticket % abi::kSlots].sequence = ticket + abi::kSlots;
  }

  abi::Control control{};
  std::unique_ptr<abi::Slot[]> slots = std::make_unique<abi::Slot[]>(abi::kSlots);
  std::unique_ptr<abi::State> state = std::make_unique<abi::State>();
  abi::Site site{};
  Saved saved{};
  std::array<uint64_t, 4> array{};
  std::array<uint64_t, 2> m{};
  std::array<uint64_t, 4> g{};
  std::array<uint64_t, 64> stack{};
};

TEST_F(Runtime, AnEventHoldsWhatIsAboutToHappen) {
  stack[33] = 0x1234;
  append();
  const abi::Event& e = slots[0].event;
  ASSERT_EQ(slots[0].sequence, 1u);
  EXPECT_EQ(e.detector, uint32_t{abi::kAppend});
  EXPECT_EQ(e.facts_size, sizeof(abi::AppendFacts));
  EXPECT_EQ(e.site, 7u);
  EXPECT_EQ(e.goid, 99u);
  EXPECT_EQ(e.procid, 4711u);
  EXPECT_EQ(e.hit, 1u);
  EXPECT_EQ(e.append.old_ptr, saved.regs[0]);
  EXPECT_EQ(e.append.new_len, 3u);
  EXPECT_EQ(e.append.cap, 4u);
  EXPECT_EQ(e.append.dest, saved.regs[0] + 16);
  EXPECT_EQ(e.append.dest_size, 8u);
  ASSERT_EQ(e.old_size, 8u);
  uint64_t old = 0;
  std::memcpy(&old, e.old_bytes, 8);
  EXPECT_EQ(old, 30u);
  ASSERT_EQ(e.stack_size, 32 * 8u);
  EXPECT_EQ(std::memcmp(e.stack, stack.data() + 32, e.stack_size), 0);
  EXPECT_EQ(e.parked, 0u);  // no allowance
  EXPECT_EQ(fake.waits, 0u);
  EXPECT_EQ(control.recorded, 1u);
}

TEST_F(Runtime, OneContextIsRecordedAtPowersOfTwo) {
  for (int i = 0; i < 100; ++i) append();
  EXPECT_EQ(control.overwriting, 100u);
  EXPECT_EQ(control.contexts, 1u);
  EXPECT_EQ(control.recorded, 7u);  // 1 2 4 8 16 32 64
  EXPECT_EQ(slots[6].event.hit, 64u);
}

TEST_F(Runtime, AnotherCallerIsAnotherContext) {
  append(1);
  append(2);
  append(1);
  EXPECT_EQ(control.contexts, 2u);
  EXPECT_EQ(control.recorded, 3u);
  EXPECT_NE(slots[0].event.context, slots[1].event.context);
  EXPECT_EQ(slots[0].event.context, slots[2].event.context);
}

TEST_F(Runtime, FramePointersOutsideTheStackAreNotFollowed) {
  for (uint64_t frame : {uint64_t{0}, uint64_t{8}, ~uint64_t{7},
                         reinterpret_cast<uint64_t>(stack.data() + stack.size() - 1),
                         reinterpret_cast<uint64_t>(stack.data())}) {
    saved.regs[5] = frame;
    geist_on_overwrite(&site, &saved, state.get());
  }
  EXPECT_EQ(control.contexts, 1u);
}

TEST_F(Runtime, AFullRingDropsAndCounts) {
  for (uint64_t caller = 0; caller < abi::kSlots + 5; ++caller) append(caller + 1);
  EXPECT_EQ(control.recorded, uint64_t{abi::kSlots});
  EXPECT_EQ(control.lost_ring_full, 5u);
  take(0);
  append(1000);
  EXPECT_EQ(control.lost_ring_full, 5u);
  EXPECT_EQ(slots[0].sequence, abi::kSlots + 1u);
}

TEST_F(Runtime, TheStandardLibraryGetsHalfTheRing) {
  site.in_library = 1;
  for (uint64_t caller = 0; caller < 32; ++caller) append(caller + 1);
  EXPECT_EQ(control.recorded, 32u);
  site.in_library = 0;
  for (uint64_t caller = 100; caller < 100 + abi::kSlots / 2 - 32; ++caller) append(caller);
  EXPECT_EQ(control.recorded, uint64_t{abi::kSlots / 2});
  site.in_library = 1;
  site.recorded = 0;
  append(1001);
  EXPECT_EQ(control.lost_ring_full, 1u);
  site.in_library = 0;
  append(1002);
  EXPECT_EQ(control.recorded, abi::kSlots / 2 + 1u);
}

TEST_F(Runtime, WithinTheBudgetTheThreadWaitsUntilTheToolHasLooked) {
  control.park_grace_ticks = kHz;
  fake.on_wait = [this](volatile uint32_t* word, uint64_t) {
    EXPECT_EQ(word, &slots[0].ack);
    EXPECT_EQ(slots[0].event.parked, 50u);  // as long as it may take
    fake.tsc += 2000;
    take(0);
  };
  append();
  EXPECT_EQ(fake.waits, 1u);
  EXPECT_EQ(control.parked_ticks, 2000u);
}

TEST_F(Runtime, NobodyWaitsLongerThanThePatience) {
  control.park_grace_ticks = kHz;
  fake.on_wait = [](volatile uint32_t*, uint64_t) {
    fake.tsc += 7000;
  };  // woken for nothing, again and again
  uint64_t before = fake.tsc;
  append();
  EXPECT_GE(fake.tsc - before, 50000u);
  EXPECT_LE(fake.tsc - before, 57000u);
  EXPECT_EQ(control.parked_ticks, fake.tsc - before);
}

TEST_F(Runtime, WhileThereIsTimeTheFirstOfAContextAreAllTold) {
  control.park_grace_ticks = kHz;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) { take(control.head - 1); };
  for (int i = 0; i < 40; ++i) append();
  EXPECT_EQ(control.recorded, 17u);  // 1 to 16, 32
  site.in_library = 1;
  site.recorded = 0;
  for (int i = 0; i < 40; ++i) append(7);
  EXPECT_EQ(control.recorded, 17 + 6u);  // 1 2 4 8 16 32
}

TEST_F(Runtime, HalfOfTheBudgetIsLeftToOtherContexts) {
  control.park_grace_ticks = 1000;
  control.parked_ticks = 500;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) { take(control.head - 1); };
  for (int i = 0; i < 40; ++i) append();
  EXPECT_EQ(control.recorded, 6u);  // 1 2 4 8 16 32
}

TEST_F(Runtime, WhatTheToolRefundsWasNotSpent) {
  control.park_grace_ticks = 1000;
  control.parked_ticks = 5000;
  append(1);
  EXPECT_EQ(fake.waits, 0u);
  control.refunded_ticks = 4500;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) { take(control.head - 1); };
  append(2);
  EXPECT_EQ(fake.waits, 1u);
}

TEST_F(Runtime, WhatAThreadWaitsForAProcessorCountsAnEighth) {
  control.park_grace_ticks = kHz;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) {
    fake.tsc += 2000;
    control.released_tsc = fake.tsc;
    fake.tsc += 16000;
    take(0);
  };
  append();
  EXPECT_EQ(control.parked_ticks, 18000u);
  EXPECT_EQ(control.woken_late_ticks, 14000u);
}

TEST_F(Runtime, TheStandardLibraryDoesNotWaitWhileItRests) {
  control.park_grace_ticks = kHz;
  control.library_rests = 1;
  site.in_library = 1;
  append(1);
  EXPECT_EQ(fake.waits, 0u);
  EXPECT_EQ(control.recorded, 1u);
  site.in_library = 0;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) { take(control.head - 1); };
  append(2);
  EXPECT_EQ(fake.waits, 1u);
}

TEST_F(Runtime, OfTheLibraryOtherElementsThanBytesMayUseHalfOfTheBudget) {
  control.park_grace_ticks = 80000;
  control.parked_ticks = 20000;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) { take(control.head - 1); };
  site.in_library = 1;
  append(1);
  EXPECT_EQ(fake.waits, 0u);
  site.in_library = 2;
  append(2);
  EXPECT_EQ(fake.waits, 1u);
  control.parked_ticks = 45000;
  append(3);
  EXPECT_EQ(fake.waits, 1u);
  site.in_library = 0;
  append(4);
  EXPECT_EQ(fake.waits, 2u);
}

TEST_F(Runtime, ACopyOfAWatchedHeaderWaitsUntilTheWatchIsThere) {
  control.park_grace_ticks = kHz;
  saved.regs[0] = 0x7000;  // to
  saved.regs[3] = 0x5000;  // from
  saved.regs[1] = 48;
  fake.on_wait = [this](volatile uint32_t* word, uint64_t) {
    const abi::CopyGate& gate = control.copy_gate;
    EXPECT_EQ(word, &gate.gate);
    EXPECT_EQ(gate.to, 0x7000u);
    EXPECT_EQ(gate.from, 0x5000u);
    EXPECT_EQ(gate.bytes, 48u);
    EXPECT_EQ(gate.keeps, 1u);
    control.copy_gate.gate = abi::kGateOpen;
  };
  site.reserved = 1;
  for (uint64_t other : {0x4ff8, 0x5030, 0}) {
    control.copy_gate.words[2] = other;
    geist_on_copy(&site, &saved, state.get());
  }
  EXPECT_EQ(fake.waits, 0u);
  control.copy_gate.words[2] = 0x5028;
  geist_on_copy(&site, &saved, state.get());
  EXPECT_EQ(fake.waits, 1u);
  EXPECT_EQ(control.copy_gate.gate, abi::kGateIdle);
  EXPECT_EQ(control.copy_gate.claimed, 0u);
  control.copy_gate.claimed = 1;  // another thread stands there
  geist_on_copy(&site, &saved, state.get());
  control.copy_gate.claimed = 0;
  control.parked_ticks = 2 * kHz;  // no budget is left
  geist_on_copy(&site, &saved, state.get());
  EXPECT_EQ(fake.waits, 1u);
}

// m.p, and of p as in Go: status, schedtick, m.
class TimeSlice : public Runtime {
 protected:
  TimeSlice() {
    control.park_grace_ticks = kHz;
    control.p_status = 4;
    control.p_schedtick = 16;
    control.p_m = 48;
    control.m_p = 8;
    m[1] = reinterpret_cast<uint64_t>(p.data());
    p[0] = uint64_t{1} << 32;
    p[2] = kSchedtick;
    p[6] = reinterpret_cast<uint64_t>(m.data());
    fake.on_wait = [this](volatile uint32_t*, uint64_t) {
      in_wait = p[2];
      fake.tsc += 3000;
      take(control.head - 1);
    };
  }
  // 7 system calls, which are not counted here, beside 0xffffffff scheduler calls.
  static constexpr uint64_t kSchedtick = (uint64_t{7} << 32) | 0xffffffff;
  static constexpr uint64_t kSystemCalls = uint64_t{7} << 32;
  std::array<uint64_t, 8> p{};
  uint64_t in_wait = 0;
};

TEST_F(TimeSlice, BeginsBeforeAndBehindAWait) {
  append();
  EXPECT_EQ(fake.waits, 1u);
  EXPECT_EQ(in_wait, kSystemCalls);
  EXPECT_EQ(p[2], kSystemCalls + 1);
}

TEST_F(TimeSlice, IsLeftAloneWithoutAWait) {
  control.park_grace_ticks = 0;
  append();
  EXPECT_EQ(fake.waits, 0u);
  EXPECT_EQ(p[2], kSchedtick);
}

TEST_F(TimeSlice, OfAPThatIsNotThisThreadsIsLeftAlone) {
  p[6] += 8;
  append(1);
  p[6] -= 8;
  p[0] = uint64_t{2} << 32;  // in a system call
  append(2);
  p[0] = uint64_t{1} << 32;
  m[1] = 0;
  append(3);
  control.m_p = 0;  // nobody has seen that the offsets hold
  m[1] = reinterpret_cast<uint64_t>(p.data());
  append(4);
  EXPECT_EQ(fake.waits, 4u);
  EXPECT_EQ(p[2], kSchedtick);
}

TEST_F(TimeSlice, BeginsAtAWaitForAMovedStackToo) {
  control.m_curg = 0;
  m[0] = 0xc000001000;
  control.stack_gates[1].g = m[0];
  fake.on_wait = [this](volatile uint32_t* word, uint64_t) {
    in_wait = p[2];
    *word = abi::kGateOpen;
  };
  geist_on_stack_moved(&site, &saved, state.get());
  EXPECT_EQ(in_wait, kSystemCalls);
  EXPECT_EQ(p[2], kSystemCalls + 1);
}

// The thread wakes on another processor, whose counter is behind.
TEST_F(Runtime, AWaitThatEndsBeforeItBeganCostsNothing) {
  control.park_grace_ticks = kHz;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) {
    fake.tsc -= 500;
    take(control.head - 1);
  };
  append(1);
  EXPECT_EQ(control.parked_ticks, 0u);
  EXPECT_LT(control.slow_path_ticks, kHz);
  append(2);  // there is a budget left to wait in
  EXPECT_EQ(fake.waits, 2u);
}

TEST_F(Runtime, AGateOnAProcessorWhoseCounterIsBehindIsWaitedAt) {
  int waits = 0;
  fake.on_wait = [&](volatile uint32_t* word, uint64_t) {
    fake.tsc -= 10;
    if (++waits == 3) *word = abi::kGateOpen;
  };
  geist_on_exit(&site, &saved, state.get());
  EXPECT_EQ(waits, 3);
  EXPECT_EQ(control.gate_ticks, 0u);
}

TEST_F(Runtime, TheBudgetIsTheGraceAndAShareOfTheTime) {
  control.park_grace_ticks = 50000;
  control.park_share = 65536 / 10;
  fake.on_wait = [](volatile uint32_t*, uint64_t timeout_us) { fake.tsc += timeout_us * 1000; };
  append(1);
  EXPECT_EQ(fake.waits, 1u);
  append(2);  // spent
  EXPECT_EQ(fake.waits, 1u);
  fake.tsc += 1000000;
  control.heartbeat_tsc = fake.tsc;
  append(3);
  EXPECT_EQ(fake.waits, 2u);
}

TEST_F(Runtime, AToolWithoutHeartbeatDisarms) {
  fake.tsc += control.heartbeat_limit + 1;
  append();
  EXPECT_EQ(control.armed, 0u);
  EXPECT_EQ(control.recorded, 0u);
  append();
  EXPECT_EQ(site.skip, ~uint64_t{0});  // from now on the entry returns at once
}

TEST_F(Runtime, AHeartbeatOfAnotherCoresFutureIsAlive) {
  control.heartbeat_tsc = fake.tsc + 1000;
  append();
  EXPECT_EQ(control.recorded, 1u);
}

TEST_F(Runtime, ArgumentsThatCannotBeAreCountedNotRecorded) {
  for (auto [reg, value] :
       {std::pair<int, uint64_t>{3, 5}, {0, 0}, {1, uint64_t{1} << 60}, {3, 0}}) {
    Saved sound = saved;
    saved.regs[reg] = value;
    append(static_cast<uint64_t>(reg) + value);
    saved = sound;
  }
  EXPECT_EQ(control.lost_bad_arguments, 4u);
  EXPECT_EQ(control.recorded, 0u);
}

TEST_F(Runtime, AFullContextTableIsCounted) {
  for (abi::ContextEntry& entry : state->contexts) entry = {~uint64_t{0}, 1};
  append();
  EXPECT_EQ(control.lost_context_table_full, 1u);
  EXPECT_EQ(control.recorded, 0u);
}

TEST_F(Runtime, HotSitesAreThinnedOutButCountedInFull) {
  uint64_t calls = 0;
  for (; control.overwriting < 100000; ++calls) {
    append();
    site.skip = 0;  // the entry counts it down without coming here
  }
  EXPECT_LT(calls, 20000u);
  EXPECT_EQ(control.overwriting, site.seen);
}

TEST_F(Runtime, WithItsMemoryWipedByAForkItTellsNothing) {
  state->control = state->slots = 0;
  append();
  geist_on_exit(&site, &saved, state.get());
  geist_on_main_return(&site, &saved, state.get());
  EXPECT_EQ(control.overwriting, 0u);
  EXPECT_EQ(fake.waits, 0u);
}

TEST_F(Runtime, AHotSiteIsThinnedOutWhileTheSlowPathIsOverItsHalfOfTheBudget) {
  control.park_share = 65536 / 10;
  control.slow_path_ticks = kHz;  // a second, and no time has passed
  uint64_t calls = 0;
  for (; site.seen < 4000; ++calls) {
    append();
    site.skip = 0;
  }
  EXPECT_LT(calls, 64 + 16u);  // the first 64 are looked at whatever they cost
  EXPECT_EQ(site.thinned_out + calls, site.seen);
  EXPECT_EQ(control.thinned_out, site.thinned_out);
  EXPECT_EQ(control.overwriting, site.seen);
  // A minute later its half is not used up any more.
  fake.tsc += 60 * kHz;
  control.heartbeat_tsc = fake.tsc;
  for (int i = 0; i < 20; ++i) {
    append();
    site.skip = 0;
  }
  EXPECT_EQ(site.period, 8u);  // what it would be without a budget
}

TEST_F(Runtime, AColdSiteIsNotThinnedOutForOthers) {
  control.slow_path_ticks = kHz;
  for (int i = 0; i < 60; ++i) append();
  EXPECT_EQ(control.overwriting, 60u);
  EXPECT_EQ(control.thinned_out, 0u);
}

TEST_F(Runtime, TheSlowPathIsTimedWithoutItsWaits) {
  control.park_grace_ticks = kHz;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) {
    fake.tsc += 30000;
    take(0);
  };
  append();
  EXPECT_EQ(control.parked_ticks, 30000u);
  EXPECT_LT(control.slow_path_ticks, 1000u);
  EXPECT_GT(control.slow_path_ticks, 0u);
}

TEST_F(Runtime, WhatSlowPathAndWatchesTookIsNotThereToBeWaitedIn) {
  control.park_grace_ticks = 50000;
  control.watch_ticks = 25000;
  control.slow_path_ticks = 25000;
  append();
  EXPECT_EQ(fake.waits, 0u);
  control.watch_ticks = 0;
  fake.on_wait = [this](volatile uint32_t*, uint64_t) { take(1); };
  append(1);
  EXPECT_EQ(fake.waits, 1u);
}

TEST_F(Runtime, WithoutAGoroutineThereIsAnEventWithoutAStack) {
  saved.regs[14] = 0;
  append();
  EXPECT_EQ(control.recorded, 1u);
  EXPECT_EQ(slots[0].event.stack_size, 0u);
  EXPECT_EQ(slots[0].event.goid, 0u);
}

TEST_F(Runtime, AnAppendOfManyBytesKeepsTheFirst) {
  std::array<uint64_t, 64> large{};
  large.fill(1);
  saved.regs[0] = reinterpret_cast<uint64_t>(large.data());
  saved.regs[3] = saved.regs[1] = 64;
  site.values[abi::kNum].addend = 64;
  append();
  EXPECT_EQ(slots[0].event.append.dest_size, 512u);
  EXPECT_EQ(slots[0].event.old_size, abi::kMaxOldBytes);
}

TEST_F(Runtime, TheExitGateWaitsUntilItIsOpened) {
  int waits = 0;
  fake.on_wait = [&](volatile uint32_t* word, uint64_t) {
    fake.tsc += 1000;
    control.heartbeat_tsc = fake.tsc;
    if (++waits == 3) *word = abi::kGateOpen;
  };
  geist_on_exit(&site, &saved, state.get());
  EXPECT_EQ(waits, 3);
  EXPECT_EQ(control.exit_gate, uint32_t{abi::kGateOpen});
}

TEST_F(Runtime, GatesAreBoundedAndNeedALivingTool) {
  fake.on_wait = [&](volatile uint32_t*, uint64_t timeout_us) {
    fake.tsc += timeout_us * 1000;
    control.heartbeat_tsc = fake.tsc;
  };
  uint64_t before = fake.tsc;
  geist_on_exit(&site, &saved, state.get());
  EXPECT_LE(fake.tsc - before, control.gate_timeout_us * 1000 + 20000000);
  EXPECT_EQ(control.exit_gate, uint32_t{abi::kGateIdle});  // nobody stands there any more
  fake.on_wait = [&](volatile uint32_t*, uint64_t) { fake.tsc += control.heartbeat_limit + 1; };
  fake.waits = 0;
  geist_on_main_return(&site, &saved, state.get());
  EXPECT_EQ(fake.waits, 1u);
  EXPECT_EQ(control.armed, 0u);
  EXPECT_EQ(control.main_gate_sp, saved.regs[4]);
  EXPECT_EQ(control.main_gate, uint32_t{abi::kGateIdle});
  fake.waits = 0;
  geist_on_exit(&site, &saved, state.get());  // disarmed
  EXPECT_EQ(fake.waits, 0u);
}

// R14 is g0, whose m runs a goroutine on whose stack a word is watched.
class StackMove : public Runtime {
 protected:
  StackMove() {
    control.m_curg = 0;
    control.park_grace_ticks = kHz;
    m[0] = kGoroutine;
    control.stack_gates[2].g = kGoroutine;
  }
  void move() { geist_on_stack_moved(&site, &saved, state.get()); }
  uint32_t gate() const { return control.stack_gates[2].gate; }
  static constexpr uint64_t kGoroutine = 0xc000001000;
};

TEST_F(StackMove, AWatchedStackWaitsUntilTheWatchHasMoved) {
  fake.on_wait = [this](volatile uint32_t* word, uint64_t) {
    EXPECT_EQ(word, &control.stack_gates[2].gate);
    EXPECT_EQ(*word, uint32_t{abi::kGateWaiting});
    fake.tsc += 3000;
    *word = abi::kGateOpen;
  };
  move();
  EXPECT_EQ(fake.waits, 1u);
  EXPECT_EQ(control.published, 1u);
  EXPECT_EQ(control.parked_ticks, 3000u);
  EXPECT_EQ(gate(), uint32_t{abi::kGateOpen});
}

TEST_F(StackMove, OtherStacksDoNotWait) {
  m[0] = kGoroutine + 0x1000;
  move();
  m[0] = 0;
  move();
  m[0] = kGoroutine;
  control.armed = 0;
  move();
  EXPECT_EQ(fake.waits, 0u);
  EXPECT_EQ(control.published, 0u);
}

TEST_F(StackMove, WhoseToolIsLateGoesOnAndSaysSo) {
  fake.on_wait = [](volatile uint32_t*, uint64_t timeout_us) { fake.tsc += timeout_us * 1000; };
  move();
  EXPECT_EQ(gate(), uint32_t{abi::kGateIdle});
  EXPECT_LE(control.parked_ticks, uint64_t{control.park_timeout_us} * 1000);
}

TEST_F(StackMove, WithoutBudgetOrToolNobodyWaits) {
  control.park_grace_ticks = 0;
  move();
  control.park_grace_ticks = kHz;
  fake.tsc += control.heartbeat_limit + 1;
  move();
  EXPECT_EQ(fake.waits, 0u);
  EXPECT_EQ(control.armed, 0u);
}

TEST_F(Runtime, ThePeerMayWriteAnythingIntoTheRing) {
  control.head = ~uint64_t{0};
  for (uint64_t i = 0; i < abi::kSlots; ++i) slots[i].sequence = i * 0x123456789abcdef;
  control.tsc_hz = 0;
  control.park_grace_ticks = ~uint64_t{0};
  fake.on_wait = [](volatile uint32_t*, uint64_t) { fake.tsc += 1000; };
  for (uint64_t caller = 1; caller < 300; ++caller) append(caller);
  EXPECT_EQ(control.recorded + control.lost_ring_full, 299u);
}

}  // namespace
}  // namespace geist::runtime
