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
    const std::vector<u8> bytes{0x48, 0x8b, 0x4c, 0x24, 0x50, 0x48, 0x8b, 0x41, 0x10, 0xc3};
    read::Function function;
    function.entry = kEntry;
    function.end = kEntry + bytes.size();
    code_ = program::FunctionCode::decode_bytes(bytes, function, nullptr);
    heap::StackFrame frame;
    frame.cfa = TargetAddr(kCfa);
    victim_.holder = Holder::kStack;
    victim_.ptr = kPtr;
    victim_.len = kLen;
    victim_.g = TargetAddr(kG);
    victim_.stack_hi = TargetAddr(kHi);
    victim_.ptr_word = TargetAddr(kSp + 0x50);
    victim_.len_word = TargetAddr(kSp + 0x58);
    victim_.frame = make_activation(frame, kG, victim_.stack_hi);
    event_.old_ptr = kPtr;
    event_.new_len = 2;
  }

  // The read, on the stack as it was or `moved` bytes away, where the header has this length.
  bool loads(u64 moved, u64 len_now) {
    target::WatchSample sample;
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

  std::optional<program::FunctionCode> code_;
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
  event_.new_len = kLen;
  EXPECT_FALSE(loads(0, kLen));
}

TEST_F(ThroughTest, AnotherFrameIsNot) {
  victim_.frame.depth += 0x40;
  EXPECT_FALSE(loads(0, kLen));
}

}  // namespace
}  // namespace geist::judge
