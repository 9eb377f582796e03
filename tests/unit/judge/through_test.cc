// A read whose pointer was loaded out of the victim's own word, on a function of three
// instructions:
//
//     mov rcx, [rsp+0x50]    the victim's pointer
//     mov rax, [rcx+0x10]    the read of the changed word
//     ret
#include "judge/through.h"

#include <gtest/gtest.h>

#include <cstring>

namespace geist::judge {
namespace {

constexpr ImageAddr kEntry(0x401000);
constexpr u64 kPtr = 0xc000092000, kLen = 5, kG = 0xc000006000, kSp = 0xc000036660,
              kCfa = 0xc000036740, kHi = 0xc000036800;

class ThroughTest : public ::testing::Test {
 protected:
  ThroughTest() {
    decode({0x48, 0x8b, 0x4c, 0x24, 0x50, 0x48, 0x8b, 0x41, 0x10, 0xc3});
    heap::StackFrame frame;
    frame.cfa = TargetAddr(kCfa);
    victim_.holder = findings::Holder::kStack;
    victim_.ptr = kPtr;
    victim_.len = kLen;
    victim_.g = TargetAddr(kG);
    victim_.stack_hi = TargetAddr(kHi);
    victim_.ptr_word = TargetAddr(kSp + 0x50);
    victim_.len_word = TargetAddr(kSp + 0x58);
    victim_.frame = make_activation(frame, kG, victim_.stack_hi);
    event_.append.old_ptr = kPtr;
    event_.append.new_len = 2;
  }

  void decode(std::vector<u8> bytes) {
    bytes_ = std::move(bytes);
    read::Function function;
    function.entry = kEntry;
    function.end = kEntry + bytes_.size();
    code_ = program::FunctionCode::decode_bytes(bytes_, function, nullptr);
    returns_to_ = function.end - 1;
  }

  // The read, on the stack as it was or `moved` bytes away, where the header has this length.
  bool loads(u64 moved, u64 len_now) {
    process::WatchSample sample;
    sample.regs[x86::kRsp] = kSp + moved;
    sample.stack.resize(0x100);
    std::memcpy(&sample.stack[0x50], &kPtr, 8);
    std::memcpy(&sample.stack[0x58], &len_now, 8);
    Access access;
    access.sample = &sample;
    access.insn = kEntry + 5;
    access.base = x86::kRcx;
    access.g = kG;
    access.stack_hi = TargetAddr(kHi + moved);
    heap::StackFrame frame;
    frame.cfa = TargetAddr(kCfa + moved);
    access.frames = {frame};
    return loads_victim_pointer(*code_, access, victim_, event_);
  }

  std::vector<u8> bytes_;
  std::optional<program::FunctionCode> code_;
  ImageAddr returns_to_;  // the RET that the function ends with
  View victim_;
  abi::Event event_{};
};

TEST_F(ThroughTest, ThePointerOutOfTheVictimsWordIsTheVictims) {
  EXPECT_TRUE(loads(0, kLen));
  EXPECT_TRUE(loads(0x10000, kLen)) << "the stack has moved";
}

TEST_F(ThroughTest, AnotherWordOfTheFrameIsNot) {
  victim_.ptr_word = TargetAddr(kSp + 0x68);
  EXPECT_FALSE(loads(0, kLen));
}

TEST_F(ThroughTest, AReplacedHeaderIsNot) {
  EXPECT_FALSE(loads(0, kLen + 1));
}

TEST_F(ThroughTest, TheHeaderOfTheResultIsNobodys) {
  event_.append.new_len = kLen;
  EXPECT_FALSE(loads(0, kLen));
}

TEST_F(ThroughTest, AnotherFrameIsNot) {
  victim_.frame.depth += 0x40;
  EXPECT_FALSE(loads(0, kLen));
}

// A read two calls further in:
//
//     mov rax, [rsp+0x50]    the victim's pointer
//     mov rbx, [rsp+0x58]    and its length
//     call further in
//     ret
class PassedTest : public ThroughTest {
 protected:
  PassedTest() {
    decode({0x48, 0x8b, 0x44, 0x24, 0x50, 0x48, 0x8b, 0x5c, 0x24, 0x58, 0xe8, 0, 0, 0, 0, 0xc3});
  }

