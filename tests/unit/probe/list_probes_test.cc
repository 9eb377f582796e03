// What stands at a list operation, run (machine.h): which elements are let through, and that nothing
// of the program's is changed.
#include "probe/list_probes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <cstring>

#include "machine.h"

namespace geist::probe {
namespace {

constexpr unsigned long kGoesOn = 1, kEvent = 2;

struct Element {
  Element* next = nullptr;
  Element* prev = nullptr;
  const void* list = nullptr;
  u64 value = 0;
};

class ListProbe : public testing::Test {
 protected:
  static constexpr u64 kGoesOnAt = 0x600, kEventAt = 0x700, kBytes = 0x1000;

  ListProbe() {
    void* at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    memory_ = static_cast<u8*>(at);
    base_ = reinterpret_cast<u64>(at);
    put_test_exit(memory_ + kGoesOnAt, kGoesOn);
    put_test_exit(memory_ + kEventAt, kEvent);
    root.next = root.prev = &element;
    element.next = element.prev = &root;
    element.list = &root;
  }
  ~ListProbe() override { ::munmap(memory_, kBytes); }

  unsigned long run(const program::ListQuestion& question) {
    const Primitive primitive = look_at_list(question, 0);
    x86::Assembler as(base_);
    PrimitivePlace place;
    place.temps = {x86::kR12, x86::kR13};
    place.done = as.new_label();
    place.enter = as.new_label();
    primitive.emit(as, place);
    as.bind(place.done);
    as.jmp_to(base_ + kGoesOnAt);
    as.bind(place.enter);
    as.jmp_to(base_ + kEventAt);
    as.finish();
    EXPECT_TRUE(as.ok());
    std::memcpy(memory_, as.bytes().data(), as.bytes().size());
    MachineState state{};
    state.regs[x86::kRax] = reinterpret_cast<u64>(asked);
    state.regs[x86::kRbx] = reinterpret_cast<u64>(&element) - static_cast<u64>(question.element);
    state.regs[x86::kRcx] = reinterpret_cast<u64>(element.list);
    const MachineState start = state;
    geist_test_enter(&state, base_, stack_ + sizeof stack_ / 2);
    for (int reg : {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11}) EXPECT_EQ(state.regs[reg], start.regs[reg]);
    return state.exit;
  }
  program::ListQuestion question(program::ListMethod method, x86::Reg list, i64 offset = 0) {
    program::ListQuestion q;
    q.method = method;
    q.base = x86::kRbx;
    q.element = offset;
    q.list = list;
    return q;
  }

  Element root, element, other;
  const void* asked = &root;  // the list that is to do it

 private:
  u8* memory_ = nullptr;
  u64 base_ = 0;
  alignas(16) unsigned char stack_[4096] = {};
};

TEST_F(ListProbe, AStepFromAnElementOfNoListIsTold) {
  for (i64 offset : {0, 16}) {
    element.list = &root;
    EXPECT_EQ(run(question(program::ListMethod::kNext, x86::kNoReg, offset)), kGoesOn);
    element.list = nullptr;
    EXPECT_EQ(run(question(program::ListMethod::kPrev, x86::kNoReg, offset)), kEvent);
  }
}

TEST_F(ListProbe, EachRemovalIsNoted) {
  EXPECT_EQ(run(question(program::ListMethod::kRemove, x86::kRax)), kEvent);
}

TEST_F(ListProbe, AMoveWithinTheListGoesOn) {
  EXPECT_EQ(run(question(program::ListMethod::kMove, x86::kRax)), kGoesOn);
  EXPECT_EQ(run(question(program::ListMethod::kMove, x86::kRax, 24)), kGoesOn);
}

TEST_F(ListProbe, AMoveOfAnElementOfAnotherListIsTold) {
  asked = &other;
  EXPECT_EQ(run(question(program::ListMethod::kMove, x86::kRax)), kEvent);
  program::ListQuestion both = question(program::ListMethod::kMove, x86::kRax);
  both.owner = x86::kRcx;
  EXPECT_EQ(run(both), kEvent);
  asked = &root;
  EXPECT_EQ(run(both), kGoesOn);
}

TEST_F(ListProbe, AMoveOfAnElementThatItsNeighboursDoNotKnowIsTold) {
  root.next = &other;
  EXPECT_EQ(run(question(program::ListMethod::kMove, x86::kRax)), kEvent);
  root.next = &element;
  root.prev = &other;
  EXPECT_EQ(run(question(program::ListMethod::kMove, x86::kRax)), kEvent);
}

// A list of another kind ends with nil; nothing is read through it.
TEST_F(ListProbe, ANeighbourThatIsNilIsNotReadThrough) {
  element.prev = nullptr;
  EXPECT_EQ(run(question(program::ListMethod::kMove, x86::kRax)), kGoesOn);
  element.prev = &root;
  element.next = nullptr;
  EXPECT_EQ(run(question(program::ListMethod::kMove, x86::kRax)), kGoesOn);
}

TEST_F(ListProbe, TheRecordSaysWhereEverythingIs) {
  program::ListQuestion q = question(program::ListMethod::kInsert, x86::kRdx, 32);
  const Primitive primitive = look_at_list(q, 72);
  EXPECT_EQ(primitive.detector, abi::kLists);
  EXPECT_EQ(primitive.mode, u32{abi::kListInsert});
  EXPECT_EQ(primitive.values[abi::kListElement].kind, abi::kRegister);
  EXPECT_EQ(primitive.values[abi::kListElement].addend, 32);
  EXPECT_EQ(primitive.values[abi::kListOwner].reg, x86::kRdx);
  EXPECT_EQ(primitive.values[abi::kListFrame].addend, 72);
}

}  // namespace
}  // namespace geist::probe
