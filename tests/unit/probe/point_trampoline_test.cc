// Patched functions are run (machine.h): a small function is written, a point of it is found as in
// any program's code, its jump and its trampoline are written, and the function is called, with the
// registers and the stack that a caller would have. Each must end as it does unpatched.
#include "probe/point_trampoline.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "abi/probe.h"
#include "machine.h"
#include "probe/runtime_entry.h"

namespace geist::probe {
namespace {

using program::FunctionCode;
using program::Point;
using program::PointAnswer;
using program::PointKind;
using x86::Assembler;
using x86::Cond;
using x86::Label;
using x86::MemRef;
using x86::Reg;

constexpr unsigned long kReturned = 1, kEvent = 2;
constexpr u64 kCarry = 1, kZero = 64;
constexpr u8 kRet[] = {0xc3};
constexpr u8 kCompareSp[] = {0x49, 0x3b, 0x66, 0x10};   // cmp rsp, [r14+16]
constexpr u8 kCompareR12[] = {0x4d, 0x3b, 0x66, 0x10};  // cmp r12, [r14+16]

class Points : public testing::Test {
 protected:
  static constexpr u64 kCodeAt = 0x100, kCalleeAt = 0x400, kMoreAt = 0x500, kReturnAt = 0x600,
                       kEventAt = 0x700, kTrampolineAt = 0x1000, kRecordAt = 0x2000,
                       kBytes = 0x4000;

  Points() {
    void* at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    memory = static_cast<u8*>(at);
    base = reinterpret_cast<u64>(at);
    put_test_exit(memory + kReturnAt, kReturned);
    put_test_exit(memory + kEventAt, kEvent);
    // runtime.morestack: there is enough now.
    constexpr u8 kMore[] = {0x49, 0xc7, 0x46, 0x10, 0, 0, 0, 0, 0xc3};  // mov qword [r14+16], 0
    std::memcpy(memory + kMoreAt, kMore, sizeof kMore);
    for (u64 r = 0; r < 16; ++r) start.regs[r] = 0x0101010101010101 * (r + 1);
    start.regs[x86::kR14] = reinterpret_cast<u64>(g);
    g[2] = 0;  // stackguard0: all the stack of the world
  }
  ~Points() override { ::munmap(memory, kBytes); }

  // The function at kCodeAt; `fill` bytes of padding after it.
  template <typename Write>
  void write_function(Write write, usize fill = 0) {
    Assembler as(base + kCodeAt);
    write(as);
    as.finish();
    ASSERT_TRUE(as.ok());
    bytes = as.bytes();
    bytes.insert(bytes.end(), fill, 0xcc);
    std::memcpy(memory + kCodeAt, bytes.data(), bytes.size());
  }
  // A body that changes some registers and flags, then the frame's end.
  static void write_body(Assembler& as) {
    as.push(x86::kRbp);
    as.mov(x86::kRbp, x86::kRsp);
    as.add_imm(x86::kRsp, -32);
    as.mov(MemRef{.base = x86::kRsp, .disp = 8}, x86::kRbx);
    as.add(x86::kRax, x86::kRbx);
    as.add(x86::kRcx, MemRef{.base = x86::kRsp, .disp = 8});
    as.add_imm(x86::kRsp, 32);
    as.pop(x86::kRbp);
    as.append_bytes(kRet);
  }
  void write_more(Assembler& as, Label more) {
    as.bind(more);
    as.call_to(base + kMoreAt);
    as.jmp_to(base + kCodeAt);
  }

  FunctionCode decode() {
    read::Function function;
    function.entry = ImageAddr(base + kCodeAt);
    function.end = function.entry + bytes.size();
    std::optional<FunctionCode> code = FunctionCode::decode_bytes(bytes, function, nullptr);
    EXPECT_TRUE(code.has_value());
    return std::move(*code);
  }

  MachineState call() {
    MachineState state = start;
    u8* top = stack + sizeof stack / 2;
    const u64 returns_to = base + kReturnAt;
    std::memcpy(top, &returns_to, sizeof returns_to);
    geist_test_enter(&state, base + kCodeAt, top);
    return state;
  }

  Point point_of(PointAnswer answer) {
    if (const auto* refused = std::get_if<program::RefusedPoint>(&answer)) {
      ADD_FAILURE() << "refused: " << program::refusal_name(refused->why);
      return {};
    }
    return std::get<Point>(answer);
  }

