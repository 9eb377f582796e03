// Bodies of list methods as Go's compilers write them, put together instruction by instruction; and
// code of the same layout that is no list's.
#include "program/list_questions.h"

#include "assembled_code.h"

namespace geist::program {
namespace {

using x86::Assembler;
using x86::Cond;
using x86::kRax;
using x86::kRbx;
using x86::kRcx;
using x86::kRdi;
using x86::kRdx;
using x86::kRsi;
using x86::MemRef;
using x86::Reg;

std::optional<ListQuestion> ask(Assembler& as, ListMethod method) {
  const FunctionCode code = decode(as);
  const InsnRange all{0, static_cast<u32>(code.briefs().size())};
  return find_list_question(code, method, std::span(&all, 1));
}

TEST(ListMethods, AreKnownByTheirNames) {
  EXPECT_EQ(list_method("container/list.(*Element).Next"), ListMethod::kNext);
  EXPECT_EQ(list_method("a.b/lists.(*Element[...]).Prev"), ListMethod::kPrev);
  EXPECT_EQ(list_method("container/list.(*List).Remove"), ListMethod::kRemove);
  EXPECT_EQ(list_method("container/list.(*List).MoveBefore"), ListMethod::kMove);
  EXPECT_EQ(list_method("container/list.(*List).InsertAfter"), ListMethod::kInsert);
  EXPECT_EQ(list_method("container/list.(*List).Next-fm"), std::nullopt);
  EXPECT_EQ(list_method("main.Next"), std::nullopt);
  EXPECT_EQ(list_method("container/list.(*List).remove"), std::nullopt);
}

// MOVQ 16(AX), CX; TESTQ CX, CX; JEQ nil; MOVQ n(AX), AX; CMPQ CX, AX; JEQ nil
void emit_step(Assembler& as, Reg element, i64 list, Reg owner, i64 neighbour) {
  const x86::Label nil = as.new_label();
  as.mov(owner, MemRef{.base = element, .disp = list});
  as.test(owner, owner);
  as.jcc(Cond::kE, nil);
  as.mov(kRdi, MemRef{.base = element, .disp = neighbour});
  as.cmp(owner, kRdi);
  as.jcc(Cond::kNe, nil);
  as.bind(nil);
  as.xor_(kRdi, kRdi);
}

TEST(ListQuestions, AStepLoadsTheListThenTheNeighbour) {
  Assembler next(kEntry.value);
  emit_step(next, kRax, 16, kRcx, 0);
  const auto question = ask(next, ListMethod::kNext);
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->base, kRax);
  EXPECT_EQ(question->element, 0);
  EXPECT_EQ(question->asked, 0u);
  EXPECT_EQ(question->at, 1u);  // the load has shown that there is an element
  EXPECT_EQ(question->list, x86::kNoReg);

  Assembler prev(kEntry.value);
  emit_step(prev, kRdx, 16, kRsi, 8);
  EXPECT_TRUE(ask(prev, ListMethod::kPrev).has_value());
}

TEST(ListQuestions, TheElementMayBeAField) {
  Assembler as(kEntry.value);
  emit_step(as, kRax, 48, kRcx, 32);
  const auto question = ask(as, ListMethod::kNext);
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->element, 32);
}

TEST(ListQuestions, NextIsNotPrev) {
  Assembler as(kEntry.value);
  emit_step(as, kRax, 16, kRcx, 8);
  EXPECT_FALSE(ask(as, ListMethod::kNext).has_value());
}

TEST(ListQuestions, AStepMayCompareInMemory) {
  Assembler as(kEntry.value);
  const x86::Label nil = as.new_label();
  as.cmp_mem_zero({.base = kRax, .disp = 16}, 64);
  as.jcc(Cond::kE, nil);
  as.mov(kRcx, MemRef{.base = kRax, .disp = 0});
  as.cmp(kRcx, MemRef{.base = kRax, .disp = 16});
  as.jcc(Cond::kE, nil);
  as.bind(nil);
  as.xor_(kRcx, kRcx);
  const auto question = ask(as, ListMethod::kNext);
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->at, 1u);
}

TEST(ListQuestions, AnElementThatIsOverwrittenByItsListIsLeftAlone) {
  Assembler as(kEntry.value);
  emit_step(as, kRax, 16, kRax, 0);
  EXPECT_FALSE(ask(as, ListMethod::kNext).has_value());
}

