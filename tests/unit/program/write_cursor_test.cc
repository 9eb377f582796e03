// What becomes of an append's result, on functions of a few instructions; its pointer is in R9.
#include "program/write_cursor.h"

#include <gtest/gtest.h>

#include <memory>

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::MemRef;

constexpr u64 kCallee = 0x402000, kBarrier = 0x403000, kGrow = 0x404000;

Callee callee(ImageAddr target) {
  return target.value == kBarrier ? Callee::kKeepsRegisters : Callee::kGo;
}

// The callee keeps what it is handed in RAX, reads through RDI, and gives back RCX; growing keeps
// nothing.
CursorUse use(ImageAddr target, x86::RegMask held) {
  if (target.value == kGrow) return {};
  if (target.value != kCallee) return {held != 0, held != 0, 0};
  CursorUse found;
  found.is_kept = (held & x86::bit(x86::kRax)) != 0;
  found.is_read = (held & x86::bit(x86::kRdi)) != 0;
  if ((held & x86::bit(x86::kRcx)) != 0) found.returned = x86::bit(x86::kRax);
  return found;
}

CursorUse follow(Assembler& a, const AppendLoop* loop = nullptr) {
  const FunctionCode code = decode(a);
  return follow_cursor(code, 0, x86::bit(x86::kR9), std::nullopt, callee, use, loop);
}

bool is_cursor(Assembler& a, x86::RegMask read_by_caller = 0) {
  const CursorUse found = follow(a);
  return !found.is_kept && !found.is_read && (found.returned & read_by_caller) == 0;
}

MemRef element(i64 disp = 0) {
  return {.base = x86::kR9, .index = x86::kRdx, .scale = 8, .disp = disp};
}

TEST(WriteCursor, StoringAnElementIsAllItIsFor) {
  Assembler a(kEntry.value);
  a.mov(element(), x86::kRbx);
  EXPECT_TRUE(is_cursor(a));
}

TEST(WriteCursor, AnElementIsReadThroughIt) {
  Assembler a(kEntry.value);
  a.mov(element(), x86::kRbx);
  a.mov(x86::kRcx, element());
  EXPECT_FALSE(is_cursor(a));
}

TEST(WriteCursor, AnElementIsReadThroughACopyInTheFrame) {
  Assembler a(kEntry.value);
  a.mov(slot(0x20), x86::kR9);
  a.call_to(kCallee);
  a.mov(x86::kRdi, slot(0x20));
  a.mov(x86::kRcx, MemRef{.base = x86::kRdi});
  EXPECT_FALSE(is_cursor(a));
}

TEST(WriteCursor, AWordOfTheFrameThatIsWrittenAnewIsNoCopy) {
  Assembler a(kEntry.value);
  a.mov(slot(0x20), x86::kR9);
  a.call_to(kCallee);
  a.mov(slot(0x20), x86::kRbx);
  a.mov(x86::kRdi, slot(0x20));
  a.mov(x86::kRcx, MemRef{.base = x86::kRdi});
  EXPECT_TRUE(is_cursor(a));
}

TEST(WriteCursor, ItIsKeptInOtherMemory) {
  Assembler a(kEntry.value);
  a.mov(MemRef{.base = x86::kRsi, .disp = 8}, x86::kR9);
  EXPECT_FALSE(is_cursor(a));
}

TEST(WriteCursor, ACalleeTakesIt) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kR9);
  a.call_to(kCallee);
  EXPECT_FALSE(is_cursor(a));
}

TEST(WriteCursor, ARegisterThatTheCalleeDoesNotTakeMeansNothing) {
  Assembler a(kEntry.value);
  a.mov(x86::kRbx, x86::kR9);
  a.call_to(kCallee);
  EXPECT_TRUE(is_cursor(a));
}

// CALL RCX with the pointer in `reg`.
bool is_left_by_call_through_rcx(x86::Reg reg) {
  constexpr u8 kCallRcx[] = {0xff, 0xd1};
  Assembler a(kEntry.value);
  a.mov(reg, x86::kR9);
  a.append_bytes(kCallRcx);
  return is_cursor(a);
}

TEST(WriteCursor, ACalleeInARegisterTakesWhatMayBeItsArgument) {
  EXPECT_FALSE(is_left_by_call_through_rcx(x86::kRax));
}

TEST(WriteCursor, BehindTheAddressOfTheCalleeIsNoArgument) {
  EXPECT_TRUE(is_left_by_call_through_rcx(x86::kRdi));
  EXPECT_TRUE(is_left_by_call_through_rcx(x86::kRbx)) << "its length would be in RCX";
}

TEST(WriteCursor, GrowingGivesAnotherArray) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kR9);
  a.call_to(kGrow);
  a.mov(x86::kRcx, MemRef{.base = x86::kRax});
  EXPECT_TRUE(is_cursor(a));
}

TEST(WriteCursor, TheCallerReadsIt) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kR9);
  EXPECT_FALSE(is_cursor(a, x86::bit(x86::kRax)));
}