  static DisplacedCode displaced(program::Displaced range, ByteView code_bytes) {
    DisplacedCode code{range, code_bytes, {}};
    for (u64 at = 0; at < code_bytes.size(); at += code.insns.back().length)
      code.insns.push_back(*x86::decode(code_bytes.subspan(at), range.begin + at));
    return code;
  }
  // Writes the trampoline and the patch of points, in the order of their addresses, each with
  // primitives. These have records one after the other.
  struct At {
    Point point;
    std::vector<Primitive> primitives;
  };
  void patch_all(const std::vector<At>& points) {
    program::Displaced range = points[0].point.displaced;
    for (const At& one : points) {
      range.begin = std::min(range.begin, one.point.displaced.begin);
      range.end = std::max(range.end, one.point.displaced.end);
    }
    const u64 offset = range.begin.value - base, size = range.end - range.begin;
    const std::vector<u8> original(memory + offset, memory + offset + size);
    std::vector<PlacedPrimitive> placed;
    for (const At& one : points) {
      for (const Primitive& primitive : one.primitives)
        placed.push_back({&one.point, &primitive, record(placed.size()), base + kEventAt});
    }
    const u64 at = base + kTrampolineAt + trampolines_bytes;
    std::optional<PointTrampoline> made =
        emit_point_trampoline(placed, displaced(range, original), LoadBias{0}, at);
    ASSERT_TRUE(made.has_value());
    std::memcpy(memory + (at - base), made->bytes.data(), made->bytes.size());
    trampolines_bytes += made->bytes.size();
    resumes = made->resumes;
    Assembler as(range.begin.value);
    if (points[0].point.kind == PointKind::kCall)
      as.call_to(at);
    else
      as.jmp_to(at);
    std::memset(memory + offset, 0xcc, size);
    std::memcpy(memory + offset, as.bytes().data(), as.bytes().size());
  }
  void patch(const Point& point, std::vector<Primitive> primitives) {
    patch_all({{point, std::move(primitives)}});
  }
  u64 record(usize index) const { return base + kRecordAt + index * sizeof(abi::Site); }
  u64 passes(usize index = 0) const {
    return reinterpret_cast<const abi::Site*>(memory + kRecordAt)[index].seen;
  }

  // As before the patch, in what a caller may look at: R12, R13 and R15 are nobody's after a call.
  void expect_same(const MachineState& got, const MachineState& plain,
                   x86::RegMask scratch = x86::bit(x86::kR12) | x86::bit(x86::kR13) |
                                          x86::bit(x86::kR15)) {
    EXPECT_EQ(got.exit, plain.exit);
    for (u32 r = 0; r < 16; ++r) {
      if ((scratch & 1u << r) != 0) continue;
      EXPECT_EQ(got.regs[r], plain.regs[r]) << "register " << r;
    }
  }

