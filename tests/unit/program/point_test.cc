// Where a point can be, and why it cannot: on functions of a few instructions. That patched code
// does what it did is for tests/unit/probe.
#include "program/point.h"

#include <gtest/gtest.h>

#include "assembled_code.h"
#include "program/inlined_bodies.h"
#include "program/stack_check.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::Cond;
using x86::Label;
using x86::MemRef;

constexpr u64 kCalled = 0x400000;
constexpr u8 kCompareSp[] = {0x49, 0x3b, 0x66, 0x10};  // cmp rsp, [r14+16]
constexpr u8 kFsLoad[] = {0x64, 0x48, 0x8b, 0x0c, 0x25, 0xf8, 0xff, 0xff, 0xff};  // mov rcx, fs:-8
constexpr u8 kCompareInG[] = {0x48, 0x3b, 0x61, 0x10};  // cmp rsp, [rcx+16]
constexpr u8 kJmpRax[] = {0xff, 0xe0};
constexpr u8 kRet[] = {0xc3};

std::string why(const PointAnswer& answer) {
  const auto* refused = std::get_if<RefusedPoint>(&answer);
  return refused == nullptr ? "" : std::string(refusal_name(refused->why));
}

void write_frame(Assembler& a) {
  a.push(x86::kRbp);
  a.mov(x86::kRbp, x86::kRsp);
  a.add_imm(x86::kRsp, -64);
}

// With a stack check; `body` writes what follows it, and ends it.
template <typename Body>
FunctionCode checked_function(Body body) {
  Assembler a(kEntry.value);
  const Label more = a.new_label();
  a.append_bytes(kCompareSp);
  a.jcc(Cond::kBe, more);
  body(a);
  a.bind(more);
  a.call_to(kCalled);
  a.jmp_to(kEntry.value);
  return decode(a);
}

TEST(EntryPoint, IsTheFirstInstructionAfterTheStackCheck) {
  FunctionCode code = checked_function([](Assembler& a) {
    write_frame(a);
    a.append_bytes(kRet);
  });
  PointAnswer answer = entry_point(code);
  ASSERT_EQ(why(answer), "");
  const Point& point = std::get<Point>(answer);
  EXPECT_EQ(point.at, kEntry + 10);  // CMP of 4, JBE of 6
  EXPECT_EQ(point.displaced.begin, kEntry + 10);
  EXPECT_EQ(point.displaced.end, kEntry + 18);  // PUSH, MOV, ADD
  // Arguments and g are kept; what is read by nobody may be used.
  EXPECT_NE(point.live & x86::bit(x86::kRax), 0u);
  EXPECT_NE(point.live & x86::bit(x86::kR14), 0u);
  EXPECT_EQ(point.live & x86::bit(x86::kR13), 0u);
  EXPECT_EQ(point.live & x86::kFlagsBit, 0u);
}

TEST(EntryPoint, NotWhereTheBodyBeginsALoop) {
  FunctionCode code = checked_function([](Assembler& a) {
    const Label body = a.new_label();
    a.bind(body);
    a.add_imm(x86::kRax, 0x1000);
    a.cmp(x86::kRax, x86::kRbx);
    a.jcc(Cond::kB, body);
    a.append_bytes(kRet);
  });
  EXPECT_EQ(why(entry_point(code)), "branch_target");
}

TEST(EntryPoint, NotWithAPrologueThatIsNotKnown) {
  // g by way of thread-local storage, as assembly loads it.
  Assembler a(kEntry.value);
  const Label more = a.new_label();
  a.append_bytes(kFsLoad);
  a.append_bytes(kCompareInG);
  a.jcc(Cond::kBe, more);
  write_frame(a);
  a.append_bytes(kRet);
  a.bind(more);
  a.call_to(kCalled);
  a.jmp_to(kEntry.value);
  FunctionCode code = decode(a);
  EXPECT_EQ(why(entry_point(code)), "unexpected_prologue");
  // A check that leads to no morestack.
  Assembler b(kEntry.value);
  const Label out = b.new_label();
  b.append_bytes(kCompareSp);
  b.jcc(Cond::kBe, out);
  write_frame(b);
  b.bind(out);
  FunctionCode other = decode(b);
  EXPECT_EQ(why(entry_point(other)), "unexpected_prologue");
}

