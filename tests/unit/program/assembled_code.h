// Functions of a few instructions, put together by a test.
#pragma once

#include <gtest/gtest.h>

#include <deque>

#include "program/code.h"
#include "x86/assembler.h"

namespace geist::program {

inline constexpr ImageAddr kEntry(0x401000);  // where their code begins

inline x86::MemRef slot(i64 disp) {
  return {.base = x86::kRsp, .disp = disp};
}

// The instructions, and a RET behind them.
inline FunctionCode decode(x86::Assembler& assembler) {
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

}  // namespace geist::program
