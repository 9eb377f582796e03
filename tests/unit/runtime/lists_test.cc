// What the runtime makes of an element: whose it was, who took it out, and when it says nothing.
#include "abi/lists.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>

#include "fake_sys.h"
#include "runtime/runtime.h"

namespace geist::runtime {
namespace {

constexpr uint64_t kHz = 1000000000, kMs = 1000000;
constexpr uint8_t kElementReg = 3, kListReg = 0;

struct Element {
  uint64_t next = 0, prev = 0, list = 0, value = 0;
};
uint64_t address(const Element& element) {
  return reinterpret_cast<uint64_t>(&element);
}

abi::Location in_register(uint8_t reg) {
  abi::Location l{};
  l.kind = abi::kRegister;
  l.reg = reg;
  return l;
}

class Lists : public testing::Test {
 protected:
  Lists() {
    fake = FakeSys();
    fake.tsc = kMs;
    control.armed = 1;
    control.tsc_hz = kHz;
    control.heartbeat_limit = 2 * kHz;
    control.heartbeat_tsc = fake.tsc;
    control.g_goid = 16;
    control.g_m = 24;
    control.m_curg = 8;
    for (uint64_t i = 0; i < abi::kSlots; ++i) slots[i].sequence = i;
    state->control = reinterpret_cast<uint64_t>(&control);
    state->slots = reinterpret_cast<uint64_t>(slots.get());
    g = {reinterpret_cast<uint64_t>(stack.data()),
         reinterpret_cast<uint64_t>(stack.data() + stack.size()), 7,
         reinterpret_cast<uint64_t>(m.data())};
    m[1] = reinterpret_cast<uint64_t>(g.data());
    // A frame of one word: its return address, then the caller's saved frame pointer chain.
    stack[33] = 0x1000;
    stack[41] = 0x2000;
    saved.regs[4] = reinterpret_cast<uint64_t>(&stack[32]);
    saved.regs[5] = reinterpret_cast<uint64_t>(&stack[40]);
    saved.regs[14] = reinterpret_cast<uint64_t>(g.data());
    for (uint32_t mode = 0; mode < abi::kListOperations; ++mode) {
      abi::Site& site = sites[mode];
      site.id = 50 + mode;
      site.detector = abi::kLists;
      site.mode = mode;
      site.values[abi::kListElement] = in_register(kElementReg);
      if (mode >= abi::kListRemove) site.values[abi::kListOwner] = in_register(kListReg);
      site.values[abi::kListFrame].addend = 8;
    }
    // root ⇄ a ⇄ b ⇄ root
    link(root, a);
    link(a, b);
    link(b, root);
    a.list = b.list = address(root);
  }
  static void link(Element& one, Element& two) {
    one.next = address(two);
    two.prev = address(one);
  }
  void asks(uint32_t mode, const Element& element, const Element* list = nullptr) {
    saved.regs[kElementReg] = address(element);
    saved.regs[kListReg] = list != nullptr ? address(*list) : 0;
    geist_on_point(&sites[mode], &saved, state.get());
  }
  // As the program does then.
  void removes(Element& element) {
    asks(abi::kListRemove, element, &root);
    reinterpret_cast<Element*>(element.prev)->next = element.next;
    reinterpret_cast<Element*>(element.next)->prev = element.prev;
    element = {0, 0, 0, element.value};
  }
  uint64_t told() const { return control.recorded; }
  const abi::Event& event(uint64_t index = 0) { return slots[index].event; }

