// Which words hold one header, on functions of a few instructions. The callees: kMake returns
// something, kTake takes something, kGrow is the runtime's, kBarrier keeps registers.
#include "program/header_words.h"

#include <gtest/gtest.h>

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::MemRef;

constexpr u64 kMake = 0x402000, kTake = 0x402100, kGrow = 0x402200, kBarrier = 0x402300;
constexpr i64 kPtr = 0x50, kLen = 0x40, kCap = 0x38, kOther = 0x20;
constexpr u64 kElemSize = 16;

Callee callee(ImageAddr entry) {
  if (entry.value == kBarrier) return Callee::kKeepsRegisters;
  return entry.value == kGrow ? Callee::kRuntime : Callee::kGo;
}

std::optional<HeaderWords> find(Assembler& a, ImageAddr pc) {
  const FunctionCode code = decode(a);
  return find_header_words(code, pc, kPtr, kElemSize, callee);
}

KeptWord in(i64 slot) {
  return {slot, 0};
}

// A call, and its three results into words of their own.
ImageAddr make(Assembler& a) {
  const ImageAddr call(a.here());
  a.call_to(kMake);
  a.mov(slot(kPtr), x86::kRax);
  a.mov(slot(kLen), x86::kRbx);
  a.mov(slot(kCap), x86::kRcx);
  return call;
}

ImageAddr call(Assembler& a, u64 to = kTake) {
  a.call_to(to);
  return ImageAddr(a.here());
}

TEST(HeaderWords, AreTheResultsOfACall) {
  Assembler a(kEntry.value);
  const ImageAddr made_by = make(a);
  const ImageAddr pc = call(a);
  const std::optional<HeaderWords> words = find(a, pc);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->len, in(kLen));
  EXPECT_EQ(words->cap, in(kCap));
  EXPECT_EQ(words->made_by, made_by);
}

TEST(HeaderWords, AreTheThirdResultAndTheNext) {
  Assembler a(kEntry.value);
  a.call_to(kMake);
  a.mov(slot(kOther), x86::kRax);
  a.mov(slot(kPtr), x86::kRcx);
  a.call_to(kBarrier);
  a.mov(slot(kLen), x86::kRdi);
  const ImageAddr pc = call(a);
  const std::optional<HeaderWords> words = find(a, pc);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->len, in(kLen));
  EXPECT_FALSE(words->cap);
  EXPECT_FALSE(words->is_indexed);
}

TEST(HeaderWords, AreNeighboursInMemory) {
  Assembler a(kEntry.value);
  a.mov(x86::kRdx, MemRef{.base = x86::kRax, .disp = 0x18});
  a.mov(x86::kR8, MemRef{.base = x86::kRax, .disp = 0x20});
  a.mov(slot(kLen), x86::kR8);
  a.mov(slot(kPtr), x86::kRdx);
  const ImageAddr pc = call(a);
  const std::optional<HeaderWords> words = find(a, pc);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->len, in(kLen));
  EXPECT_EQ(words->made_by, ImageAddr()) << "loaded, not made";
}

TEST(HeaderWords, AreStoredBehindACheck) {
  Assembler a(kEntry.value);
  const x86::Label fail = a.new_label();
  const ImageAddr made_by(a.here());
  a.call_to(kMake);
  a.cmp(x86::kRcx, x86::kRdi);
  a.jcc(x86::Cond::kB, fail);
  a.mov(slot(kPtr), x86::kRax);
  a.mov(slot(kLen), x86::kRbx);
  a.mov(slot(kCap), x86::kRcx);
  const ImageAddr pc = call(a);
  a.mov(x86::kRax, x86::kRbx);
  a.bind(fail);
  const std::optional<HeaderWords> words = find(a, pc);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->cap, in(kCap));
  EXPECT_EQ(words->made_by, made_by);
}

