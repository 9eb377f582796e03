// Does a header go on as a whole? On functions of a few instructions; the pointer is in RCX and the
// length in RDX.
#include "program/header_flow.h"

#include <gtest/gtest.h>

#include "x86/assembler.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::MemRef;

constexpr ImageAddr kEntry(0x401000);
constexpr u64 kCallee = 0x402000, kBarrier = 0x403000;

ValueLocation in(x86::Reg reg) {
  ValueLocation location;
  location.kind = ValueLocation::Kind::kRegister;
  location.reg = reg;
  return location;
}

ValueLocation constant(i64 value) {
  ValueLocation location;
  location.addend = value;
  return location;
}

MemRef slot(i64 disp) {
  return {.base = x86::kRsp, .index = x86::kNoReg, .scale = 1, .disp = disp, .absolute = false};
}

// The instructions, and a RET behind them.
bool goes_on(Assembler& a, const ValueLocation& len = in(x86::kRdx)) {
  a.finish();
  EXPECT_TRUE(a.ok());
  std::vector<u8> bytes = a.bytes();
  bytes.push_back(0xc3);
  read::Function function;
  function.entry = kEntry;
  function.end = kEntry + bytes.size();
  std::optional<FunctionCode> code = FunctionCode::decode_bytes(bytes, function, nullptr);
  return hands_header_on(*code, kEntry, in(x86::kRcx), len, [](ImageAddr entry) {
    return entry.value == kBarrier ? Callee::kKeepsRegisters : Callee::kGo;
  });
}

TEST(HeaderFlow, NeighbouringArgumentsAreTheHeader) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kRcx);
  a.mov(x86::kRbx, x86::kRdx);
  a.call_to(kCallee);
  EXPECT_TRUE(goes_on(a));
}

TEST(HeaderFlow, AnotherLengthIsAnotherSlice) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kRcx);
  a.mov(x86::kRbx, x86::kRsi);
  a.call_to(kCallee);
  EXPECT_FALSE(goes_on(a)) << "a buffer and its position";
}

TEST(HeaderFlow, AConstantLengthIsOneToo) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kRcx);
  a.mov_imm(x86::kRbx, 6);
  a.call_to(kCallee);
  EXPECT_TRUE(goes_on(a, constant(6)));
  Assembler b(kEntry.value);
  b.mov(x86::kRax, x86::kRcx);
  b.mov_imm(x86::kRbx, 5);
  b.call_to(kCallee);
  EXPECT_FALSE(goes_on(b, constant(6)));
}

TEST(HeaderFlow, SpilledOverACallAndReloaded) {
  Assembler a(kEntry.value);
  a.mov(slot(0x20), x86::kRcx);
  a.mov(slot(0x38), x86::kRdx);
  a.mov(MemRef{.base = x86::kRcx}, x86::kRdi);  // the new element: not the frame's business
  a.call_to(kCallee);
  a.mov(x86::kRax, slot(0x20));
  a.mov(x86::kRbx, slot(0x38));
  a.call_to(kCallee);
  EXPECT_TRUE(goes_on(a));
}

TEST(HeaderFlow, ACallTakesTheRegisters) {
  Assembler a(kEntry.value);
  a.call_to(kCallee);
  a.mov(x86::kRax, x86::kRcx);
  a.mov(x86::kRbx, x86::kRdx);
  a.call_to(kCallee);
  EXPECT_FALSE(goes_on(a));
  Assembler b(kEntry.value);
  b.call_to(kBarrier);
  b.mov(x86::kRax, x86::kRcx);
  b.mov(x86::kRbx, x86::kRdx);
  b.call_to(kCallee);
  EXPECT_TRUE(goes_on(b)) << "the write barrier leaves them alone";
}

TEST(HeaderFlow, OneOfTwoWaysIsEnough) {
  Assembler a(kEntry.value);
  const x86::Label other = a.new_label();
  a.test(x86::kRdi, x86::kRdi);
  a.jcc(x86::Cond::kE, other);
  a.mov(x86::kRcx, x86::kRdi);
  a.bind(other);
  a.mov(x86::kRax, x86::kRcx);
  a.mov(x86::kRbx, x86::kRdx);
  a.call_to(kCallee);
  EXPECT_TRUE(goes_on(a));
}

}  // namespace
}  // namespace geist::program
