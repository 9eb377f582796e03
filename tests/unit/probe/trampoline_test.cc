// Trampolines are run (machine.h): made for a small piece of code, and left by one of three ways.
//
//   code      [displaced instructions] Jcc grow        (never runs: the trampoline stands for it)
//   exits     grow, in-place, runtime entry: each a stub that saves everything and returns to
//             the test
#include "probe/trampoline.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstring>

#include "machine.h"

namespace geist::probe {
namespace {

using program::ValueLocation;
using sites::AppendSite;
using x86::Cond;
using LocationKind = ValueLocation::Kind;

constexpr unsigned long kGrow = 1, kInplace = 2, kEvent = 3;
constexpr u64 kCarry = 1, kZero = 64;
constexpr i64 kEntryFrame = 144;  // entry_x86_64.S FRAME_BYTES

ValueLocation in_register(x86::Reg reg, i64 addend = 0) {
  ValueLocation l;
  l.kind = LocationKind::kRegister;
  l.reg = reg;
  l.addend = addend;
  return l;
}
ValueLocation constant(i64 value) {
  ValueLocation l;
  l.addend = value;
  return l;
}

// RAX old_ptr, RBX newLen, RCX cap as at most appends; one element of 8 bytes.
class Trampolines : public testing::Test {
 protected:
  static constexpr u64 kCodeAt = 0x100, kGrowAt = 0x400, kInplaceAt = 0x500, kEventAt = 0x600,
                       kTrampolineAt = 0x1000, kRecordAt = 0x2000;

  explicit Trampolines(int more_flags = 0) {
    void* at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    memory = static_cast<u8*>(at);
    base = reinterpret_cast<u64>(at);
    put_exit(kGrowAt, kGrow);
    put_exit(kInplaceAt, kInplace);
    put_exit(kEventAt, kEvent);
    for (u64 r = 0; r < 16; ++r) start.regs[r] = 0x1111111111111111 * r;
    set(x86::kRax, reinterpret_cast<u64>(elements.data()));
    set(x86::kRbx, 3);  // newLen: the third element is written
    set(x86::kRcx, 4);
  }
  ~Trampolines() override { ::munmap(memory, kBytes); }

  void put_exit(u64 offset, unsigned long number) {
    put_test_exit(memory + offset, static_cast<u8>(number));
  }
  void set(x86::Reg reg, u64 value) { start.regs[reg] = value; }

  // CMP a, b; Jcc grow; and what follows. The site's branch is the Jcc.
  template <typename Behind>
  AppendSite make_site(x86::Reg a, x86::Reg b, Cond cond, Behind behind) {
    x86::Assembler as(base + kCodeAt);
    as.cmp(a, b);
    AppendSite site;
    site.branch = ImageAddr(as.here());
    as.jcc_to(cond, base + kGrowAt);
    site.inplace_entry = ImageAddr(as.here());
    behind(as);
    as.finish();
    EXPECT_TRUE(as.ok());
    std::memcpy(memory + kCodeAt, as.bytes().data(), as.bytes().size());
    code_bytes = as.bytes().size();
    site.grow_cond = cond;
    site.grow_entry = ImageAddr(base + kGrowAt);
    site.old_ptr = in_register(x86::kRax);
    site.new_len = in_register(x86::kRbx);
    site.cap = in_register(x86::kRcx);
    site.num = constant(1);
    site.elem_size = 8;
    site.live_inplace = x86::kAllGprs;
    return site;
  }
  AppendSite usual_site() {
    return make_site(x86::kRcx, x86::kRbx, Cond::kB, [](x86::Assembler&) {});
  }

  // Appends RDI bytes that end at `end` of an array at `array`.
  AppendSite site_of_bytes(void* array, u64 length, u64 end, u64 cap) {
    AppendSite site = usual_site();
    site.elem_size = 1;
    site.num = in_register(x86::kRdi);
    set(x86::kRax, reinterpret_cast<u64>(array));
    set(x86::kRdi, length);
    set(x86::kRbx, end);
    set(x86::kRcx, cap);
    return site;
  }

