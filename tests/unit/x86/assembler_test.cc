// What the assembler emits is decoded again; what is relocated must mean the same at its new place.
#include "x86/assembler.h"

#include <gtest/gtest.h>

namespace geist::x86 {
namespace {

Insn decode_one(const std::vector<u8>& bytes, u64 at) {
  std::optional<Insn> insn = decode(bytes, ImageAddr(at));
  EXPECT_TRUE(insn.has_value());
  return insn.value_or(Insn{});
}

TEST(Assembler, ComparesMemoryOfEachWidthWithZero) {
  for (u16 bits : {u16{8}, u16{16}, u16{32}, u16{64}}) {
    Assembler as(0x1000);
    as.cmp_mem_zero({.base = kRsi, .index = kR15, .scale = 8, .disp = -24}, bits);
    ASSERT_TRUE(as.ok());
    Insn insn = decode_one(as.bytes(), 0x1000);
    EXPECT_EQ(insn.op, Op::kCmp);
    EXPECT_EQ(insn.operands[0].size_bits, bits);
    EXPECT_EQ(insn.operands[0].mem.base, kRsi);
    EXPECT_EQ(insn.operands[0].mem.index, kR15);
    EXPECT_EQ(insn.operands[0].mem.disp, -24);
    EXPECT_EQ(insn.operands[1].imm, 0);
  }
}

TEST(Assembler, LeaLeavesFlagsAlone) {
  Assembler as(0x1000);
  as.lea(kRsp, {.base = kRsp, .disp = -144});
  Insn insn = decode_one(as.bytes(), 0x1000);
  EXPECT_EQ(insn.writes & kFlagsBit, 0u);
  EXPECT_EQ(insn.writes & bit(kRsp), bit(kRsp));
}

TEST(Assembler, CountsInMemory) {
  const MemRef at{.base = kR13, .index = kRax, .scale = 8, .disp = 0x12345};
  Assembler as(0x1000);
  as.inc_mem(at);
  Insn insn = decode_one(as.bytes(), 0x1000);
  EXPECT_EQ(insn.operands[0].size_bits, 64);
  EXPECT_EQ(insn.operands[0].mem.index, kRax);
  EXPECT_EQ(insn.operands[0].mem.disp, 0x12345);
  EXPECT_EQ(insn.writes & kAllGprs, 0u);
  for (bool locked : {false, true}) {
    Assembler add(0x1000);
    locked ? add.lock_add_mem(at, kR9) : add.add_mem(at, kR9);
    ASSERT_TRUE(add.ok());
    EXPECT_EQ(add.bytes()[0] == 0xf0, locked);
    EXPECT_EQ(decode_one(add.bytes(), 0x1000).writes & kAllGprs, 0u);
  }
}

TEST(Assembler, AbsoluteOperandsReachTheirAddress) {
  Assembler as(0x40000000);
  as.lea(kRax, {.disp = 0x4000beef, .absolute = true});
  Insn insn = decode_one(as.bytes(), 0x40000000);
  ASSERT_TRUE(insn.operands[1].mem.rip_relative);
  EXPECT_EQ(insn.operands[1].mem.disp, 0x4000beef);
}

TEST(Assembler, BranchesReachTheirLabels) {
  Assembler as(0x2000);
  Label end = as.new_label();
  as.jcc(Cond::kNe, end);
  as.push(kRax);
  as.bind(end);
  as.pop(kRax);
  as.finish();
  ASSERT_TRUE(as.ok());
  Insn jcc = decode_one(as.bytes(), 0x2000);
  EXPECT_EQ(jcc.flow, Flow::kJcc);
  EXPECT_EQ(jcc.cond, Cond::kNe);
  EXPECT_EQ(jcc.target.value, 0x2000u + jcc.length + 1);
}

TEST(Assembler, ABranchThatDoesNotReachIsRefused) {
  Assembler as(0x1000);
  as.jmp_to(0x1000 + (u64{1} << 33));
  EXPECT_FALSE(as.ok());
}

TEST(Assembler, AnUnboundLabelIsRefused) {
  Assembler as(0x1000);
  as.jmp(as.new_label());
  as.finish();
  EXPECT_FALSE(as.ok());
}

TEST(Relocate, KeepsTheAddressOfARipRelativeOperand) {
  const std::vector<u8> mov{0x48, 0x8b, 0x05, 0x10, 0, 0, 0};  // MOV RAX, [RIP+0x10]
  Insn insn = decode_one(mov, 0x1000);
  EXPECT_EQ(insn.operands[1].mem.disp, 0x1017);
  std::optional<std::vector<u8>> moved = relocate(mov, insn, 0x2000);
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(decode_one(*moved, 0x2000).operands[1].mem.disp, 0x1017);
}

TEST(Relocate, CopiesWhatDoesNotDependOnItsPlace) {
  const std::vector<u8> mov{0x48, 0x8b, 0x44, 0x24, 0x40};  // MOV RAX, [RSP+0x40]
  EXPECT_EQ(relocate(mov, decode_one(mov, 0x1000), 0x7f0000000000), mov);
}

TEST(Relocate, RefusesBranchesAndDistancesThatDoNotFit) {
  const std::vector<u8> call{0xe8, 0, 0, 0, 0};
  EXPECT_FALSE(relocate(call, decode_one(call, 0x1000), 0x2000).has_value());
  const std::vector<u8> mov{0x48, 0x8b, 0x05, 0x10, 0, 0, 0};
  EXPECT_FALSE(relocate(mov, decode_one(mov, 0x1000), u64{1} << 40).has_value());
}

TEST(Decode, SaysWhatAnInstructionReadsAndWrites) {
  const std::vector<u8> sub{0x48, 0x29, 0xc0};  // SUB RAX, RAX defines RAX without reading it
  Insn insn = decode_one(sub, 0);
  EXPECT_EQ(insn.reads & bit(kRax), 0u);
  EXPECT_EQ(insn.writes & (bit(kRax) | kFlagsBit), bit(kRax) | kFlagsBit);
  const std::vector<u8> movb{0xb0, 0x01};  // MOV AL, 1 keeps the rest of RAX
  EXPECT_EQ(decode_one(movb, 0).reads & bit(kRax), bit(kRax));
}

TEST(Decode, SaysWhichInstructionsKeepSomeOfTheFlags) {
  auto keeps = [](const std::vector<u8>& bytes) {
    const Insn insn = decode_one(bytes, 0);
    EXPECT_EQ(insn.reads & kFlagsBit, 0u);
    EXPECT_EQ(insn.writes & kFlagsBit, kFlagsBit);
    return (insn.writes & kFlagsKeptBit) != 0;
  };
  EXPECT_TRUE(keeps({0x48, 0xff, 0xc1}));              // INC RCX: CF
  EXPECT_TRUE(keeps({0x48, 0xd3, 0xe0}));              // SHL RAX, CL: all, by 0
  EXPECT_TRUE(keeps({0x48, 0xd3, 0xf8}));              // SAR RAX, CL
  EXPECT_TRUE(keeps({0x48, 0xc1, 0xc0, 0x03}));        // ROL RAX, 3: ZF
  EXPECT_TRUE(keeps({0x48, 0x0f, 0xba, 0xe0, 0x05}));  // BT RAX, 5: ZF
  EXPECT_FALSE(keeps({0x48, 0xc1, 0xe0, 0x03}));       // SHL RAX, 3
  EXPECT_FALSE(keeps({0x48, 0xd1, 0xf8}));             // SAR RAX, 1
  EXPECT_FALSE(keeps({0x48, 0x39, 0xd8}));             // CMP RAX, RBX
}

TEST(Decode, RefusesWhatIsNoInstruction) {
  EXPECT_FALSE(decode(std::vector<u8>{0x0f, 0xff}, ImageAddr(0)).has_value());
  EXPECT_FALSE(decode(std::vector<u8>{}, ImageAddr(0)).has_value());
}

}  // namespace
}  // namespace geist::x86