TEST(WriteCursor, TheCallerReadsAnotherRegister) {
  Assembler a(kEntry.value);
  a.mov(x86::kRcx, x86::kR9);
  EXPECT_TRUE(is_cursor(a, x86::bit(x86::kRax)));
}

TEST(WriteCursor, StoredWhereItCameFromItIsNotKept) {
  Assembler a(kEntry.value);
  a.call_to(kBarrier);
  a.mov(MemRef{.base = x86::kR11}, x86::kR9);  // the barrier's buffer
  a.mov(MemRef{.base = x86::kRdi}, x86::kR9);
  AppendLoop loop;
  EXPECT_TRUE(follow(a, &loop).is_kept);
  Assembler b(kEntry.value);
  b.call_to(kBarrier);
  b.mov(MemRef{.base = x86::kR11}, x86::kR9);
  b.mov(MemRef{.base = x86::kRdi}, x86::kR9);
  loop.homes.insert(2);
  EXPECT_FALSE(follow(b, &loop).is_kept);
}

TEST(WriteCursor, TheWriteBarrierReadsForTheCollector) {
  Assembler a(kEntry.value);
  a.mov(x86::kRcx, element());
  a.call_to(kBarrier);
  a.mov(MemRef{.base = x86::kR11}, x86::kRcx);
  a.mov(element(), x86::kRbx);
  EXPECT_TRUE(is_cursor(a));
}

TEST(WriteCursor, AWordOfAVariableWhoseAddressIsTakenIsMemory) {
  Assembler a(kEntry.value);
  a.mov(slot(0x30), x86::kR9);
  a.lea(x86::kRbx, slot(0x28));
  a.call_to(kCallee);
  EXPECT_FALSE(is_cursor(a));
}

TEST(WriteCursor, AskingForStackTakesNoAddress) {
  Assembler a(kEntry.value);
  a.lea(x86::kR12, slot(-0x10));
  a.mov(slot(8), x86::kR9);
  EXPECT_TRUE(is_cursor(a));
}

TEST(WriteCursor, TheCalleeGivesItBack) {
  Assembler a(kEntry.value);
  a.mov(x86::kRcx, x86::kR9);
  a.call_to(kCallee);
  a.mov(x86::kRdx, MemRef{.base = x86::kRax});
  EXPECT_FALSE(is_cursor(a)) << "what came back is read through";
}

TEST(WriteCursor, TheCalleeGivesBackSomethingElse) {
  Assembler a(kEntry.value);
  a.call_to(kCallee);
  a.mov(x86::kRdx, MemRef{.base = x86::kRax});
  EXPECT_TRUE(is_cursor(a));
}

TEST(PassedOnArgument, TheSliceThatComesBack) {
  EXPECT_EQ(passed_on_argument(use, ImageAddr(kCallee)), x86::kRcx);
  EXPECT_EQ(passed_on_argument(use, ImageAddr(kGrow)), std::nullopt);
  EXPECT_EQ(passed_on_argument(use, ImageAddr(0)), std::nullopt) << "through a register";
}

TEST(WriteCursor, TheCalleeReadsThroughIt) {
  Assembler a(kEntry.value);
  a.mov(x86::kRdi, x86::kR9);
  a.call_to(kCallee);
  EXPECT_TRUE(follow(a).is_read);
  EXPECT_FALSE(follow(a).is_kept);
}

// loop: read; append; JNE loop; the place after it
struct Filter {
  explicit Filter(bool reads_in_loop) {
    Assembler a(kEntry.value);
    const x86::Label again = a.new_label();
    a.bind(again);
    if (reads_in_loop) a.mov(x86::kRcx, element());
    a.mov(element(), x86::kRbx);
    a.test(x86::kRdx, x86::kRdx);
    a.jcc(x86::Cond::kNe, again);
    if (!reads_in_loop) a.mov(x86::kRcx, element());
    loop.append = reads_in_loop ? 1 : 0;
    code = std::make_unique<FunctionCode>(decode(a));
  }
  CursorUse use_from(u32 start) const {
    return follow_cursor(*code, start, x86::bit(x86::kR9), std::nullopt, callee, use, &loop);
  }
  AppendLoop loop;
  std::unique_ptr<FunctionCode> code;
};

TEST(WriteCursor, AFilterLooksBackAtWhatItHasKept) {
  const CursorUse found = Filter(true).use_from(1);
  EXPECT_FALSE(found.is_kept);
  EXPECT_TRUE(found.is_read);
}

TEST(WriteCursor, AfterTheLoopAReadIsAnothersUse) {
  EXPECT_TRUE(Filter(false).use_from(0).is_kept);
}

// Each round begins with an empty slice: what is read after one is not looked back at in the next.
TEST(WriteCursor, AnotherRoundIsNotTheSameLoop) {
  Filter filter(true);
  filter.loop.restarts.insert(filter.code->block_of(0));
  EXPECT_TRUE(filter.use_from(1).is_kept);
}

}  // namespace
}  // namespace geist::program