  // The displaced range is [first byte, end); the in-place path is the stub unless it lies in the
  // range.
  DisplacedCode code_of(u64 end) {
    DisplacedCode code;
    code.range = {ImageAddr(base + kCodeAt), ImageAddr(base + kCodeAt + end)};
    code.bytes = {memory + kCodeAt, end};
    for (u64 at = 0; at < end;) {
      code.insns.push_back(*x86::decode(code.bytes.subspan(at), code.range.begin + at));
      at += code.insns.back().length;
    }
    return code;
  }

  MachineState run(AppendSite site) {
    DisplacedCode code = code_of(code_bytes);
    // Behind the displaced bytes the in-place path goes on: there stands its stub.
    u64 behind = kCodeAt + code_bytes;
    put_exit(behind, kInplace);
    std::optional<Trampoline> made =
        emit_append_trampoline(site, code,
                               {LoadBias{0}, base + kTrampolineAt, base + kRecordAt,
                                base + kEventAt, abi::kWatch, false, counter});
    EXPECT_TRUE(made.has_value());
    MachineState state = start;
    if (!made) return state;
    std::memcpy(memory + kTrampolineAt, made->bytes.data(), made->bytes.size());
    trampoline = *made;
    geist_test_enter(&state, base + kTrampolineAt, stack + sizeof stack / 2);
    return state;
  }

  void expect_same_registers(const MachineState& end) {
    for (int r = 0; r < 16; ++r) {
      if (r == x86::kRsp) continue;
      EXPECT_EQ(end.regs[r], start.regs[r]) << "register " << r;
    }
    EXPECT_EQ(end.regs[x86::kRsp], 0u);
  }

