// What is live where, on functions of a few instructions.
#include <gtest/gtest.h>

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::Cond;

bool are_flags_live_at_entry(FunctionCode code) {
  return (code.live_in(0) & x86::kFlagsBit) != 0;
}

constexpr std::array<u8, 3> kIncRcx{0x48, 0xff, 0xc1};
constexpr std::array<u8, 3> kShlRaxByCl{0x48, 0xd3, 0xe0};

// A counting loop, as behind each append of a range loop: INC alone reads no flag.
TEST(Liveness, WhatIsComparedBehindAnIncrementNeedsNoFlagsBefore) {
  for (ByteView keeps : {ByteView(kIncRcx), ByteView(kShlRaxByCl)}) {
    Assembler a(kEntry.value);
    const x86::Label end = a.new_label();
    a.append_bytes(keeps);
    a.cmp(x86::kRcx, x86::kRdx);
    a.jcc(Cond::kL, end);
    a.mov(x86::kRax, x86::kRbx);
    a.bind(end);
    EXPECT_FALSE(are_flags_live_at_entry(decode(a)));
  }
}

// JB behind it asks for the carry of what stands before the INC.
TEST(Liveness, ReadersBehindWhatKeepsFlagsMeanThoseBefore) {
  for (ByteView keeps : {ByteView(kIncRcx), ByteView(kShlRaxByCl)}) {
    Assembler a(kEntry.value);
    const x86::Label end = a.new_label();
    a.append_bytes(keeps);
    a.jcc(Cond::kB, end);
    a.mov(x86::kRax, x86::kRbx);
    a.bind(end);
    EXPECT_TRUE(are_flags_live_at_entry(decode(a)));
  }
}

}  // namespace
}  // namespace geist::program
