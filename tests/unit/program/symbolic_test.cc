// Equality of two symbolic values is a claim about the program, so every way to lose knowledge must
// lose it: stores through unknown pointers, narrow writes, calls of instructions that are not
// understood.
#include "program/symbolic.h"

#include <gtest/gtest.h>

#include "x86/assembler.h"

namespace geist::program {
namespace {

using namespace x86;

// Runs what `emit` assembles.
template <typename Emit>
void run(SymbolicState& state, Emit emit) {
  Assembler as(0x1000);
  emit(as);
  as.finish();
  ASSERT_TRUE(as.ok());
  for (usize at = 0; at < as.bytes().size();) {
    std::optional<Insn> insn = decode(ByteView(as.bytes()).subspan(at), ImageAddr(0x1000 + at));
    ASSERT_TRUE(insn.has_value());
    state.execute(*insn);
    at += insn->length;
  }
}

class Symbolic : public testing::Test {
 protected:
  SymbolTable table;
  SymbolicState state{table};
  Expr at_start(Reg r) {
    SymbolicState fresh(table);
    return fresh.reg(r);
  }
  Expr plus(Reg r, i64 n) { return add(at_start(r), Expr{n, {}}); }
};

TEST_F(Symbolic, LinearArithmeticIsExact) {
  run(state, [](Assembler& as) {
    as.lea(kRax, {.base = kRbx, .index = kRcx, .scale = 4, .disp = 8});
    as.add_imm(kRax, -3);
    as.sub(kRax, kRbx);
    as.shl(kRax, 1);
  });
  EXPECT_EQ(state.reg(kRax), add(scale(at_start(kRcx), 8), Expr{10, {}}));
}

TEST_F(Symbolic, MovesThroughStackSlotsKeepTheValue) {
  run(state, [](Assembler& as) {
    as.mov(MemRef{.base = kRsp, .disp = 0x20}, kRdi);
    as.mov(kRdi, kRsi);
    as.mov(kRdx, MemRef{.base = kRsp, .disp = 0x20});
  });
  EXPECT_EQ(state.reg(kRdx), at_start(kRdi));
  EXPECT_EQ(state.reg(kRdi), at_start(kRsi));
}

TEST_F(Symbolic, TwoLoadsOfOneAddressAreEqualUntilSomethingIsStored) {
  run(state, [](Assembler& as) {
    as.mov(kRax, MemRef{.base = kRbx, .disp = 8});
    as.mov(kRcx, MemRef{.base = kRbx, .disp = 8});
  });
  EXPECT_EQ(state.reg(kRax), state.reg(kRcx));
  run(state, [](Assembler& as) {
    as.mov(MemRef{.base = kRdx}, kRsi);
    as.mov(kRcx, MemRef{.base = kRbx, .disp = 8});
  });
  EXPECT_NE(state.reg(kRax), state.reg(kRcx));
}

TEST_F(Symbolic, AStoreThroughAnUnknownPointerForgetsTheSlots) {
  run(state, [](Assembler& as) {
    as.mov(MemRef{.base = kRsp, .disp = 16}, kRdi);
    as.mov(MemRef{.base = kRdx}, kRsi);
    as.mov(kRax, MemRef{.base = kRsp, .disp = 16});
  });
  EXPECT_NE(state.reg(kRax), at_start(kRdi));
}

TEST_F(Symbolic, AnOverlappingSlotIsNoWholeValue) {
  run(state, [](Assembler& as) {
    as.mov(MemRef{.base = kRsp, .disp = 16}, kRdi);
    as.mov(kRax, MemRef{.base = kRsp, .disp = 12});
    as.mov(kRcx, MemRef{.base = kRsp, .disp = 12});
  });
  EXPECT_NE(state.reg(kRax), at_start(kRdi));
  EXPECT_NE(state.reg(kRax), state.reg(kRcx));
}

TEST_F(Symbolic, NarrowWritesMakeARegisterUnknown) {
  const u8 mov_al_1[] = {0xb0, 0x01};
  state.execute(*decode(mov_al_1, ImageAddr(0x1000)));
  EXPECT_NE(state.reg(kRax), at_start(kRax));
  EXPECT_FALSE(state.reg(kRax).is_constant());
  const u8 mov_eax_1[] = {0xb8, 0x01, 0x00, 0x00, 0x00};
  state.execute(*decode(mov_eax_1, ImageAddr(0x1000)));
  EXPECT_EQ(state.reg(kRax), (Expr{1, {}}));  // 32-bit writes clear the upper half
}

TEST_F(Symbolic, InstructionsThatAreNotUnderstoodTellNothing) {
  const u8 bswap_rax[] = {0x48, 0x0f, 0xc8};
  state.execute(*decode(bswap_rax, ImageAddr(0x1000)));
  Expr once = state.reg(kRax);
  state.execute(*decode(bswap_rax, ImageAddr(0x1000)));
  EXPECT_NE(once, at_start(kRax));
  EXPECT_NE(state.reg(kRax), once);
}

TEST_F(Symbolic, XorWithItselfIsZeroAndSubToo) {
  const u8 xor_eax_eax[] = {0x31, 0xc0};
  state.execute(*decode(xor_eax_eax, ImageAddr(0x1000)));
  EXPECT_EQ(state.reg(kRax), Expr{});
  run(state, [](Assembler& as) { as.sub(kRbx, kRbx); });
  EXPECT_EQ(state.reg(kRbx), Expr{});
}

TEST_F(Symbolic, AnExchangeSwaps) {
  const u8 xchg_rax_rcx[] = {0x48, 0x91};
  state.execute(*decode(xchg_rax_rcx, ImageAddr(0x1000)));
  EXPECT_EQ(state.reg(kRax), at_start(kRcx));
  EXPECT_EQ(state.reg(kRcx), at_start(kRax));
}

TEST_F(Symbolic, SubstitutionFollowsRegistersAndSlotsIntoTheEarlierPath) {
  SymbolTable later_table;
  SymbolicState later(later_table);
  run(later, [](Assembler& as) {
    as.lea(kRbx, {.base = kRcx, .disp = 1});
    as.mov(kRdi, MemRef{.base = kRsp, .disp = 8});
  });
  run(state, [](Assembler& as) {
    as.lea(kRcx, {.base = kR8, .disp = 5});
    as.mov(MemRef{.base = kRsp, .disp = 8}, kR9);
  });
  EXPECT_EQ(state.substitute(later.reg(kRbx), later_table), plus(kR8, 6));
  EXPECT_EQ(state.substitute(later.reg(kRdi), later_table), at_start(kR9));
}

TEST_F(Symbolic, SubstitutionOfWhatWasLoadedBehindAStoreIsUnknown) {
  SymbolTable later_table;
  SymbolicState later(later_table);
  run(later, [](Assembler& as) {
    as.mov(MemRef{.base = kRdx}, kRsi);
    as.mov(kRax, MemRef{.base = kRbx});
  });
  Expr loaded =
      state.value_of(decode(std::vector<u8>{0x48, 0x8b, 0x03}, ImageAddr(0))->operands[1]);
  EXPECT_NE(state.substitute(later.reg(kRax), later_table), loaded);
}

TEST(Expr, TermsCancelAndConstantsWrap) {
  Expr a{INT64_MAX, {{1, 2}, {3, 1}}};
  Expr b{1, {{1, 2}, {2, 5}}};
  Expr difference = add(a, b, -1);
  EXPECT_EQ(difference.constant, INT64_MAX - 1);
  EXPECT_EQ(difference.terms, (Terms{{2, -5}, {3, 1}}));
  EXPECT_EQ(add(a, b).constant, INT64_MIN);
}

TEST(Expr, AFormOfTooManyTermsEqualsNothing) {
  SymbolTable table;
  Expr sum;
  for (int i = 0; i < 5; ++i) sum = add(sum, table.opaque());
  EXPECT_FALSE(sum == sum);
  EXPECT_FALSE(sum.is_constant());
  EXPECT_FALSE(scale(sum, 0) == Expr{}) << "what is left of it is not known either";
  SymbolicState state(table);
  EXPECT_FALSE(state.substitute(sum, table).is_constant());
}

}  // namespace
}  // namespace geist::program