  u8* memory = nullptr;
  u64 base = 0;
  std::vector<u8> bytes;
  usize trampolines_bytes = 0;
  std::vector<u64> resumes;
  MachineState start{};
  u64 g[8] = {};
  alignas(16) u8 stack[8192] = {};
};

// Stores RAX, RBX and the word at SP into the record's fields that nobody else uses here.
Primitive look() {
  Primitive primitive;
  primitive.temps = 1;
  primitive.uses = x86::bit(x86::kRax) | x86::bit(x86::kRbx);
  primitive.emit = [](Assembler& as, const PrimitivePlace& place) {
    auto field = [&](usize offset) {
      return MemRef{.disp = static_cast<i64>(place.record + offset), .absolute = true};
    };
    as.mov(field(offsetof(abi::Site, skip)), x86::kRax);
    as.mov(field(offsetof(abi::Site, period)), x86::kRbx);
    as.mov(place.temps[0], MemRef{.base = x86::kRsp, .disp = place.pushed_bytes});
    as.mov(field(offsetof(abi::Site, recorded)), place.temps[0]);
  };
  return primitive;
}

TEST_F(Points, AnEntryIsPassedOnceACall) {
  write_function([&](Assembler& as) {
    const Label more = as.new_label();
    as.append_bytes(kCompareSp);
    as.jcc(Cond::kBe, more);
    write_body(as);
    write_more(as, more);
  });
  const MachineState plain = call();
  ASSERT_EQ(plain.exit, kReturned);
  patch(point_of(program::entry_point(decode())), {count_passes(), look()});
  expect_same(call(), plain);
  EXPECT_EQ(passes(), 1u);
  const auto* seen = reinterpret_cast<const abi::Site*>(memory + kRecordAt) + 1;
  EXPECT_EQ(seen->skip, start.regs[x86::kRax]);
  EXPECT_EQ(seen->period, start.regs[x86::kRbx]);
  EXPECT_EQ(seen->recorded, base + kReturnAt);  // [SP] is the return address still
}

TEST_F(Points, WhenTheStackGrowsTheEntryIsPassedOnce) {
  struct Shape {
    std::vector<u8> check;
    bool has_underflow_check;
  };
  const Shape shapes[] = {
      {{0x49, 0x3b, 0x66, 0x10}, false},
      {{0x4c, 0x8d, 0xa4, 0x24, 0x00, 0xff, 0xff, 0xff, 0x4d, 0x3b, 0x66, 0x10}, false},
      {{0x4d, 0x3b, 0x66, 0x10}, true},
  };
  for (const Shape& shape : shapes) {
    write_function([&](Assembler& as) {
      const Label more = as.new_label();
      if (shape.has_underflow_check) {
        as.mov(x86::kR12, x86::kRsp);
        constexpr u8 kSubtract[] = {0x49, 0x81, 0xec, 0x00, 0x20, 0, 0};  // sub r12, 0x2000
        as.append_bytes(kSubtract);
        as.jcc(Cond::kB, more);
      }
      as.append_bytes(shape.check);
      as.jcc(Cond::kBe, more);
      write_body(as);
      write_more(as, more);
    });
    const MachineState plain = call();
    std::memset(memory + kRecordAt, 0, sizeof(abi::Site));
    patch(point_of(program::entry_point(decode())), {count_passes()});
    g[2] = ~u64{0};  // not enough: the check fails until kMoreAt was called
    expect_same(call(), plain);
    EXPECT_EQ(g[2], 0u);
    EXPECT_EQ(passes(), 1u);
  }
}

TEST_F(Points, AFunctionWithoutACheckIsProbedAtItsEntry) {
  write_function([&](Assembler& as) {
    as.lea(x86::kRax, {.base = x86::kRax, .index = x86::kRbx, .disp = 0x100});
    as.append_bytes(kRet);
  });
  const MachineState plain = call();
  const Point point = point_of(program::entry_point(decode()));
  EXPECT_EQ(point.at.value, base + kCodeAt);
  patch(point, {count_passes(), look()});
  expect_same(call(), plain);
  EXPECT_EQ(passes(), 1u);
}

TEST_F(Points, AFunctionShorterThanAJumpTakesThePaddingAfterIt) {
  write_function(
      [&](Assembler& as) {
        as.mov(x86::kRax, x86::kRbx);
        as.append_bytes(kRet);
      },
      12);
  const MachineState plain = call();
  patch(point_of(program::entry_point(decode())), {count_passes()});
  expect_same(call(), plain);
  EXPECT_EQ(passes(), 1u);
}

// The whole of a short function gives way to one jump.
TEST_F(Points, EntryAndReturnMayShareTheirBytes) {
  write_function([&](Assembler& as) {
    as.lea(x86::kRax, {.base = x86::kRax, .index = x86::kRbx});
    as.append_bytes(kRet);
  });
  const MachineState plain = call();
  const Point entry = point_of(program::entry_point(decode()));
  const Point ret = point_of(program::return_points(decode())[0]);
  EXPECT_LT(ret.displaced.begin, entry.displaced.end);
  patch_all({{entry, {look()}}, {ret, {count_passes(), look()}}});
  expect_same(call(), plain);
  const auto* seen = reinterpret_cast<const abi::Site*>(memory + kRecordAt);
  EXPECT_EQ(seen[0].skip, start.regs[x86::kRax]);
  EXPECT_EQ(seen[1].seen, 1u);
  EXPECT_EQ(seen[2].skip, plain.regs[x86::kRax]);
}

TEST_F(Points, EachReturnIsPassedWithItsResults) {
  write_function(
      [&](Assembler& as) {
        const Label other = as.new_label();
        as.push(x86::kRbp);
        as.mov(x86::kRbp, x86::kRsp);
        as.cmp(x86::kRcx, x86::kRdi);
        as.jcc(Cond::kA, other);
        as.add(x86::kRax, x86::kRbx);
        as.pop(x86::kRbp);
        as.append_bytes(kRet);  // room before it
        as.bind(other);
        as.pop(x86::kRbp);
        as.append_bytes(kRet);  // the padding gives room
      },
      4);
  const std::vector<PointAnswer> answers = program::return_points(decode());
  ASSERT_EQ(answers.size(), 2u);
  for (bool above : {false, true}) {
    start.regs[x86::kRcx] = above ? start.regs[x86::kRdi] + 1 : 0;
    std::memcpy(memory + kCodeAt, bytes.data(), bytes.size());
    std::memset(memory + kRecordAt, 0, 2 * sizeof(abi::Site));
    const MachineState plain = call();
    for (const PointAnswer& answer : answers) patch(point_of(answer), {count_passes(), look()});
    expect_same(call(), plain);
    EXPECT_EQ(passes(), 1u);
    const auto* seen = reinterpret_cast<const abi::Site*>(memory + kRecordAt) + 1;
    EXPECT_EQ(seen->skip, plain.regs[x86::kRax]);
    EXPECT_EQ(seen->recorded, base + kReturnAt);  // the frame is gone: as before the RET itself
  }
}

// A caller that tells by flags what its callee returned; the callee adds one to RAX.
class CallPoints : public Points {
 protected:
  void write_caller(u64 answer) {
    Assembler callee(base + kCalleeAt);
    callee.mov(x86::kRbx, x86::kRax);
    callee.mov_imm(x86::kRax, static_cast<i64>(answer));
    callee.append_bytes(kRet);
    std::memcpy(memory + kCalleeAt, callee.bytes().data(), callee.bytes().size());
    write_function([&](Assembler& as) {
      const Label zero = as.new_label();
      as.call_to(base + kCalleeAt);
      as.test(x86::kRax, x86::kRax);
      as.jcc(Cond::kE, zero);
      as.mov(x86::kRcx, x86::kRax);
      as.append_bytes(kRet);
      as.bind(zero);
      as.mov(x86::kRcx, x86::kRbx);
      as.append_bytes(kRet);
    });
  }
};

TEST_F(CallPoints, WhatACallReturnedIsSeenRightAfterIt) {
  for (u64 answer : {0, 7}) {
    write_caller(answer);
    std::memset(memory + kRecordAt, 0, 2 * sizeof(abi::Site));
    const MachineState plain = call();
    const Point point = point_of(program::after_call_point(decode(), 0));
    EXPECT_EQ(point.at.value, base + kCodeAt + 5);
    EXPECT_EQ(point.target.value, base + kCalleeAt);
    patch(point, {count_passes(), look()});
    expect_same(call(), plain);
    EXPECT_EQ(passes(), 1u);
    const auto* seen = reinterpret_cast<const abi::Site*>(memory + kRecordAt) + 1;
    EXPECT_EQ(seen->skip, answer);
    EXPECT_EQ(seen->period, start.regs[x86::kRax]);
  }
}

TEST_F(CallPoints, ARedirectedCallReturnsToWhereItWasMade) {
  write_caller(7);
  const MachineState plain = call();
  const Point point = point_of(program::call_point(decode(), 0, x86::kAllGprs | x86::kFlagsBit));
  patch(point, {count_passes(), look()});
  EXPECT_EQ(memory[kCodeAt], 0xe8);
  expect_same(call(), plain);
  EXPECT_EQ(passes(), 1u);
  const auto* seen = reinterpret_cast<const abi::Site*>(memory + kRecordAt) + 1;
  EXPECT_EQ(seen->skip, start.regs[x86::kRax]);  // the argument
  EXPECT_EQ(seen->recorded, base + kCodeAt + 5);
}

// CMP; the point between it and a branch on its flags: nothing may be lost, with and without free
// registers.
TEST_F(Points, LiveFlagsAndRegistersAreKept) {
  for (bool equal : {false, true}) {
    write_function([&](Assembler& as) {
      const Label same = as.new_label();
      as.cmp(x86::kRax, x86::kRbx);
      as.mov(x86::kRdx, x86::kRcx);  // the point
      as.mov(x86::kRdi, x86::kRcx);
      as.jcc(Cond::kE, same);
      as.lea(x86::kRsi, {.base = x86::kRsi, .disp = 1});
      as.bind(same);
      as.append_bytes(kRet);
    });
    start.regs[x86::kRbx] = start.regs[x86::kRax] + (equal ? 0 : 1);
    const MachineState plain = call();
    Point point = point_of(program::point_at(decode(), 1, PointKind::kInlined));
    EXPECT_NE(point.live & x86::kFlagsBit, 0u);
    point.live = x86::kAllGprs | x86::kFlagsBit;
    std::memset(memory + kRecordAt, 0, 2 * sizeof(abi::Site));
    patch(point, {count_passes(), look()});
    const MachineState got = call();
    expect_same(got, plain, 0);
    EXPECT_EQ(got.flags & (kCarry | kZero), plain.flags & (kCarry | kZero));
    EXPECT_EQ(passes(), 1u);
  }
}

TEST_F(Points, InstructionsBeforeThePointRunBeforeIt) {
  write_function([&](Assembler& as) {
    as.mov(x86::kRax, x86::kRbx);
    as.mov(x86::kRcx, x86::kRax);  // the point: RAX has changed
    as.append_bytes(kRet);
  });
  const MachineState plain = call();
  const Point point = point_of(program::point_at(decode(), 1, PointKind::kInlined));
  EXPECT_EQ(point.displaced.begin.value, base + kCodeAt);
  patch(point, {look()});
  expect_same(call(), plain);
  EXPECT_EQ(reinterpret_cast<const abi::Site*>(memory + kRecordAt)->skip, start.regs[x86::kRbx]);
}

TEST_F(Points, TheRuntimeIsEnteredWithTheMachineOfThePoint) {
  write_function([&](Assembler& as) { write_body(as); });
  const MachineState plain = call();
  Point point = point_of(program::entry_point(decode()));
  point.live = x86::kAllGprs | x86::kFlagsBit;
  patch(point, {count_passes(), enter_runtime(), look()});
  const MachineState event = call();
  ASSERT_EQ(event.exit, kEvent);
  EXPECT_EQ(event.regs[x86::kRax], record(1));
  EXPECT_EQ(event.regs[x86::kRsp], static_cast<u64>(-static_cast<i64>(kEntryFrameBytes)));
  u64 saved_rax = 0;
  std::memcpy(&saved_rax, stack + sizeof stack / 2 - kEntryFrameBytes, 8);
  EXPECT_EQ(saved_rax, start.regs[x86::kRax]);
  for (int r : {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
    EXPECT_EQ(event.regs[r], start.regs[r]) << r;
  EXPECT_EQ(passes(2), 0u);
  // The runtime goes on with the next primitive.
  MachineState rest = start;
  geist_test_enter(&rest, resumes[1], stack + sizeof stack / 2);
  expect_same(rest, plain, 0);
  EXPECT_EQ(reinterpret_cast<const abi::Site*>(memory + kRecordAt)[2].skip, start.regs[x86::kRax]);
}

// A condition: growslice is told of another capacity.
TEST_F(Points, AnArgumentCanBeChangedOnPurpose) {
  write_function([&](Assembler& as) {
    as.mov(x86::kRax, x86::kRcx);
    as.mov(x86::kRsi, x86::kRbx);
    as.append_bytes(kRet);
  });
  Primitive roomy;
  roomy.uses = x86::bit(x86::kRbx) | x86::bit(x86::kRcx);
  roomy.emit = [](Assembler& as, const PrimitivePlace&) {
    as.lea(x86::kRcx, {.base = x86::kRbx, .index = x86::kRbx, .disp = 4});
  };
  patch(point_of(program::entry_point(decode())), {roomy});
  const MachineState end = call();
  EXPECT_EQ(end.regs[x86::kRax], 2 * start.regs[x86::kRbx] + 4);
  EXPECT_EQ(end.regs[x86::kRbx], start.regs[x86::kRbx]);
}

TEST_F(Points, ThePrimitiveSaysHowMuchStackItTakes) {
  Point point;
  point.live = x86::kAllGprs | x86::kFlagsBit;
  EXPECT_EQ(stack_needed(point, count_passes()), 8u);
  EXPECT_EQ(stack_needed(point, look()), 8u);
  EXPECT_EQ(stack_needed(point, enter_runtime()), kEntryStackBytes);
  point.live = 0;
  EXPECT_EQ(stack_needed(point, count_passes()), 0u);
}

// Nothing is emitted for code that is not what the point says.
TEST_F(Points, APointThatIsNotInTheCodeIsRefused) {
  write_function([&](Assembler& as) { write_body(as); });
  Point point = point_of(program::entry_point(decode()));
  const DisplacedCode code = displaced(point.displaced, ByteView(bytes).first(8));
  const Primitive count = count_passes();
  auto emit = [&] {
    const PlacedPrimitive placed{&point, &count, record(0), 0};
    return emit_point_trampoline({&placed, 1}, code, LoadBias{0}, base + kTrampolineAt);
  };
  EXPECT_TRUE(emit().has_value());
  point.at += 2;  // inside an instruction
  EXPECT_FALSE(emit().has_value());
  point.at = code.range.begin;
  point.kind = PointKind::kCall;  // where there is none
  EXPECT_FALSE(emit().has_value());
}

}  // namespace
}  // namespace geist::probe