// An iterator asks for a word, too, and hands out another.
TEST(ListQuestions, WithoutTheListsEndItIsNoStep) {
  Assembler as(kEntry.value);
  const x86::Label nil = as.new_label();
  as.mov(kRcx, MemRef{.base = kRax, .disp = 16});
  as.test(kRcx, kRcx);
  as.jcc(Cond::kE, nil);
  as.mov(kRax, MemRef{.base = kRax, .disp = 0});
  as.bind(nil);
  as.xor_(kRcx, kRcx);
  EXPECT_FALSE(ask(as, ListMethod::kNext).has_value());
}

// e.prev.next = e.next; e.next.prev = e.prev
void emit_join(Assembler& as, Reg element, i64 list) {
  as.mov(kRsi, MemRef{.base = element, .disp = list - 8});
  as.mov(kRdi, MemRef{.base = element, .disp = list - 16});
  as.mov(MemRef{.base = kRsi, .disp = 0}, kRdi);
  as.mov(kRsi, MemRef{.base = element, .disp = list - 16});
  as.mov(kRdi, MemRef{.base = element, .disp = list - 8});
  as.mov(MemRef{.base = kRsi, .disp = 8}, kRdi);
}

TEST(ListQuestions, RemoveAsksForTheOwnerAndJoinsTheNeighbours) {
  for (i64 list : {16, 32}) {
    Assembler as(kEntry.value);
    const x86::Label end = as.new_label();
    as.cmp(kRax, MemRef{.base = kRbx, .disp = list});
    as.jcc(Cond::kNe, end);
    emit_join(as, kRbx, list);
    as.bind(end);
    const auto question = ask(as, ListMethod::kRemove);
    ASSERT_TRUE(question.has_value());
    EXPECT_EQ(question->at, 1u);
    EXPECT_EQ(question->base, kRbx);
    EXPECT_EQ(question->element, list - 16);
    EXPECT_EQ(question->list, kRax);
    EXPECT_EQ(question->owner, x86::kNoReg);
  }
}

// The element's list was loaded for a Next before: two registers are compared.
TEST(ListQuestions, TheElementIsTheOneWhoseNeighboursAreJoined) {
  Assembler as(kEntry.value);
  const x86::Label end = as.new_label();
  as.cmp(kRax, kRcx);
  as.jcc(Cond::kNe, end);
  emit_join(as, kRdx, 16);
  as.bind(end);
  const auto question = ask(as, ListMethod::kRemove);
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->base, kRdx);
  EXPECT_EQ(question->element, 0);
  EXPECT_EQ(question->list, kRax);
  EXPECT_EQ(question->owner, kRcx);
}

// node{first, last, parent}: the same layout, and another meaning.
TEST(ListQuestions, ATreesNodeIsNoElement) {
  Assembler as(kEntry.value);
  const x86::Label end = as.new_label();
  as.cmp(kRax, MemRef{.base = kRbx, .disp = 16});
  as.jcc(Cond::kNe, end);
  as.mov(kRsi, MemRef{.base = kRbx, .disp = 8});
  as.mov(kRdi, MemRef{.base = kRbx, .disp = 0});
  as.mov(MemRef{.base = kRax, .disp = 0}, kRdi);
  as.mov(MemRef{.base = kRax, .disp = 8}, kRsi);
  as.bind(end);
  EXPECT_FALSE(ask(as, ListMethod::kRemove).has_value());
}

TEST(ListQuestions, MoveHasFurtherPlacesBeforeItChangesAnything) {
  Assembler as(kEntry.value);
  const x86::Label end = as.new_label();
  as.cmp(kRax, MemRef{.base = kRbx, .disp = 16});
  as.jcc(Cond::kNe, end);
  as.cmp(kRbx, MemRef{.base = kRax, .disp = 0});
  as.jcc(Cond::kE, end);
  emit_join(as, kRbx, 16);
  as.bind(end);
  const auto question = ask(as, ListMethod::kMove);
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->later, (std::vector<u32>{2, 3}));
}

// Nothing else tells a mark: the runtime looks whether it is in the other list.
TEST(ListQuestions, AMarkIsNotJoined) {
  Assembler as(kEntry.value);
  const x86::Label end = as.new_label();
  as.cmp(kRax, MemRef{.base = kRcx, .disp = 16});
  as.jcc(Cond::kNe, end);
  as.bind(end);
  as.xor_(kRax, kRax);
  EXPECT_TRUE(ask(as, ListMethod::kInsert).has_value());
}

}  // namespace
}  // namespace geist::program
