// Which instructions give way to a jump, on functions of a few instructions.
#include "program/displace.h"

#include <gtest/gtest.h>

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::MemRef;

constexpr u64 kCalled = 0x400000;

TEST(DisplaceBehindCall, TakesAsManyInstructionsAsAJumpNeeds) {
  Assembler a(kEntry.value);
  a.call_to(kCalled);
  const ImageAddr behind(a.here());
  a.mov(x86::kRax, x86::kRbx);
  a.mov(x86::kRcx, x86::kRdx);
  const ImageAddr end(a.here());
  a.mov(x86::kRsi, slot(0x20));
  FunctionCode code = decode(a);
  std::optional<Displaced> displaced = displace_behind_call(code, 0);
  ASSERT_TRUE(displaced.has_value());
  EXPECT_EQ(displaced->begin, behind);
  EXPECT_EQ(displaced->end, end);
}

TEST(DisplaceBehindCall, NotWhereSomebodyJumpsBetweenThem) {
  Assembler a(kEntry.value);
  const x86::Label between = a.new_label();
  a.call_to(kCalled);
  a.mov(x86::kRax, x86::kRbx);
  a.bind(between);
  a.mov(x86::kRcx, x86::kRdx);
  a.test(x86::kRcx, x86::kRcx);
  a.jcc(x86::Cond::kNe, between);
  FunctionCode code = decode(a);
  EXPECT_FALSE(displace_behind_call(code, 0).has_value());
}

TEST(DisplaceBehindCall, NotWhatMayFaultOrEndsTheFunction) {
  Assembler faults(kEntry.value);
  faults.call_to(kCalled);
  faults.mov(x86::kRax, MemRef{.base = x86::kRbx, .disp = 0x1000});
  FunctionCode code = decode(faults);
  EXPECT_FALSE(displace_behind_call(code, 0).has_value());
  Assembler ends(kEntry.value);
  ends.call_to(kCalled);
  FunctionCode short_code = decode(ends);
  EXPECT_FALSE(displace_behind_call(short_code, 0).has_value());
}

}  // namespace
}  // namespace geist::program
