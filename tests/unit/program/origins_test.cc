// Where a register comes from, on functions of a few instructions.
#include "program/origins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using Kind = Origin::Kind;

constexpr ImageAddr kHelper(0x500000);  // keeps registers, as the write barrier's functions do
constexpr ImageAddr kPanic(0x500100);   // never returns

Callees callees() {
  return [](ImageAddr target) {
    if (target == kPanic) return Callee::kNeverReturns;
    return target == kHelper ? Callee::kKeepsRegisters : Callee::kGo;
  };
}

std::vector<Origin> origins(const FunctionCode& code, ImageAddr at, x86::Reg reg,
                            const SliceEnds& ends = {}) {
  return find_origins(code, *code.find_insn(at), {reg, 0}, callees(), ends);
}

bool has(const std::vector<Origin>& found, Kind kind) {
  return std::any_of(found.begin(), found.end(), [&](const Origin& o) { return o.kind == kind; });
}

TEST(Origins, AMovedArgument) {
  Assembler a(kEntry.value);
  a.mov(x86::kRdx, x86::kRbx);
  ImageAddr use(a.here());
  FunctionCode code = decode(a);
  const std::vector<Origin> found = origins(code, use, x86::kRdx);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kArgument);
  EXPECT_EQ(found[0].at.reg, x86::kRbx);
  EXPECT_FALSE(found[0].is_shifted);
}

// go1.21 puts the next block right behind the call of a panic.
TEST(Origins, APanicIsNoWay) {
  Assembler a(kEntry.value);
  x86::Label use = a.new_label();
  a.mov(x86::kRdx, x86::kRbx);
  a.test(x86::kRcx, x86::kRcx);
  a.jcc(x86::Cond::kE, use);
  a.call_to(kPanic.value);
  a.bind(use);
  const ImageAddr at(a.here());
  FunctionCode code = decode(a);
  const std::vector<Origin> found = origins(code, at, x86::kRdx);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kArgument);
}

TEST(Origins, ASpilledLoadAcrossACall) {
  Assembler a(kEntry.value);
  ImageAddr load(a.here());
  a.mov(x86::kRcx, x86::MemRef{.base = x86::kRax, .disp = 8});
  a.mov(slot(0x20), x86::kRcx);
  a.call_to(0x600000);
  a.mov(x86::kRdx, slot(0x20));
  ImageAddr use(a.here());
  FunctionCode code = decode(a);
  const std::vector<Origin> found = origins(code, use, x86::kRdx);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kLoad);
  EXPECT_EQ(code.briefs()[found[0].insn].addr, load);
  EXPECT_EQ(found[0].mem.disp, 8);
  EXPECT_NE(found[0].written & x86::bit(x86::kRax), 0u) << "the call keeps no register";
}

TEST(Origins, ResultsOfCallsAndOfHelpersThatKeepRegisters) {
  Assembler a(kEntry.value);
  a.call_to(0x600000);
  a.call_to(kHelper.value);
  ImageAddr use(a.here());
  FunctionCode code = decode(a);
  EXPECT_TRUE(has(origins(code, use, x86::kRax), Kind::kResult));
  EXPECT_TRUE(has(origins(code, use, x86::kR12), Kind::kUnknown)) << "no result register";
}

TEST(Origins, AllWaysCount) {
  Assembler a(kEntry.value);
  const x86::Label grow = a.new_label(), join = a.new_label();
  a.test(x86::kRcx, x86::kRcx);
  a.jcc(x86::Cond::kE, grow);
  a.mov(x86::kRdx, x86::MemRef{.base = x86::kRsi, .disp = 0x18});
  a.jmp(join);
  a.bind(grow);
  a.call_to(0x600000);
  a.mov(x86::kRdx, x86::kRax);
  a.bind(join);
  ImageAddr use(a.here());
  a.test(x86::kRdx, x86::kRdx);
  FunctionCode code = decode(a);
  const std::vector<Origin> found = origins(code, use, x86::kRdx);
  EXPECT_EQ(found.size(), 2u);
  EXPECT_TRUE(has(found, Kind::kLoad));
  EXPECT_TRUE(has(found, Kind::kResult));
}