  bool passes(u64 moved = 0, u64 len_now = kLen) {
    constexpr u64 kCalleeBytes = 0x40;
    process::WatchSample sample;
    sample.regs[x86::kRsp] = kSp - kCalleeBytes + moved;
    sample.stack.resize(0x100);
    std::memcpy(&sample.stack[kCalleeBytes + 0x50], &kPtr, 8);
    std::memcpy(&sample.stack[kCalleeBytes + 0x58], &len_now, 8);
    Access access;
    access.sample = &sample;
    access.g = kG;
    access.stack_hi = TargetAddr(kHi + moved);
    heap::StackFrame callee, frame;
    callee.cfa = TargetAddr(kSp + moved);
    frame.pc = returns_to_;
    frame.sp = TargetAddr(kSp + moved);
    frame.cfa = TargetAddr(kCfa + moved);
    access.frames = {callee, frame};
    return passes_victim(*code_, access, 1, victim_, event_);
  }
};

TEST_F(PassedTest, TheVictimsWordsAsArgumentsAreTheVictim) {
  EXPECT_TRUE(passes());
  EXPECT_TRUE(passes(0x10000)) << "the stack has moved";
}

TEST_F(PassedTest, AReplacedHeaderIsNot) {
  EXPECT_FALSE(passes(0, kLen + 1));
}

TEST_F(PassedTest, TheHeaderOfTheResultIsNobodys) {
  event_.append.new_len = kLen;
  EXPECT_FALSE(passes());
}

TEST_F(PassedTest, AnotherFrameIsNot) {
  victim_.frame.depth += 0x40;
  EXPECT_FALSE(passes());
}

TEST_F(PassedTest, ThePointerWithAnotherLengthIsNot) {
  decode({0x48, 0x8b, 0x44, 0x24, 0x50, 0x48, 0x8b, 0x5c, 0x24, 0x60, 0xe8, 0, 0, 0, 0, 0xc3});
  EXPECT_FALSE(passes());
}

TEST_F(PassedTest, APointerThatWasMovedOnIsNot) {
  // add rax, 16 in between
  decode({0x48, 0x8b, 0x44, 0x24, 0x50, 0x48, 0x8b, 0x5c, 0x24, 0x58,
          0x48, 0x83, 0xc0, 0x10, 0xe8, 0,    0,    0,    0,    0xc3});
  EXPECT_FALSE(passes());
}

// What becomes of a header in the memory that RAX points to.
class HeaderUseTest : public ThroughTest {
 protected:
  HeaderUse use_of(std::vector<u8> bytes, u32 length_load) {
    bytes.push_back(0xc3);
    decode(std::move(bytes));
    return find_header_load(*code_, length_load).use;
  }
};

// mov rcx, [rax+8]; cmp rcx, 3; jbe +4; mov rax, [rax]; nop: the pointer is loaded after the check
// of an index. It is the victim's, but the length may have been asked for its own sake.
TEST_F(HeaderUseTest, ThePointerMayBeLoadedInALaterBlock) {
  decode(
      {0x48, 0x8b, 0x48, 0x08, 0x48, 0x83, 0xf9, 0x03, 0x76, 0x04, 0x48, 0x8b, 0x00, 0x90, 0xc3});
  const HeaderLoad load = find_header_load(*code_, 0);
  EXPECT_EQ(load.use, HeaderUse::kNone);
  EXPECT_EQ(load.pointer, kEntry + 10);
}

TEST_F(HeaderUseTest, AComparedLengthIsNoUse) {
  // mov rcx, [rax+8]; sub rcx, rdx
  EXPECT_EQ(use_of({0x48, 0x8b, 0x48, 0x08, 0x48, 0x29, 0xd1}, 0), HeaderUse::kNone);
  // mov rcx, [rax]; cmp [rax+8], rdx: an index is checked
  EXPECT_EQ(use_of({0x48, 0x8b, 0x08, 0x48, 0x39, 0x50, 0x08}, 1), HeaderUse::kNone);
}

TEST_F(HeaderUseTest, WhatIsComparedWithAConstantIsReadWhereTheLengthsAreEqual) {
  // cmp qword [rcx+8], 15; jne +4; mov rcx, [rcx]; nop; ret
  EXPECT_EQ(use_of({0x48, 0x83, 0x79, 0x08, 0x0f, 0x75, 0x04, 0x48, 0x8b, 0x09, 0x90, 0xc3}, 0),
            HeaderUse::kWhole);
  // The same with jbe: an index is checked.
  EXPECT_EQ(use_of({0x48, 0x83, 0x79, 0x08, 0x0f, 0x76, 0x04, 0x48, 0x8b, 0x09, 0x90, 0xc3}, 0),
            HeaderUse::kNone);
  // With 0: whether there is anything.
  EXPECT_EQ(use_of({0x48, 0x83, 0x79, 0x08, 0x00, 0x75, 0x04, 0x48, 0x8b, 0x09, 0x90, 0xc3}, 0),
            HeaderUse::kNone);
}

TEST_F(HeaderUseTest, PointerAndLengthAreTheHeader) {
  // mov rcx, [rax+8]; mov rax, [rax]
  EXPECT_EQ(use_of({0x48, 0x8b, 0x48, 0x08, 0x48, 0x8b, 0x00}, 0), HeaderUse::kWhole);
  // mov rdx, [rax]; mov rax, [rax+8]
  EXPECT_EQ(use_of({0x48, 0x8b, 0x10, 0x48, 0x8b, 0x40, 0x08}, 1), HeaderUse::kWhole);
}

TEST_F(HeaderUseTest, ThePointerOfAnotherHeaderIsNot) {
  // mov rax, [rax+16]; mov rcx, [rax+8] and, of the old RAX, mov rdx, [rax]
  EXPECT_EQ(use_of({0x48, 0x8b, 0x10, 0x48, 0x8b, 0x40, 0x10, 0x48, 0x8b, 0x48, 0x08}, 2),
            HeaderUse::kNone);
  // mov rcx, [rax+8]; mov rdx, [rax+16]
  EXPECT_EQ(use_of({0x48, 0x8b, 0x48, 0x08, 0x48, 0x8b, 0x50, 0x10}, 0), HeaderUse::kNone);
}

TEST_F(HeaderUseTest, NeighbouringArgumentsAreHandedOn) {
  // mov rbx, [rdx+8]; mov rax, [rdx]; call
  EXPECT_EQ(use_of({0x48, 0x8b, 0x5a, 0x08, 0x48, 0x8b, 0x02, 0xe8, 0, 0, 0, 0}, 0),
            HeaderUse::kArgument);
  // mov rdi, [rdx+8]; mov rax, [rdx]; call: not beside each other
  EXPECT_EQ(use_of({0x48, 0x8b, 0x7a, 0x08, 0x48, 0x8b, 0x02, 0xe8, 0, 0, 0, 0}, 0),
            HeaderUse::kWhole);
  // mov rbx, [rdx+8]; mov rax, [rdx]; add rax, 16; call: a part of it
  EXPECT_EQ(
      use_of({0x48, 0x8b, 0x5a, 0x08, 0x48, 0x8b, 0x02, 0x48, 0x83, 0xc0, 0x10, 0xe8, 0, 0, 0, 0},
             0),
      HeaderUse::kWhole);
}

// What a call was handed before the append may be read, inside it, through the append's result.
TEST(AppendTest, CallsOfItsStackWereUnderWay) {
  heap::StackFrame inner, outer;
  inner.function.index = read::FuncIndex{3};
  inner.cfa = TargetAddr(kCfa);
  outer.function.index = read::FuncIndex{4};
  outer.cfa = TargetAddr(kCfa + 0x40);
  abi::Event event{};
  event.g = kG;
  event.stack_hi = kHi;
  Append append;
  append.event = &event;
  append.frames = {inner, outer};
  EXPECT_TRUE(append.was_under_way(make_activation(outer, kG, TargetAddr(kHi))));
  outer.cfa = TargetAddr(kCfa + 0x40 + 0x10000);
  EXPECT_TRUE(append.was_under_way(make_activation(outer, kG, TargetAddr(kHi + 0x10000))))
      << "the stack has moved";
  inner.function.index = read::FuncIndex{5};
  EXPECT_FALSE(append.was_under_way(make_activation(inner, kG, TargetAddr(kHi))))
      << "another function at the same place";
}

}  // namespace
}  // namespace geist::judge
