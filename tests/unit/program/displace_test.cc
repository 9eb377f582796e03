// Which instructions give way to a jump, on functions of a few instructions.
#include "program/displace.h"

#include <gtest/gtest.h>

#include <deque>

#include "x86/assembler.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::MemRef;

constexpr ImageAddr kEntry(0x401000);
constexpr u64 kCalled = 0x400000;

FunctionCode decode(Assembler& assembler) {
  assembler.finish();
  EXPECT_TRUE(assembler.ok());
  static std::deque<std::vector<u8>> kept;  // the code refers to its bytes
  std::vector<u8>& bytes = kept.emplace_back(assembler.bytes());
  bytes.push_back(0xc3);
  read::Function function;
  function.entry = kEntry;
  function.end = kEntry + bytes.size();
  return std::move(*FunctionCode::decode_bytes(bytes, function, nullptr));
}

MemRef slot(i64 disp) {
  return {.base = x86::kRsp, .disp = disp};
}

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
