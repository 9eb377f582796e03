// The event of a copy, as an append to an empty slice at its destination would tell it.
#include "detect/refill/refill_case.h"

#include <gtest/gtest.h>

namespace geist::detect::refill {
namespace {

Place place(std::string_view callee) {
  Place p;
  p.callee = callee;
  p.is_typed = callee != "runtime.memmove";
  return p;
}

// copy(to[:2], from[:5]) of pointers.
std::unique_ptr<abi::Event> typed_event() {
  auto e = std::make_unique<abi::Event>();
  e->append = {.old_ptr = 0x1000,
               .new_len = 5,
               .cap = 5,
               .num = 5,
               .elem_size = 8,
               .dest = 0x1000,
               .dest_size = 40};
  e->old_size = 40;
  e->regs[x86::kRcx] = 5;
  e->regs[x86::kRsi] = 2;
  e->regs[x86::kRsp] = 0x7000;
  e->stack_size = 16;
  for (u8 i = 0; i < 16; ++i) e->stack[i] = i;
  return e;
}

TEST(RefillEvent, ATypedCopyIsAsLongAsTheShorterOfTheTwo) {
  const Place at = place("runtime.typedslicecopy");
  const auto e = typed_event();
  ASSERT_TRUE(RefillCase::fits(*e, at));
  RefillCase::prepare(*e, at);
  EXPECT_EQ(e->append.num, 2u);
  EXPECT_EQ(e->append.new_len, 2u);
  EXPECT_EQ(e->append.cap, 2u);
  EXPECT_EQ(e->append.dest_size, 16u);
  EXPECT_EQ(e->old_size, 16u);
}

// The CALL has pushed its return address; the frame is looked at as it was before.
TEST(RefillEvent, TheStackIsThatOfTheCaller) {
  const auto e = typed_event();
  RefillCase::prepare(*e, place("runtime.typedslicecopy"));
  EXPECT_EQ(e->regs[x86::kRsp], 0x7008u);
  EXPECT_EQ(e->stack_size, 8u);
  EXPECT_EQ(e->stack[0], 8);
  auto without = typed_event();
  without->stack_size = 0;
  RefillCase::prepare(*without, place("runtime.typedslicecopy"));
  EXPECT_EQ(without->stack_size, 0u);
}

TEST(RefillEvent, WhatCannotBeOfThatPlaceDoesNotFit) {
  const auto e = typed_event();
  EXPECT_FALSE(RefillCase::fits(*e, place("runtime.memmove")));  // elements of eight bytes
  e->append.old_ptr = 0x0ff8;
  EXPECT_FALSE(RefillCase::fits(*e, place("runtime.typedslicecopy")));
  const auto nothing = typed_event();
  nothing->regs[x86::kRsi] = 0;
  EXPECT_FALSE(RefillCase::fits(*nothing, place("runtime.typedslicecopy")));
  EXPECT_FALSE(RefillCase::fits(*typed_event(), place("main.f")));
}

}  // namespace
}  // namespace geist::detect::refill