  abi::Control control{};
  std::unique_ptr<abi::Slot[]> slots = std::make_unique<abi::Slot[]>(abi::kSlots);
  std::unique_ptr<abi::State> state = std::make_unique<abi::State>();
  std::array<abi::Site, abi::kListOperations> sites{};
  std::array<uint64_t, 8> g{}, m{};
  std::array<uint64_t, 64> stack{};
  Saved saved{};
  Element root, a, b, other_root, c;
};

TEST_F(Lists, AWalkWithinTheListIsSilent) {
  asks(abi::kListNext, a);
  asks(abi::kListPrev, b);
  asks(abi::kListMove, b, &root);
  removes(a);
  asks(abi::kListNext, b);
  EXPECT_EQ(told(), 0u);
}

TEST_F(Lists, AStepFromARemovedElementIsToldWithWhoRemovedIt) {
  removes(a);
  asks(abi::kListNext, a);
  ASSERT_EQ(told(), 1u);
  const abi::ListFacts& facts = event().list;
  EXPECT_EQ(facts.kind, abi::kListStale);
  EXPECT_EQ(facts.operation, uint64_t{abi::kListNext});
  EXPECT_EQ(facts.element, address(a));
  EXPECT_EQ(facts.list, address(root));
  EXPECT_EQ(facts.next, address(b));
  EXPECT_EQ(facts.prev, address(root));
  EXPECT_EQ(facts.has_removal, 1u);
  EXPECT_EQ(facts.removal_goid, 7u);
  EXPECT_EQ(event().other_site, 50u + abi::kListRemove);
  ASSERT_EQ(event().old_size, 16u);
  std::array<uint64_t, 2> returns{};
  std::memcpy(returns.data(), event().old_bytes, 16);
  EXPECT_EQ(returns, (std::array<uint64_t, 2>{0x1000, 0x2000}));
}

TEST_F(Lists, OfAnElementThatWasNeverSeenOnlyThatMuchIsTold) {
  asks(abi::kListNext, c);
  ASSERT_EQ(told(), 1u);
  EXPECT_EQ(event().list.has_removal, 0u);
  EXPECT_EQ(event().old_size, 0u);
}

TEST_F(Lists, TheSameAgainIsToldLessAndLessOften) {
  removes(a);
  for (int i = 0; i < 64; ++i) asks(abi::kListNext, a);
  EXPECT_EQ(told(), 7u);  // 1, 2, 4, … 64
}

TEST_F(Lists, ASecondRemovalIsSilent) {
  removes(a);
  asks(abi::kListRemove, a, &root);
  EXPECT_EQ(told(), 0u);
}

TEST_F(Lists, AnElementThatItsNeighboursDoNotKnowIsTold) {
  Element copy = a;
  asks(abi::kListMove, copy, &root);
  ASSERT_EQ(told(), 1u);
  EXPECT_EQ(event().list.kind, abi::kListTorn);
  EXPECT_EQ(event().list.owner, address(root));
  EXPECT_EQ(event().list.next, address(b));
}

TEST_F(Lists, AnElementOfAnotherListIsToldWhereThatHasIt) {
  link(other_root, c);
  link(c, other_root);
  c.list = address(other_root);
  asks(abi::kListRemove, c, &root);
  ASSERT_EQ(told(), 1u);
  EXPECT_EQ(event().list.kind, abi::kListForeign);
  EXPECT_EQ(event().list.list, address(other_root));
  // Its own list does not know it any more: nothing is sure.
  link(other_root, other_root);
  asks(abi::kListInsert, c, &root);
  EXPECT_EQ(told(), 1u);
}

// The element's word was in a register, too, and which is which was not known.
TEST_F(Lists, OfTwoWordsTheOtherOneIsTheList) {
  for (abi::Site& site : sites) site.values[abi::kListOther] = in_register(1);
  saved.regs[1] = address(root);
  link(other_root, c);
  link(c, other_root);
  c.list = address(other_root);
  asks(abi::kListRemove, c, &other_root);
  ASSERT_EQ(told(), 1u);
  EXPECT_EQ(event().list.kind, abi::kListForeign);
  EXPECT_EQ(event().list.owner, address(root));
}

TEST_F(Lists, NothingIsToldOnTheSystemStackOrOfNil) {
  m[1] = 0;
  asks(abi::kListNext, c);
  m[1] = reinterpret_cast<uint64_t>(g.data());
  saved.regs[kElementReg] = 0;
  geist_on_point(&sites[abi::kListNext], &saved, state.get());
  EXPECT_EQ(told(), 0u);
}

}  // namespace
}  // namespace geist::runtime
