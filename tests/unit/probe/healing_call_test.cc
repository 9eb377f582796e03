// The way a healed site's call takes: which arguments go on to which function, by running the few
// instructions by hand.
#include <gtest/gtest.h>

#include <array>

#include "probe/trampoline.h"

namespace geist::probe {
namespace {

constexpr u64 kAt = 0x1000, kCalled = 0x2000, kGrowslice = 0x3000;

struct Outcome {
  u64 target = 0;
  u64 cap = 0;
};

// Executes what emit_healing_call() makes of, for these three registers.
Outcome run(u64 new_len, u64 cap, u64 num) {
  std::optional<Trampoline> way = emit_healing_call(kAt, kCalled, kGrowslice);
  if (!way) return {};
  std::array<u64, 16> regs{};
  regs[x86::kRbx] = new_len;
  regs[x86::kRcx] = cap;
  regs[x86::kRdi] = num;
  bool above = false;
  for (u64 at = 0; at < way->bytes.size();) {
    std::optional<x86::Insn> insn =
        x86::decode(ByteView(way->bytes).subspan(at), ImageAddr(kAt + at));
    if (!insn) return {};
    x86::Reg a = insn->operands[0].reg;
    x86::Reg b = insn->operands[1].reg;
    switch (insn->op) {
      case x86::Op::kCmp:
        above = regs[a] > regs[b];
        break;
      case x86::Op::kMov:
        regs[a] = regs[b];
        break;
      case x86::Op::kSub:
        regs[a] -= regs[b];
        break;
      default:
        if (insn->flow == x86::Flow::kJmp) return {insn->target.value, regs[x86::kRcx]};
        if (insn->flow != x86::Flow::kJcc || insn->cond != x86::Cond::kA) return {};
        if (above) return {insn->target.value, regs[x86::kRcx]};
    }
    at += insn->length;
  }
  return {};
}

TEST(HealingCall, GrowthGoesOnWithItsCapacity) {
  Outcome out = run(5, 4, 1);
  EXPECT_EQ(out.target, kCalled);
  EXPECT_EQ(out.cap, 4u);
}

TEST(HealingCall, NegativeLengthsStillPanicWhereTheyDid) {
  Outcome out = run(~u64{0}, 4, 1);
  EXPECT_EQ(out.target, kCalled);
  EXPECT_EQ(out.cap, 4u);
}

TEST(HealingCall, HealedAppendsHaveNoSpareCapacity) {
  Outcome out = run(4, 4, 1);
  EXPECT_EQ(out.target, kGrowslice);
  EXPECT_EQ(out.cap, 3u);
  out = run(7, 1000, 7);
  EXPECT_EQ(out.target, kGrowslice);
  EXPECT_EQ(out.cap, 0u);
}

}  // namespace
}  // namespace geist::probe