  static constexpr usize kBytes = 0x6000;
  CounterPlace counter;
  u8* memory = nullptr;
  u64 base = 0;
  u64 code_bytes = 0;
  MachineState start{};
  Trampoline trampoline;
  std::array<u64, 8> elements{};
  alignas(16) u8 stack[8192] = {};
};

TEST_F(Trampolines, WithoutRoomItGoesToTheGrowPath) {
  set(x86::kRcx, 2);
  MachineState end = run(usual_site());
  EXPECT_EQ(end.exit, kGrow);
  expect_same_registers(end);
}

TEST_F(Trampolines, AZeroDestinationGoesOnInPlace) {
  elements = {1, 2, 0, 4};
  MachineState end = run(usual_site());
  EXPECT_EQ(end.exit, kInplace);
  expect_same_registers(end);
}

TEST_F(Trampolines, AnyByteOfTheDestinationEntersTheRuntime) {
  for (u64 bit = 0; bit < 64; bit += 7) {
    elements = {0, 0, u64{1} << bit, 0};
    MachineState end = run(usual_site());
    ASSERT_EQ(end.exit, kEvent) << bit;
    // RAX is saved at SP and holds the record; the runtime's frame lies below the program's stack.
    EXPECT_EQ(end.regs[x86::kRax], base + kRecordAt);
    EXPECT_EQ(end.regs[x86::kRsp], static_cast<u64>(-kEntryFrame));
    u64 saved_rax = 0;
    std::memcpy(&saved_rax, stack + sizeof stack / 2 - kEntryFrame, 8);
    EXPECT_EQ(saved_rax, start.regs[x86::kRax]);
    for (int r : {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
      EXPECT_EQ(end.regs[r], start.regs[r]) << r;
  }
}

TEST_F(Trampolines, TheRuntimeGoesOnInPlace) {
  elements = {0, 0, 1, 0};
  run(usual_site());
  MachineState state = start;
  geist_test_enter(&state, trampoline.resume, stack + sizeof stack / 2);
  EXPECT_EQ(state.exit, kInplace);
  expect_same_registers(state);
}

TEST_F(Trampolines, NeighboursDoNotCount) {
  elements = {~u64{0}, ~u64{0}, 0, ~u64{0}};
  EXPECT_EQ(run(usual_site()).exit, kInplace);
}

TEST_F(Trampolines, LiveFlagsAreThoseOfTheComparison) {
  for (bool equal : {false, true}) {
    AppendSite site = usual_site();
    site.live_inplace |= x86::kFlagsBit;
    set(x86::kRcx, equal ? 3 : 4);
    MachineState end = run(site);
    EXPECT_EQ(end.exit, kInplace);
    EXPECT_EQ(end.flags & (kCarry | kZero), equal ? kZero : 0);
    expect_same_registers(end);
  }
}

TEST_F(Trampolines, DeadRegistersServeAsTemporariesOnly) {
  AppendSite site = usual_site();
  site.elem_size = 24;  // needs a multiplication, so temporaries
  site.live_inplace = x86::kAllGprs & ~(x86::bit(x86::kR13) | x86::bit(x86::kR12));
  set(x86::kRbx, 1);
  elements = {0, 0, 0, 9};
  MachineState end = run(site);
  EXPECT_EQ(end.exit, kInplace);
  for (int r = 0; r < 12; ++r) {
    if (r == x86::kRsp) continue;
    EXPECT_EQ(end.regs[r], start.regs[r]) << r;
  }
  elements = {0, 0, 9, 0};
  EXPECT_EQ(run(site).exit, kEvent);
}

TEST_F(Trampolines, LargeElementsAreComparedToTheLastByte) {
  AppendSite site = usual_site();
  site.elem_size = 51;  // words, then single bytes
  set(x86::kRbx, 1);
  auto* bytes = reinterpret_cast<u8*>(elements.data());
  EXPECT_EQ(run(site).exit, kInplace);
  for (usize at : {usize{0}, usize{7}, usize{48}, usize{50}}) {
    elements = {};
    bytes[at] = 1;
    EXPECT_EQ(run(site).exit, kEvent) << at;
  }
  elements = {};
  bytes[51] = 1;
  EXPECT_EQ(run(site).exit, kInplace);
}

TEST_F(Trampolines, AppendingNothingLooksAtNothing) {
  AppendSite site = usual_site();
  site.num = in_register(x86::kRdi);
  site.old_ptr = in_register(x86::kRsi);
  set(x86::kRsi, 0);  // a nil slice
  set(x86::kRdi, 0);
  set(x86::kRbx, 0);
  MachineState end = run(site);
  EXPECT_EQ(end.exit, kInplace);
  expect_same_registers(end);
}

TEST_F(Trampolines, ANumberFromARegisterIsAllCompared) {
  AppendSite site = usual_site();
  site.num = in_register(x86::kRdi);
  set(x86::kRdi, 3);
  set(x86::kRbx, 4);  // elements 1, 2, 3
  elements = {5, 0, 0, 0, 5};
  EXPECT_EQ(run(site).exit, kInplace);
  elements = {0, 1, 0, 0};
  EXPECT_EQ(run(site).exit, kEvent);
  elements = {0, 0, 0, 1};
  EXPECT_EQ(run(site).exit, kEvent);
}

// Words that may overlap, halves of a word and single bytes: no length may leave a byte out or look
// beyond its end. With free registers and without, as the two leave on different ways.
TEST_F(Trampolines, EveryLengthIsComparedToItsLastByte) {
  constexpr u64 kFront = 3, kLongest = 27;
  for (x86::RegMask dead : {x86::RegMask{0}, x86::bit(x86::kR12) | x86::bit(x86::kR13)}) {
    for (u64 length = 0; length <= kLongest; ++length) {
      AppendSite site = site_of_bytes(elements.data(), length, kFront + length, sizeof elements);
      site.live_inplace = x86::kAllGprs & ~dead;
      auto* bytes = reinterpret_cast<u8*>(elements.data());
      for (u64 at = 0; at < kFront + length + 9; ++at) {
        elements = {};
        bytes[at] = 0x80;
        const bool is_inside = at >= kFront && at < kFront + length;
        const MachineState end = run(site);
        ASSERT_EQ(end.exit, is_inside ? kEvent : kInplace) << length << " bytes, changed: " << at;
        for (int r : {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 14, 15})
          ASSERT_EQ(end.regs[r], start.regs[r]) << r;
      }
    }
  }
}

long minor_faults() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  return used.ru_minflt;
}

// How many faults it takes to write one byte at each page of [first, end). Without the address
// sanitizer, whose shadow memory faults, too.
__attribute__((noinline, no_sanitize("address"))) long count_write_faults(volatile u8* first,
                                                                          volatile u8* end,
                                                                          usize page) {
  (void)minor_faults();
  const long before = minor_faults();
  for (volatile u8* at = first; at < end; at += page) *at = 1;
  return minor_faults() - before;
}

// The pages that begin in a destination have been written when the append goes on, so its own
// writes fault no more; the bytes are as they were, and no page outside was written.
TEST_F(Trampolines, PagesThatBeginInTheDestinationAreReady) {
  constexpr usize kPage = 4096, kPages = 5;
  for (usize length : {kPage - 8, kPage, 2 * kPage, 3 * kPage - 9}) {
    void* mapped =
        ::mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(mapped, MAP_FAILED);
    auto* pages = static_cast<u8*>(mapped);
    const usize front = length == 3 * kPage - 9 ? kPage + 9 : kPage;
    const usize end = front + length;
    // What lies before the destination and behind its last page may not even be read.
    ASSERT_EQ(::mprotect(pages, kPage, PROT_NONE), 0);
    const usize behind = (end + kPage - 1) / kPage * kPage;
    ASSERT_EQ(::mprotect(pages + behind, kPages * kPage - behind, PROT_NONE), 0);
    const MachineState state = run(site_of_bytes(pages, length, end, kPages * kPage));
    EXPECT_EQ(state.exit, kInplace);
    expect_same_registers(state);
    const usize first = (front + kPage - 1) / kPage * kPage;
    EXPECT_EQ(count_write_faults(pages + first, pages + end, kPage), 0) << length;
    ::munmap(mapped, kPages * kPage);
  }
}

// A page that begins where the destination ends is somebody else's.
TEST_F(Trampolines, APageThatBeginsBehindTheDestinationIsLeftAlone) {
  constexpr usize kPage = 4096;
  void* mapped =
      ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  auto* pages = static_cast<u8*>(mapped);
  ASSERT_EQ(::mprotect(pages + kPage, kPage, PROT_READ), 0);
  for (usize length : {1u, 4u, 8u, 100u}) {
    EXPECT_EQ(run(site_of_bytes(pages, length, kPage, 2 * kPage)).exit, kInplace) << length;
  }
  ::munmap(mapped, 2 * kPage);
}

TEST_F(Trampolines, AnElementSizeOfZeroComparesNothing) {
  const u64 type[] = {0};  // abi.Type.Size_
  AppendSite site = usual_site();
  site.elem_size = 0;
  site.elem_type = in_register(x86::kR9);
  set(x86::kR9, reinterpret_cast<u64>(type));
  elements = {~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}};
  EXPECT_EQ(run(site).exit, kInplace);
}

TEST_F(Trampolines, ACheckThatNeedsNoRegisterTouchesNoStack) {
  std::memset(stack, 0x5a, sizeof stack);
  EXPECT_EQ(run(usual_site()).exit, kInplace);  // all registers are live
  // The way out of this test pushes a number, the flags and RAX.
  constexpr usize kPushedAtExit = 24;
  for (usize below = kPushedAtExit + 1; below <= 64; ++below)
    EXPECT_EQ(stack[sizeof stack / 2 - below], 0x5a) << below;
  EXPECT_EQ(trampoline.resume, base + kCodeAt + code_bytes);  // straight on, by its own branch
}

TEST_F(Trampolines, AnElementSizeFromADictionaryIsReadAtRunTime) {
  const u64 type[] = {16};  // abi.Type.Size_
  AppendSite site = usual_site();
  site.elem_size = 0;
  site.elem_type = in_register(x86::kR9);
  set(x86::kR9, reinterpret_cast<u64>(type));
  set(x86::kRbx, 2);
  elements = {1, 1, 0, 0, 1};
  EXPECT_EQ(run(site).exit, kInplace);
  elements = {0, 0, 0, 1};
  EXPECT_EQ(run(site).exit, kEvent);
}

TEST_F(Trampolines, OperandsOnTheStackAreFoundAlsoWhileFlagsAreSavedThere) {
  AppendSite site = usual_site();
  site.live_inplace |= x86::kFlagsBit;
  site.old_ptr = ValueLocation{};
  site.old_ptr.kind = LocationKind::kStackSlot;
  site.old_ptr.disp = 0x18;
  u64 pointer = start.regs[x86::kRax];
  std::memcpy(stack + sizeof stack / 2 + 0x18, &pointer, 8);
  set(x86::kRax, 0xdead);
  elements = {7, 7, 0, 7};
  EXPECT_EQ(run(site).exit, kInplace);
  elements = {0, 0, 7, 0};
  EXPECT_EQ(run(site).exit, kEvent);
}

TEST_F(Trampolines, InstructionsBehindTheBranchRunOnTheirWayOnly) {
  // CMP; JB grow; LEA RDX,[RDX+1] belongs to the in-place path and is displaced too.
  AppendSite site = make_site(x86::kRcx, x86::kRbx, Cond::kB, [](x86::Assembler& as) {
    as.lea(x86::kRdx, {.base = x86::kRdx, .disp = 1});
  });
  MachineState inplace = run(site);
  EXPECT_EQ(inplace.exit, kInplace);
  EXPECT_EQ(inplace.regs[x86::kRdx], start.regs[x86::kRdx] + 1);
  set(x86::kRcx, 2);
  MachineState grow = run(site);
  EXPECT_EQ(grow.exit, kGrow);
  EXPECT_EQ(grow.regs[x86::kRdx], start.regs[x86::kRdx]);
}

TEST_F(Trampolines, ASiteThatSaysAnotherBranchIsRefused) {
  AppendSite site = usual_site();
  DisplacedCode code = code_of(code_bytes);
  const TrampolinePlace place{LoadBias{0}, base + kTrampolineAt, base + kRecordAt, base + kEventAt};
  ASSERT_TRUE(emit_append_trampoline(site, code, place).has_value());
  AppendSite other = site;
  other.grow_cond = Cond::kA;
  EXPECT_FALSE(emit_append_trampoline(other, code, place).has_value());
  other = site;
  other.branch += 1;
  EXPECT_FALSE(emit_append_trampoline(other, code, place).has_value());
  other = site;
  other.grow_entry += 1;
  EXPECT_FALSE(emit_append_trampoline(other, code, place).has_value());
  other = site;
  std::swap(other.grow_entry, other.inplace_entry);
  other.inplace_is_taken = true;
  EXPECT_FALSE(emit_append_trampoline(other, code, place).has_value());
}

TEST_F(Trampolines, AHookRunsTheRuntimeFirstAndThenWhatItDisplaced) {
  x86::Assembler as(base + kCodeAt);
  as.lea(x86::kRdx, {.base = x86::kRdx, .disp = 1});
  as.lea(x86::kRbx, {.base = x86::kRbx, .disp = 2});
  std::memcpy(memory + kCodeAt, as.bytes().data(), as.bytes().size());
  DisplacedCode code = code_of(as.bytes().size());
  put_exit(kCodeAt + as.bytes().size(), kInplace);
  std::optional<Trampoline> made = emit_hook_trampoline(
      code, {LoadBias{0}, base + kTrampolineAt, base + kRecordAt, base + kEventAt});
  ASSERT_TRUE(made.has_value());
  std::memcpy(memory + kTrampolineAt, made->bytes.data(), made->bytes.size());
  MachineState state = start;
  geist_test_enter(&state, base + kTrampolineAt, stack + sizeof stack / 2);
  EXPECT_EQ(state.exit, kEvent);
  EXPECT_EQ(state.regs[x86::kRdx], start.regs[x86::kRdx]);
  state = start;
  geist_test_enter(&state, made->resume, stack + sizeof stack / 2);
  EXPECT_EQ(state.exit, kInplace);
  EXPECT_EQ(state.regs[x86::kRdx], start.regs[x86::kRdx] + 1);
  EXPECT_EQ(state.regs[x86::kRbx], start.regs[x86::kRbx] + 2);
}

// R14 is a g whose m has a number; the site's page of counters lies behind the record.
class CountingTrampolines : public Trampolines {
 protected:
  explicit CountingTrampolines(int more_flags = 0) : Trampolines(more_flags) {
    counter = {base + kPageAt, 48, 224};
    put_word(kGAt + 48, base + kMAt);
    set(x86::kR14, base + kGAt);
    set_thread(5);
  }
  static constexpr u64 kGAt = 0x2200, kMAt = 0x2400, kPageAt = 0x4000;
  // The grow path needs every register, too.
  static AppendSite counted(AppendSite site) {
    site.live_grow = x86::kAllGprs;
    return site;
  }
  void put_word(u64 offset, u64 value) { std::memcpy(memory + offset, &value, 8); }
  void set_thread(u64 number) { put_word(kMAt + 224, number); }
  abi::SiteCounter line(u64 number) const {
    abi::SiteCounter found;
    std::memcpy(&found, memory + kPageAt + number * sizeof found, sizeof found);
    return found;
  }
  u64 in_place(u64 number) const { return line(number).in_place[0] + line(number).in_place[1]; }
  // Nothing but this line of the page was written.
  void expect_only(u64 number) const {
    for (u64 i = 0; i < abi::kCounterShards; ++i) {
      if (i == number) continue;
      EXPECT_EQ(in_place(i) + line(i).grows + line(i).bytes, 0u) << "line " << i;
    }
  }
  void check_both_ways() {
    MachineState end = run(counted(usual_site()));
    EXPECT_EQ(end.exit, kInplace);
    expect_same_registers(end);
    set(x86::kRbx, 4);
    end = run(counted(usual_site()));
    EXPECT_EQ(end.exit, kInplace);
    EXPECT_EQ(in_place(5), 2u);
    set(x86::kRbx, 5);  // no room
    end = run(counted(usual_site()));
    EXPECT_EQ(end.exit, kGrow);
    expect_same_registers(end);
    EXPECT_EQ(in_place(5), 2u);
    EXPECT_EQ(line(5).grows, 1u);
    EXPECT_EQ(line(5).bytes, 4u * 8);
    expect_only(5);
  }
};
class LowCountingTrampolines : public CountingTrampolines {
 protected:
  LowCountingTrampolines() : CountingTrampolines(MAP_32BIT) {}
};

TEST_F(CountingTrampolines, CountBothWaysAndKeepRegisters) {
  check_both_ways();
}

TEST_F(LowCountingTrampolines, CountBothWaysAndKeepRegisters) {
  check_both_ways();
}

TEST_F(CountingTrampolines, ThreadsOfHighNumbersShareTheLastLine) {
  for (u64 number : {u64{63}, u64{64}, u64{1} << 40, ~u64{0}}) {
    set_thread(number);
    set(x86::kRbx, 3);
    EXPECT_EQ(run(counted(usual_site())).exit, kInplace);
    set(x86::kRbx, 5);
    MachineState end = run(counted(usual_site()));
    EXPECT_EQ(end.exit, kGrow);
    expect_same_registers(end);
  }
  EXPECT_EQ(in_place(63), 4u);
  EXPECT_EQ(line(63).grows, 4u);
  EXPECT_EQ(line(63).bytes, 4u * 4 * 8);
  expect_only(63);
}

TEST_F(CountingTrampolines, BytesAreThoseOfTheOldElements) {
  std::array<u8, 64> array{};
  for (u64 room : {u64{10}, u64{64}}) {  // 20 bytes that end at 30
    MachineState end = run(counted(site_of_bytes(array.data(), 20, 30, room)));
    EXPECT_EQ(end.exit, room == 64 ? kInplace : kGrow);
    expect_same_registers(end);
  }
  EXPECT_EQ(in_place(5), 1u);
  EXPECT_EQ(line(5).bytes, 10u);
}

TEST_F(CountingTrampolines, FlagsAreKeptWhereTheyAreRead) {
  AppendSite site = usual_site();
  site.live_inplace |= x86::kFlagsBit;
  site.live_grow = x86::kAllGprs | x86::kFlagsBit;
  for (u64 length : {u64{3}, u64{4}, u64{5}}) {
    set(x86::kRbx, length);
    counter.page = 0;
    MachineState without = run(site);
    counter.page = base + kPageAt;
    MachineState end = run(site);
    EXPECT_EQ(end.exit, without.exit);
    EXPECT_EQ(end.flags & (kCarry | kZero), without.flags & (kCarry | kZero)) << length;
    expect_same_registers(end);
  }
}

TEST_F(CountingTrampolines, AnOverwritingAppendIsCountedOnce) {
  elements[2] = 7;
  EXPECT_EQ(run(counted(usual_site())).exit, kEvent);
  EXPECT_EQ(in_place(5), 1u);
}

}  // namespace
}  // namespace geist::probe