// JMP join; NOP; helper: the helper is reached by a branch, and what fills the gap in front of it by
// nothing.
TEST(Origins, WhatFillsAGapIsNoWay) {
  Assembler a(kEntry.value);
  const x86::Label helper = a.new_label(), join = a.new_label();
  a.mov(x86::kRdx, x86::MemRef{.base = x86::kRsi, .disp = 0x18});
  a.test(x86::kRcx, x86::kRcx);
  a.jcc(x86::Cond::kE, helper);
  a.jmp(join);
  const u8 nop[]{0x90};
  a.append_bytes(nop);
  a.bind(helper);
  a.call_to(kHelper.value);
  a.bind(join);
  ImageAddr use(a.here());
  a.test(x86::kRdx, x86::kRdx);
  FunctionCode code = decode(a);
  const std::vector<Origin> found = origins(code, use, x86::kRdx);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kLoad);
}

TEST(Origins, ASumFollowsBothAndArithmeticIsANumber) {
  Assembler a(kEntry.value);
  a.shl(x86::kRbx, 4);
  a.lea(x86::kRdx, {.base = x86::kRax, .index = x86::kRbx, .scale = 1});
  ImageAddr use(a.here());
  FunctionCode code = decode(a);
  const std::vector<Origin> found = origins(code, use, x86::kRdx);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(has(found, Kind::kNumber));
  const auto pointer = std::find_if(found.begin(), found.end(),
                                    [](const Origin& o) { return o.kind == Kind::kArgument; });
  ASSERT_NE(pointer, found.end());
  EXPECT_EQ(pointer->at.reg, x86::kRax);
  EXPECT_TRUE(pointer->is_shifted);
}

TEST(Origins, TheBarrierEndsIt) {
  Assembler a(kEntry.value);
  a.mov(slot(0x20), x86::kRax);
  ImageAddr barrier(a.here());
  a.call_to(0x600000);
  a.mov(x86::kRdx, slot(0x20));
  ImageAddr use(a.here());
  FunctionCode code = decode(a);
  SliceEnds ends;
  ends.barrier = *code.find_insn(barrier);
  const std::vector<Origin> found = origins(code, use, x86::kRdx, ends);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kBefore);
  EXPECT_EQ(found[0].at.slot, 0x20);
}

// A loop whose call is the barrier: what was loaded in front of the loop was loaded before.
TEST(Origins, WaysThatDoNotComeFromTheBarrierAreLeftOut) {
  Assembler a(kEntry.value);
  const x86::Label head = a.new_label();
  a.mov(x86::kRdx, x86::MemRef{.base = x86::kRsi, .disp = 0x18});
  a.mov(slot(0x20), x86::kRdx);
  a.bind(head);
  ImageAddr use(a.here());
  a.test(x86::kRdx, x86::kRdx);
  ImageAddr barrier(a.here());
  a.call_to(0x600000);
  a.mov(x86::kRdx, slot(0x20));
  a.test(x86::kRdx, x86::kRdx);
  a.jcc(x86::Cond::kNe, head);
  FunctionCode code = decode(a);
  SliceEnds ends;
  ends.slot = 0x20;
  EXPECT_EQ(origins(code, use, x86::kRdx, ends).size(), 2u);
  ends.barrier = *code.find_insn(barrier);
  const std::vector<Origin> found = origins(code, use, x86::kRdx, ends);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kSlot);
}

TEST(Origins, AStructIsCopiedThroughAVectorRegister) {
  Assembler a(kEntry.value);
  constexpr std::array<u8, 4> kLoad{0x0f, 0x10, 0x40, 0x10};         // movups xmm0, [rax+0x10]
  constexpr std::array<u8, 5> kStore{0x0f, 0x11, 0x44, 0x24, 0x20};  // movups [rsp+0x20], xmm0
  a.append_bytes(kLoad);
  a.append_bytes(kStore);
  a.mov(x86::kRdx, slot(0x28));
  ImageAddr use(a.here());
  FunctionCode code = decode(a);
  const std::vector<Origin> found = origins(code, use, x86::kRdx);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kLoad);
  EXPECT_EQ(found[0].mem.base, x86::kRax);
  EXPECT_EQ(found[0].mem.disp, 0x18);
}

}  // namespace
}  // namespace geist::program