TEST(EntryPoint, NotWhatMayFaultOrCalls) {
  Assembler faults(kEntry.value);
  faults.mov(x86::kRax, MemRef{.base = x86::kRax, .disp = 8});
  faults.mov(x86::kRbx, x86::kRax);
  FunctionCode code = decode(faults);
  EXPECT_EQ(why(entry_point(code)), "may_fault");
  Assembler calls(kEntry.value);
  calls.push(x86::kRbp);
  calls.call_to(kCalled);
  FunctionCode caller = decode(calls);
  EXPECT_EQ(why(entry_point(caller)), "call_inside");
}

TEST(EntryPoint, NotWithTooFewBytes) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kRbx);
  FunctionCode code = decode(a);  // 4 bytes, and no padding
  EXPECT_EQ(why(entry_point(code)), "no_room");
}

TEST(EntryPoint, NotOfAFunctionThatSwitchesStacks) {
  Assembler a(kEntry.value);
  write_frame(a);
  a.finish();
  std::vector<u8> bytes = a.bytes();
  bytes.push_back(kRet[0]);
  read::Function function;
  function.entry = kEntry;
  function.end = kEntry + bytes.size();
  function.flag = 2;  // SPWrite
  FunctionCode code = std::move(*FunctionCode::decode_bytes(bytes, function, nullptr));
  EXPECT_EQ(why(entry_point(code)), "special_frame");
}

TEST(ReturnPoints, EachRetAndEachJumpOutHasItsAnswer) {
  Assembler a(kEntry.value);
  const Label second = a.new_label(), third = a.new_label();
  a.cmp(x86::kRax, x86::kRbx);
  a.jcc(Cond::kE, second);
  a.jcc(Cond::kA, third);
  a.add_imm(x86::kRsp, 0x100);
  a.pop(x86::kRbp);
  a.append_bytes(kRet);
  a.bind(second);
  a.jmp_to(kCalled);
  a.bind(third);  // a RET that is jumped to, and nothing after it but another instruction
  a.append_bytes(kRet);
  FunctionCode code = decode(a);
  std::vector<PointAnswer> answers = return_points(code);
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(why(answers[0]), "");
  EXPECT_EQ(why(answers[1]), "leaves_by_jump");
  EXPECT_EQ(why(answers[2]), "no_room");
  EXPECT_EQ(why(answers[3]), "no_room");
  const Point& point = std::get<Point>(answers[0]);
  EXPECT_EQ(point.displaced.end, point.at + 1);
  EXPECT_LT(point.displaced.begin, point.at);
}

TEST(ReturnPoints, SomeFunctionsNeverReturn) {
  Assembler a(kEntry.value);
  const Label again = a.new_label();
  a.bind(again);
  a.call_to(kCalled);
  a.jmp(again);
  a.finish();
  static const std::vector<u8> bytes = a.bytes();
  read::Function function;
  function.entry = kEntry;
  function.end = kEntry + bytes.size();
  FunctionCode code = std::move(*FunctionCode::decode_bytes(bytes, function, nullptr));
  std::vector<PointAnswer> answers = return_points(code);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(why(answers[0]), "never_returns");
}

TEST(AfterCallPoint, NotWhereOthersComeToo) {
  Assembler a(kEntry.value);
  const Label after = a.new_label();
  a.call_to(kCalled);
  a.bind(after);
  a.add_imm(x86::kRax, 0x1000);
  a.cmp(x86::kRax, x86::kRbx);
  a.jcc(Cond::kNe, after);
  FunctionCode code = decode(a);
  EXPECT_EQ(why(after_call_point(code, 0)), "branch_target");
}

TEST(AfterCallPoint, NotAcrossAnotherCallOrAJumpInto) {
  Assembler a(kEntry.value);
  a.call_to(kCalled);
  a.mov(x86::kRax, x86::kRbx);
  a.call_to(kCalled);
  FunctionCode code = decode(a);
  EXPECT_EQ(why(after_call_point(code, 0)), "call_inside");
  Assembler b(kEntry.value);
  const Label between = b.new_label();
  b.call_to(kCalled);
  b.mov(x86::kRax, x86::kRbx);
  b.bind(between);
  b.mov(x86::kRcx, x86::kRdx);
  b.test(x86::kRcx, x86::kRcx);
  b.jcc(Cond::kNe, between);
  FunctionCode loop = decode(b);
  EXPECT_EQ(why(after_call_point(loop, 0)), "branch_target");
}