TEST(HeaderWords, AWordThatIsUsedAgainIsNoneOfThem) {
  Assembler a(kEntry.value);
  make(a);
  a.mov(slot(kCap), x86::kRsi);
  const ImageAddr pc = call(a);
  a.mov(slot(kLen), x86::kRsi);
  const ImageAddr later = call(a);
  const FunctionCode code = decode(a);
  const std::optional<HeaderWords> words = find_header_words(code, pc, kPtr, kElemSize, callee);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->len, in(kLen));
  EXPECT_FALSE(words->cap);
  EXPECT_FALSE(find_header_words(code, later, kPtr, kElemSize, callee));
}

TEST(HeaderWords, OnAllWaysTheSameOrNone) {
  Assembler a(kEntry.value);
  const x86::Label other = a.new_label(), both = a.new_label();
  a.jcc(x86::Cond::kE, other);
  make(a);
  a.jmp(both);
  a.bind(other);
  make(a);
  a.bind(both);
  const ImageAddr pc = call(a);
  const std::optional<HeaderWords> words = find(a, pc);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->cap, in(kCap));
  EXPECT_EQ(words->made_by, ImageAddr()) << "by one of two calls";

  Assembler b(kEntry.value);
  const x86::Label end = b.new_label();
  make(b);
  b.jcc(x86::Cond::kE, end);
  b.call_to(kMake);
  b.mov(slot(kPtr), x86::kRax);
  b.mov(slot(kOther), x86::kRbx);
  b.bind(end);
  const ImageAddr behind = call(b);
  EXPECT_FALSE(find(b, behind));
}

TEST(HeaderWords, AreTakenAsArguments) {
  Assembler a(kEntry.value);
  const ImageAddr pc = call(a);
  a.mov(x86::kRcx, slot(kPtr));
  a.mov(x86::kRdi, slot(kLen));
  a.mov_imm(x86::kRsi, 8);
  a.call_to(kTake);
  const std::optional<HeaderWords> words = find(a, pc);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->len, in(kLen));
  EXPECT_EQ(words->cap, (KeptWord{std::nullopt, 8}));
}

TEST(HeaderWords, TheRuntimesArgumentsAreNotAHeader) {
  Assembler a(kEntry.value);
  const ImageAddr pc = call(a);
  a.mov(x86::kRax, slot(kPtr));
  a.mov(x86::kRbx, slot(kLen));  // growslice: the new length
  a.mov(x86::kRcx, slot(kCap));
  a.call_to(kGrow);
  EXPECT_FALSE(find(a, pc));
}

// for _, x := range s, the words in registers or not.
void range(Assembler& a, const MemRef& element) {
  const x86::Label body = a.new_label(), check = a.new_label();
  a.mov(x86::kRax, slot(kPtr));
  a.mov(x86::kRbx, slot(kLen));
  a.xor_(x86::kRcx, x86::kRcx);
  a.jmp(check);
  a.bind(body);
  a.mov(x86::kRdx, x86::kRcx);
  a.shl(x86::kRdx, 4);
  a.mov(x86::kRdi, element);
  a.add_imm(x86::kRcx, 1);
  a.bind(check);
  a.cmp(x86::kRcx, x86::kRbx);
  a.jcc(x86::Cond::kL, body);
}

TEST(HeaderWords, AnIndexIsComparedWithTheLength) {
  Assembler a(kEntry.value);
  const ImageAddr pc = call(a);
  range(a, MemRef{.base = x86::kRax, .index = x86::kRdx, .scale = 1, .disp = 8});
  const std::optional<HeaderWords> words = find(a, pc);
  ASSERT_TRUE(words);
  EXPECT_EQ(words->len, in(kLen));
  EXPECT_TRUE(words->is_indexed);
}

TEST(HeaderWords, ACounterBesideOneElementIsNoLength) {
  Assembler a(kEntry.value);
  const ImageAddr pc = call(a);
  range(a, MemRef{.base = x86::kRax, .disp = 8});
  EXPECT_FALSE(find(a, pc));
}

}  // namespace
}  // namespace geist::program
