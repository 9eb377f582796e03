// Which stores of a function name a word of its frame, on functions of a few instructions.
#include "program/slot_writes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::MemRef;

TEST(SlotWrites, OnlyWhatComesAfterCounts) {
  Assembler a(kEntry.value);
  a.mov(slot(0x20), x86::kRax);
  ImageAddr middle(a.here());
  a.mov(slot(0x30), x86::kRax);
  FunctionCode code = decode(a);
  EXPECT_TRUE(may_write_slot(code, kEntry, 0x20));
  EXPECT_FALSE(may_write_slot(code, middle, 0x20));
  EXPECT_TRUE(may_write_slot(code, middle, 0x30));
  EXPECT_TRUE(may_write_slot(code, middle, 0x2c)) << "overlaps";
  EXPECT_FALSE(may_write_slot(code, middle, 0x38));
}

TEST(SlotWrites, ALoopLeadsBackToWhatStandsBefore) {
  Assembler a(kEntry.value);
  const x86::Label head = a.new_label();
  a.mov(x86::kRbx, x86::kRax);
  a.bind(head);
  a.mov(slot(0x20), x86::kRax);
  ImageAddr middle(a.here());
  a.test(x86::kRbx, x86::kRbx);
  a.jcc(x86::Cond::kNe, head);
  FunctionCode code = decode(a);
  EXPECT_TRUE(may_write_slot(code, middle, 0x20));
}

TEST(SlotWrites, ThePrologueThatStartsAnewIsAnotherCall) {
  Assembler a(kEntry.value);
  x86::Label entry = a.new_label();
  a.bind(entry);
  a.mov(slot(0x20), x86::kRax);
  ImageAddr middle(a.here());
  constexpr std::array<u8, 5> kCall{0xe8, 0, 0x10, 0, 0};
  a.append_bytes(kCall);  // panics, but that is not known here
  a.append_bytes(kCall);  // morestack
  a.jmp(entry);
  FunctionCode code = decode(a);
  EXPECT_FALSE(may_write_slot(code, middle, 0x20));
}

TEST(SlotWrites, TheWritersAreTheLastOnesOnEveryWay) {
  Assembler a(kEntry.value);
  const x86::Label other = a.new_label(), join = a.new_label();
  a.mov(slot(0x20), x86::kRcx);
  a.test(x86::kRbx, x86::kRbx);
  a.jcc(x86::Cond::kNe, other);
  const ImageAddr one(a.here());
  a.mov(slot(0x20), x86::kRax);
  a.jmp(join);
  a.bind(other);
  const ImageAddr two(a.here());
  a.mov(slot(0x20), x86::kRdx);
  a.bind(join);
  const ImageAddr at(a.here());
  a.mov(x86::kRax, x86::kRcx);
  FunctionCode code = decode(a);
  auto writes = [&](i64 word) {
    return find_writers(code, *code.find_insn(at),
                        [&, word](u32 insn) { return writes_slot(code.insn(insn), word); });
  };
  auto found = writes(0x20);
  ASSERT_TRUE(found.has_value());
  std::vector<ImageAddr> addresses;
  for (u32 insn : *found) addresses.push_back(code.briefs()[insn].addr);
  std::sort(addresses.begin(), addresses.end());
  EXPECT_EQ(addresses, (std::vector<ImageAddr>{one, two}));
  EXPECT_FALSE(writes(0x40).has_value()) << "nobody in this function";
}

TEST(SlotWrites, AnElementOfAnArrayMayBeAnyWordBehind) {
  Assembler a(kEntry.value);
  a.mov({.base = x86::kRsp, .index = x86::kRcx, .scale = 8, .disp = 0x18, .absolute = false},
        x86::kRax);
  FunctionCode code = decode(a);
  EXPECT_TRUE(may_write_slot(code, kEntry, 0x40));
  EXPECT_FALSE(may_write_slot(code, kEntry, 0x10));
}

}  // namespace
}  // namespace geist::program
