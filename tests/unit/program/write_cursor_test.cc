// What becomes of an append's result, on functions of a few instructions; its pointer is in R9.
#include "program/write_cursor.h"

#include <gtest/gtest.h>

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::MemRef;

constexpr u64 kCallee = 0x402000, kBarrier = 0x403000, kGrow = 0x404000;

Callee callee(ImageAddr target) {
  return target.value == kBarrier ? Callee::kKeepsRegisters : Callee::kGo;
}

// The callee takes RAX; growing keeps nothing.
x86::RegMask taken(ImageAddr target) {
  if (target.value == kGrow) return 0;
  return target.value == kCallee ? x86::bit(x86::kRax) : ~x86::RegMask{0};
}

bool is_cursor(Assembler& a, x86::RegMask read_by_caller = 0) {
  const FunctionCode code = decode(a);
  return is_write_cursor(code, {kEntry, {x86::kR9, 0}}, callee, taken, read_by_caller);
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

TEST(ReadAfter, WhatIsReadBeforeItIsWritten) {
  Assembler a(kEntry.value);
  a.mov(x86::kRcx, x86::kRax);
  a.mov_imm(x86::kRbx, 1);
  a.mov(x86::kRdx, x86::kRbx);
  const FunctionCode code = decode(a);
  const x86::RegMask results = x86::bit(x86::kRax) | x86::bit(x86::kRbx) | x86::bit(x86::kRdi);
  x86::RegMask passed_on = 0;
  EXPECT_EQ(read_after(code, kEntry, results, taken, &passed_on), x86::bit(x86::kRax));
  EXPECT_EQ(passed_on, x86::bit(x86::kRdi)) << "what is left at the return";
}

TEST(ReadAfter, WhatTheNextCalleeTakes) {
  Assembler a(kEntry.value);
  a.call_to(kCallee);
  const FunctionCode code = decode(a);
  const x86::RegMask results = x86::bit(x86::kRax) | x86::bit(x86::kRbx);
  x86::RegMask passed_on = 0;
  EXPECT_EQ(read_after(code, kEntry, results, taken, &passed_on), x86::bit(x86::kRax));
  EXPECT_EQ(passed_on, 0u);
}

}  // namespace
}  // namespace geist::program