TEST(AfterCallPoint, AJumpThatIsNotKnownMayLeadAnywhere) {
  for (bool known : {false, true}) {
    Assembler a(kEntry.value);
    a.call_to(kCalled);
    a.mov(x86::kRax, x86::kRbx);
    a.mov(x86::kRcx, x86::kRdx);
    if (!known) a.append_bytes(kJmpRax);
    FunctionCode code = decode(a);
    EXPECT_EQ(why(after_call_point(code, 0)), known ? "" : "unknown_jumps");
  }
}

TEST(CallPoint, IsTheCallItself) {
  Assembler a(kEntry.value);
  a.mov(x86::kRax, x86::kRbx);
  a.call_to(kCalled);
  a.mov(MemRef{.base = x86::kRsp}, x86::kR12);
  FunctionCode code = decode(a);
  PointAnswer answer = call_point(code, 1, x86::bit(x86::kRax));
  ASSERT_EQ(why(answer), "");
  const Point& point = std::get<Point>(answer);
  EXPECT_EQ(point.displaced.begin, kEntry + 3);
  EXPECT_EQ(point.displaced.end, kEntry + 8);
  EXPECT_EQ(point.target.value, kCalled);
  // What the called one reads, and what its caller keeps there meanwhile.
  EXPECT_NE(point.live & x86::bit(x86::kRax), 0u);
  EXPECT_NE(point.live & x86::bit(x86::kR12), 0u);
  EXPECT_EQ(point.live & x86::bit(x86::kR13), 0u);
  EXPECT_EQ(point.live & x86::kFlagsBit, 0u);
  EXPECT_EQ(why(call_point(code, 0, 0)), "no_such_call");
}

TEST(StackCheck, IsOneOfThree) {
  EXPECT_FALSE(read_stack_check({}, kEntry).has_value());
  Assembler other(kEntry.value);
  other.cmp(x86::kRsp, x86::kR14);
  other.jcc_to(Cond::kBe, kCalled);
  EXPECT_FALSE(read_stack_check(other.bytes(), kEntry).has_value());
  Assembler small(kEntry.value);
  small.append_bytes(kCompareSp);
  small.jcc_to(Cond::kBe, kCalled);
  std::optional<StackCheck> check = read_stack_check(small.bytes(), kEntry);
  ASSERT_TRUE(check.has_value());
  EXPECT_EQ(check->branch, kEntry + 4);
  EXPECT_EQ(check->body, kEntry + 10);
  EXPECT_EQ(check->more.value, kCalled);
}

// Two ways through the body: [2] comes before both, [4] and [6] before one.
TEST(BodyEntry, ComesBeforeAllOtherParts) {
  Assembler a(kEntry.value);
  const Label other = a.new_label(), end = a.new_label();
  a.cmp(x86::kRax, x86::kRbx);
  a.mov(x86::kRcx, x86::kRbx);
  const ImageAddr first(a.here());
  a.mov(x86::kRdx, x86::kRcx);
  a.jcc(Cond::kE, other);
  const ImageAddr left(a.here());
  a.mov(x86::kRsi, x86::kRcx);
  a.jmp(end);
  a.bind(other);
  const ImageAddr right(a.here());
  a.mov(x86::kRdi, x86::kRcx);
  a.bind(end);
  FunctionCode code = decode(a);
  InlinedBody body;
  body.ranges = {{first, first + 3}, {left, left + 3}, {right, right + 3}};
  std::optional<u32> entry = find_body_entry(code, body);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(code.briefs()[*entry].addr, first);
  body.ranges.erase(body.ranges.begin());
  EXPECT_FALSE(find_body_entry(code, body).has_value());
}

TEST(Pattern, AStarAtTheEndIsAnything) {
  EXPECT_TRUE(fits_pattern("runtime.mapassign_faststr", "runtime.mapassign*"));
  EXPECT_TRUE(fits_pattern("runtime.mapassign", "runtime.mapassign*"));
  EXPECT_FALSE(fits_pattern("runtime.mapassign_faststr", "runtime.mapassign"));
  EXPECT_TRUE(fits_pattern("container/list.(*List).Remove", "container/list.(*List).Remove"));
  EXPECT_FALSE(fits_pattern("container/list.List.Remove", "container/list.(*List).Remove"));
}

}  // namespace
}  // namespace geist::program
