// The state machine that decides about `confirmed`, fed with made-up accesses: each rule of
// evidence.h is one test.
#include "detect/append/evidence.h"

#include <gtest/gtest.h>

namespace geist::detect::append {
namespace {

constexpr TargetAddr kHeader(0x1008);
constexpr TargetAddr kElement(0x2000);
constexpr read::FuncIndex kAppender{7};
constexpr read::FuncIndex kReader{9};
constexpr i32 kAppendLine = 40;
const std::vector<u8> kBefore{1, 2, 3, 4, 5, 6, 7, 8};

heap::StackFrame frame(read::FuncIndex index, u64 cfa, std::string_view name = "main.f") {
  heap::StackFrame f;
  f.function.index = index;
  f.function.name = name;
  f.cfa = TargetAddr(cfa);
  return f;
}

Access access(TargetAddr word, Access::Kind kind, std::vector<heap::StackFrame> frames,
              i32 line = 1) {
  Access a;
  a.kind = kind;
  a.word = word;
  a.frames = std::move(frames);
  a.file = "main.go";
  a.line = line;
  return a;
}

class EvidenceTest : public ::testing::Test {
 protected:
  EvidenceTest() {
    site_.site.function = kAppender;
    append_.site = &site_;
    append_.event = &event_;
    append_.frames = {frame(kAppender, 0x9000)};
    append_.file = "main.go";
    append_.line = kAppendLine;
  }
  Evidence make(HeaderTrust trust = HeaderTrust::kFull, Route route = Route::kUnknown,
                HeaderWord header = {kHeader, {}, false, {}}) {
    return Evidence(header, {kElement, kBefore}, append_, trust, [route](const Access&) {
      return RouteAnswer{route, {}, false};
    });
  }
  static Access append_writes() {
    return access(kElement, Access::Kind::kWrite, {frame(kAppender, 0x9000)}, kAppendLine);
  }
  static Access reads(TargetAddr word, u64 cfa = 0x9100) {
    return access(word, Access::Kind::kRead, {frame(kReader, cfa)});
  }
  probe::ProbedSite site_;
  abi::Event event_{};
  Append append_;
};

TEST_F(EvidenceTest, WriteHeaderReadElementReadConfirms) {
  Evidence e = make();
  e.add(append_writes());
  e.add(reads(kHeader));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, AnElementReadWithoutAHeaderReadSaysNothing) {
  Evidence e = make();
  e.add(append_writes());
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

TEST_F(EvidenceTest, AHeaderReadBeforeTheWriteDoesNotCount) {
  Evidence e = make();
  e.add(reads(kHeader));
  e.add(append_writes());
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

TEST_F(EvidenceTest, AWrittenHeaderVoidsAtAnyTime) {
  Evidence e = make();
  e.add(append_writes());
  e.add(access(kHeader, Access::Kind::kWrite, {frame(kReader, 0x9100)}));
  e.add(reads(kHeader));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
}

TEST_F(EvidenceTest, WhoReceivedTheHeaderFromAChannelHasIt) {
  Evidence e = make();
  e.add(append_writes());
  e.add(reads(kHeader));
  Access clears =
      access(kHeader, Access::Kind::kWrite,
             {frame(read::FuncIndex{3}, 0x9080, "runtime.chanrecv"), frame(kReader, 0x9100)});
  clears.actor = 1;
  e.add(clears);
  EXPECT_TRUE(e.header_was_taken());
  e.add(reads(kHeader, 0x9300));  // of what stands there now
  e.add(reads(kElement, 0x9300));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, WhoReadAHeaderThatWasReplacedMayHaveReadTheNextOneToo) {
  Evidence e = make();
  e.add(append_writes());
  e.add(reads(kHeader));
  e.add(access(kHeader, Access::Kind::kWrite, {frame(kReader, 0x9100)}));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
}

TEST_F(EvidenceTest, AnUnknownAccessToTheHeaderCountsAsAWrite) {
  Evidence e = make();
  e.add(access(kHeader, Access::Kind::kUnknown, {frame(kReader, 0x9100)}));
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
}

TEST_F(EvidenceTest, AnotherWriterOfTheElementVoids) {
  Evidence e = make();
  e.add(append_writes());
  e.add(access(kElement, Access::Kind::kWrite, {frame(kReader, 0x9100)}));
  EXPECT_EQ(e.verdict(), Verdict::kVoidElement);
}

TEST_F(EvidenceTest, AnotherLineOfTheAppendingFunctionIsAnotherWriter) {
  Evidence e = make();
  e.add(append_writes());
  e.add(access(kElement, Access::Kind::kWrite, {frame(kAppender, 0x9000)}, kAppendLine + 2));
  EXPECT_EQ(e.verdict(), Verdict::kVoidElement);
}

TEST_F(EvidenceTest, AnotherActivationThatReadTheHeaderDoesNotCount) {
  Evidence e = make();
  e.add(append_writes());
  e.add(reads(kHeader, 0x9100));
  e.add(reads(kElement, 0x9500));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

TEST_F(EvidenceTest, AReadBelowTheFrameThatReadTheHeaderConfirms) {
  Evidence e = make();
  e.add(append_writes());
  e.add(reads(kHeader, 0x9100));
  e.add(access(kElement, Access::Kind::kRead, {frame({11}, 0x8f00), frame(kReader, 0x9100)}));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, BesideTheResultOnlyACalleeConfirms) {
  Evidence direct = make(HeaderTrust::kBesideResult);
  Access header = access(kHeader, Access::Kind::kRead, {frame(kAppender, 0x9000)});
  header.header.use = HeaderUse::kWhole;
  direct.add(append_writes());
  direct.add(header);
  direct.add(access(kElement, Access::Kind::kRead, {frame(kAppender, 0x9000)}));
  EXPECT_EQ(direct.verdict(), Verdict::kOpen);
  direct.add(
      access(kElement, Access::Kind::kRead, {frame({11}, 0x8f00), frame(kAppender, 0x9000)}));
  EXPECT_EQ(direct.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, ABarePointerConfirmsOnlyThroughItsRegister) {
  Evidence e = make(HeaderTrust::kSameRegister);
  Access header = reads(kHeader);
  header.loaded = x86::kR8;
  Access other = reads(kElement);
  other.base = x86::kRdx;
  Access same = reads(kElement);
  same.base = x86::kR8;
  e.add(append_writes());
  e.add(header);
  e.add(other);
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(same);
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, AReadThatDwarfCallsTheVictimsConfirms) {
  Evidence e = make(HeaderTrust::kBesideResult, Route::kVictim);
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);  // before the write it is the old value
  e.add(append_writes());
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, BufioLooksAtItsOwnSpareBuffer) {
  Evidence e = make();
  e.add(append_writes());
  e.add(access(kHeader, Access::Kind::kRead, {frame(kReader, 0x9100, "bufio.(*Writer).Flush")}));
  e.add(access(kElement, Access::Kind::kRead, {frame(kReader, 0x9100, "bufio.(*Writer).Flush")}));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

TEST_F(EvidenceTest, AGrowingHolderDidNotReadTheHeader) {
  Evidence e = make();
  Access growth = reads(kHeader);
  growth.by_growth = true;
  growth.copied_to = TargetAddr(0x5008);
  e.add(append_writes());
  e.add(growth);
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  ASSERT_EQ(e.copies().size(), 1u);
  EXPECT_EQ(e.copies()[0].header_word, TargetAddr(0x5008));
  EXPECT_TRUE(e.copies()[0].by_growth);
}

TEST_F(EvidenceTest, AGrowingArrayDidNotReadItsElements) {
  Evidence e = make();
  Access growth = reads(kElement);
  growth.by_growth = true;
  e.add(append_writes());
  e.add(reads(kHeader));
  e.add(growth);
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, CopiesFromBeforeTheWriteAreNotFollowed) {
  Evidence e = make();
  Access copy = reads(kHeader);
  copy.copied_to = TargetAddr(0x5008);
  e.add(copy);
  e.add(append_writes());
  EXPECT_TRUE(e.copies().empty());
}

TEST_F(EvidenceTest, AFollowedHeaderIsVoidWhenWrittenAndConfirmsNothing) {
  constexpr TargetAddr kMoved(0x5008);
  Evidence e = make();
  e.add(append_writes());
  e.follow(kMoved);
  e.add(reads(kMoved));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(access(kHeader, Access::Kind::kWrite,
               {frame(kReader, 0x9100)}));  // the old place is nobody's any more
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(access(kMoved, Access::Kind::kWrite, {frame(kReader, 0x9100)}));
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
}

TEST_F(EvidenceTest, AHeaderWhoseGrowthWaitedKeepsItsTrust) {
  constexpr TargetAddr kMoved(0x3008);
  Evidence e = make();
  e.add(append_writes());
  e.follow_copy(kMoved, HeaderTrust::kFull, [](const Access&) { return RouteAnswer{}; });
  Access arrives =
      access(kMoved, Access::Kind::kWrite,
             {frame(read::FuncIndex{3}, 0x9080, "runtime.memmove"), frame(kReader, 0x9100)});
  arrives.actor = 1;
  e.add(arrives);
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(reads(kHeader));  // the old array is nobody's any more
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(reads(kMoved));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, AHeaderThatIsWrittenWhereACopyWasExpectedIsAnotherOne) {
  constexpr TargetAddr kMoved(0x3008);
  Evidence e = make();
  e.add(append_writes());
  e.follow_copy(kMoved, HeaderTrust::kFull, [](const Access&) { return RouteAnswer{}; });
  e.add(access(kMoved, Access::Kind::kWrite, {frame(kReader, 0x9100)}));
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
}

TEST_F(EvidenceTest, AfterTheCopyAWriteReplacesTheHeader) {
  constexpr TargetAddr kMoved(0x3008);
  Evidence e = make();
  e.add(append_writes());
  e.follow_copy(kMoved, HeaderTrust::kFull, [](const Access&) { return RouteAnswer{}; });
  Access arrives =
      access(kMoved, Access::Kind::kWrite, {frame(read::FuncIndex{3}, 0x9080, "runtime.memmove")});
  e.add(arrives);
  e.add(arrives);
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
}

TEST_F(EvidenceTest, AWalkOfTheVictimsFrameIsNoNewHeader) {
  Route route = Route::kUnknown;
  Evidence e = make(HeaderTrust::kFull);
  e.add(append_writes());
  e.add(reads(kHeader));
  e.follow_walk([&route](const Access&) { return RouteAnswer{route, {}, false}; });
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  e.add(reads(kElement));  // who read the word before it was moved on reads elsewhere
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  route = Route::kVictim;
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, WhereTheHeaderMustBeReadWholeThePointerIsNotEnough) {
  auto make_one = [&] {
    return Evidence({kHeader, {}, false, {}}, {kElement, kBefore}, append_, HeaderTrust::kWhole,
                    [](const Access&) { return RouteAnswer{Route::kVictim, {}, true}; });
  };
  Evidence without = make_one();
  without.add(append_writes());
  without.add(reads(kElement));
  EXPECT_EQ(without.verdict(), Verdict::kOpen);
  without.add(reads(kHeader));  // its length only
  without.add(reads(kElement));
  EXPECT_EQ(without.verdict(), Verdict::kOpen);
  Evidence others = make_one();
  Access whole = reads(kHeader);
  whole.header.use = HeaderUse::kWhole;
  others.add(append_writes());
  others.add(whole);
  others.add(reads(kElement, 0x9500));  // of another call
  EXPECT_EQ(others.verdict(), Verdict::kOpen);
  others.add(reads(kElement));
  EXPECT_EQ(others.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, AVictimThatGrowsTakesTheChangeAlong) {
  for (Route route : {Route::kVictim, Route::kOther, Route::kUnknown}) {
    Evidence e = make(HeaderTrust::kFull, route);
    e.add(append_writes());
    Access grows =
        access(kElement, Access::Kind::kRead,
               {frame(read::FuncIndex{3}, 0x9080, "runtime.growslice"), frame(kReader, 0x9100)});
    grows.actor = 1;
    grows.by_growth = true;
    e.add(grows);
    EXPECT_EQ(e.was_taken_along(), route == Route::kVictim);
    EXPECT_EQ(e.verdict(), Verdict::kOpen);
  }
}

TEST_F(EvidenceTest, IgnoredAccessesChangeNothing) {
  Evidence e = make();
  e.add(append_writes());
  e.add(access(kHeader, Access::Kind::kIgnored, {frame(kReader, 0x9100)}));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

// Stacks move when they grow: the distance from the upper end stays.
TEST_F(EvidenceTest, AFrameIsTheSameAfterItsStackHasMoved) {
  Evidence e = make();
  e.add(append_writes());
  Access header = reads(kHeader, 0x9100);
  header.g = 0x77, header.stack_hi = TargetAddr(0xa000);
  e.add(header);
  Access copy = access(kHeader, Access::Kind::kIgnored, {});
  copy.moves_stack = true;
  e.add(copy);
  EXPECT_TRUE(e.header_has_moved());
  e.add(access(kHeader, Access::Kind::kWrite,
               {frame(kReader, 0x5000)}));  // somebody else's memory by now
  Access element = reads(kElement, 0x1b100);
  element.g = 0x77, element.stack_hi = TargetAddr(0x1c000);
  e.add(element);
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
}

TEST_F(EvidenceTest, AnotherGoroutineAtTheSameDepthDoesNotCount) {
  Evidence e = make();
  e.add(append_writes());
  Access header = reads(kHeader, 0x9100);
  header.g = 0x77, header.stack_hi = TargetAddr(0xa000);
  e.add(header);
  Access element = reads(kElement, 0x1b100);
  element.g = 0x78, element.stack_hi = TargetAddr(0x1c000);
  e.add(element);
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

TEST_F(EvidenceTest, AHeaderThatMovedIsFollowed) {
  Evidence e = make();
  e.add(append_writes());
  Access copy = access(kHeader, Access::Kind::kIgnored, {});
  copy.moves_stack = true;
  e.add(copy);
  constexpr TargetAddr kNow(0x8008);
  e.follow_header(kNow);
  EXPECT_FALSE(e.header_has_moved());
  e.add(access(kNow, Access::Kind::kWrite, {frame(kReader, 0x9100)}));
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
}

// What the append changed, and what others did.
class ChangeTest : public EvidenceTest {
 protected:
  static Access at(Access access, u64 time) {
    access.time = time;
    return access;
  }
  static Access other_writes() {
    return access(kElement, Access::Kind::kWrite, {frame(kReader, 0x9100)});
  }
  static std::vector<u8> other_bytes() { return {9, 2, 3, 4, 5, 6, 7, 8}; }
};

TEST_F(ChangeTest, BytesThatDifferAfterTheAppendsWriteAreItsChange) {
  Evidence e = make();
  e.add(at(append_writes(), 100));
  e.note_bytes(other_bytes(), 90, 110);  // perhaps read before it wrote
  EXPECT_EQ(e.change(), Change::kUnknown);
  e.note_bytes(other_bytes(), 110, 120);
  EXPECT_EQ(e.change(), Change::kMade);
}

TEST_F(ChangeTest, BytesThatAreAsTheyWereAreNone) {
  Evidence e = make();
  e.add(at(append_writes(), 100));
  e.note_bytes(kBefore, 110, 120);
  EXPECT_EQ(e.change(), Change::kNone);
}

TEST_F(ChangeTest, WhatALaterWriteDidIsThatWritesDoing) {
  Evidence e = make(HeaderTrust::kFull, Route::kVictim);
  e.add(at(append_writes(), 100));
  e.add(at(reads(kElement), 105));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
  e.add(at(other_writes(), 108));
  e.note_bytes(other_bytes(), 107, 109);
  e.note_bytes(other_bytes(), 110, 120);
  EXPECT_EQ(e.change(), Change::kUnknown);
  EXPECT_TRUE(e.is_unclear());
}

TEST_F(ChangeTest, WritesCountAlsoAfterTheHeaderWasReplaced) {
  Evidence e = make();
  e.add(at(access(kHeader, Access::Kind::kWrite, {frame(kReader, 0x9100)}), 90));
  EXPECT_EQ(e.verdict(), Verdict::kVoidHeader);
  e.add(at(append_writes(), 100));
  e.add(at(other_writes(), 105));
  e.note_bytes(other_bytes(), 110, 120);
  EXPECT_EQ(e.change(), Change::kUnknown);
}

TEST_F(ChangeTest, AWriteAfterTheBytesWereReadDoesNotMatter) {
  Evidence e = make(HeaderTrust::kFull, Route::kVictim);
  e.add(at(append_writes(), 100));
  e.add(at(reads(kElement), 105));
  e.add(at(other_writes(), 130));
  e.note_bytes(other_bytes(), 110, 120);
  EXPECT_EQ(e.change(), Change::kMade);
  EXPECT_FALSE(e.is_unclear());
}

TEST_F(ChangeTest, AStoreOfAKnownValueTellsAtOnce) {
  Access store = append_writes();
  store.stored = {kElement, 8, 0x0807060504030201};
  Evidence same = make();
  same.add(at(store, 100));
  EXPECT_EQ(same.change(), Change::kNone);
  store.stored.value = 0x0807060504030209;
  Evidence other = make();
  other.add(at(store, 100));
  EXPECT_EQ(other.change(), Change::kMade);
}

TEST_F(ChangeTest, OfAStoreToAPartOnlyAChangeIsKnown) {
  Access store = append_writes();
  store.stored = {kElement, 1, 1};
  Evidence e = make();
  e.add(at(store, 100));
  EXPECT_EQ(e.change(), Change::kUnknown);
  store.stored = {kElement + 1, 1, 7};
  e.add(at(store, 101));
  EXPECT_EQ(e.change(), Change::kMade);
}

TEST_F(ChangeTest, ACopyWhoseSourceIsKnownTellsAtOnceUnlessOthersHaveWritten) {
  Evidence e = make();
  e.add(at(append_writes(), 100));
  e.note_copied(other_bytes());
  EXPECT_EQ(e.change(), Change::kMade);
  Evidence same = make();
  same.add(at(append_writes(), 100));
  same.note_copied(kBefore);
  EXPECT_EQ(same.change(), Change::kNone);
  Evidence late = make();
  late.add(at(append_writes(), 100));
  late.add(at(other_writes(), 101));
  late.note_copied(other_bytes());
  EXPECT_EQ(late.change(), Change::kUnknown);
}

TEST_F(ChangeTest, AnAppendThatIsMadeAgainLeavesWhatItWritesThen) {
  Access store = append_writes();
  store.stored = {kElement, 8, 0x0807060504030209};
  Evidence e = make(HeaderTrust::kFull, Route::kVictim);
  e.add(at(store, 100));
  e.expect_again();
  EXPECT_EQ(e.change(), Change::kMade);
  e.add(at(store, 110));  // the same bytes: as they were before, they are changed still
  EXPECT_EQ(e.change(), Change::kMade);
  EXPECT_EQ(e.stores().size(), 1u);
  e.expect_again();
  store.stored.value = 0x0807060504030201;  // what stood there before the first
  e.add(at(store, 120));
  EXPECT_EQ(e.change(), Change::kNone);
  EXPECT_FALSE(e.was_written_again());
  e.expect_again();
  store.stored = {};
  e.add(at(store, 130));
  EXPECT_EQ(e.change(), Change::kUnknown);
}

TEST_F(ChangeTest, WhoWritesAgainUnexpectedlyChangesNothingAboutTheFirst) {
  Access store = append_writes();
  store.stored = {kElement, 8, 0x0807060504030209};
  Evidence e = make(HeaderTrust::kFull, Route::kVictim);
  e.add(at(store, 100));
  e.expect_again();
  e.add(at(other_writes(), 105));
  EXPECT_EQ(e.verdict(), Verdict::kVoidElement);
  e.add(at(store, 110));
  EXPECT_EQ(e.verdict(), Verdict::kVoidElement);
}

TEST_F(ChangeTest, TheAppendsStoresAreKept) {
  Access store = append_writes();
  store.stored = {kElement, 8, 7};
  store.stored_beside = {{kElement + 8, 8, 3}};
  Evidence e = make();
  e.add(at(store, 100));
  ASSERT_EQ(e.stores().size(), 2u);
  EXPECT_EQ(e.stores()[1].at, kElement + 8);
  EXPECT_FALSE(e.was_written_again());
  e.add(at(other_writes(), 101));
  EXPECT_TRUE(e.was_written_again());
}

// The pointer was loaded by the instruction beside the one that read the victim's length.
TEST_F(EvidenceTest, APointerLoadedBesideTheLengthIsTheVictims) {
  const ImageAddr load(0x401010);
  auto verdict = [&](ImageAddr pointer, ImageAddr loaded_by) {
    RouteAnswer answer;
    answer.loads = {{0, loaded_by}};
    Evidence e({kHeader, {}, false, {}}, {kElement, kBefore}, append_, HeaderTrust::kWhole,
               [&](const Access&) { return answer; });
    e.add(append_writes());
    Access header = access(kHeader, Access::Kind::kRead, {frame(kAppender, 0x9000)});
    header.header = {HeaderUse::kWhole, pointer, {}};
    e.add(header);
    e.add(access(kElement, Access::Kind::kRead, {frame(kAppender, 0x9000)}));
    return e.verdict();
  };
  EXPECT_EQ(verdict(load, load), Verdict::kConfirmed);
  EXPECT_EQ(verdict(load, load + 8), Verdict::kOpen);
  EXPECT_EQ(verdict({}, load), Verdict::kOpen);
}

// Pointer and length of a variable, words apart in its frame, go to one call side by side.
TEST_F(EvidenceTest, WordsApartThatAreNeighbouringArgumentsAreAUse) {
  auto verdict = [&](i64 slot) {
    Evidence e({kHeader, kHeader - 0x30, false, {}}, {kElement, kBefore}, append_,
               HeaderTrust::kBesideResult, [](const Access&) { return RouteAnswer{}; });
    e.add(append_writes());
    Access header = access(kHeader, Access::Kind::kRead, {frame(kAppender, 0x9000)});
    header.sp = kHeader - 0x100;
    header.header.argument_slot = slot;
    e.add(header);
    e.add(access(kElement, Access::Kind::kRead, {frame({11}, 0x8f00), frame(kAppender, 0x9000)}));
    return e.verdict();
  };
  EXPECT_EQ(verdict(0x100 - 0x30), Verdict::kConfirmed);
  EXPECT_EQ(verdict(0x100 - 0x38), Verdict::kOpen);
}

TEST_F(EvidenceTest, AReadThroughAnotherHeaderSaysNothing) {
  Evidence e = make(HeaderTrust::kFull, Route::kOther);
  e.add(append_writes());
  e.add(reads(kHeader));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

// A caller of the appending function: it may have the append's result.
class WasThereTest : public EvidenceTest {
 protected:
  WasThereTest() { append_.frames.push_back(frame(kReader, 0x9200)); }
  // The caller reads the header, then itself or a function that it called reads the element.
  Verdict caller_reads(HeaderUse use, bool by_callee) {
    Evidence e = make();
    e.add(append_writes());
    Access header = reads(kHeader, 0x9200);
    header.header.use = use;
    e.add(header);
    Access element = reads(kElement, 0x9200);
    if (by_callee)
      element.frames.insert(element.frames.begin(), frame(read::FuncIndex{11}, 0x9180));
    e.add(element);
    return e.verdict();
  }
};

TEST_F(WasThereTest, ComparingLengthsIsNoUse) {
  EXPECT_EQ(caller_reads(HeaderUse::kNone, true), Verdict::kOpen);
  EXPECT_EQ(caller_reads(HeaderUse::kNone, false), Verdict::kOpen);
}

TEST_F(WasThereTest, HandingTheHeaderOnIs) {
  EXPECT_EQ(caller_reads(HeaderUse::kArgument, true), Verdict::kConfirmed);
  EXPECT_EQ(caller_reads(HeaderUse::kWhole, true), Verdict::kConfirmed);
}

TEST_F(WasThereTest, ItsOwnReadsMayGoThroughTheResult) {
  EXPECT_EQ(caller_reads(HeaderUse::kWhole, false), Verdict::kOpen);
}

TEST_F(WasThereTest, AHeaderIsInUseByWhoseItIsOrByWhoComesLater) {
  auto is_used = [&](u64 cfa, HeaderUse use, const Activation& owner) {
    Evidence e = make(HeaderTrust::kFull, Route::kUnknown, {kHeader, {}, false, owner});
    e.add(append_writes());
    Access header = reads(kHeader, cfa);
    header.header.use = use;
    e.add(header);
    return e.header_was_used();
  };
  const Activation caller{kReader, TargetAddr(0x9200)};
  EXPECT_TRUE(is_used(0x9200, HeaderUse::kNone, caller));
  EXPECT_FALSE(is_used(0x9200, HeaderUse::kWhole, {}));
  EXPECT_TRUE(is_used(0x9100, HeaderUse::kWhole, {}));
  EXPECT_FALSE(is_used(0x9100, HeaderUse::kNone, {}));
}

// The victim may be the buffer that the operand was cut from: its length alone says nothing.
class WholeHeaderTest : public EvidenceTest {
 protected:
  // The header is read by a frame, the element by that one or by one that it called.
  Verdict read_through(HeaderUse use, bool by_callee, u64 reader_cfa = 0x9100) {
    Evidence e = make(HeaderTrust::kWhole);
    e.add(append_writes());
    Access header = reads(kHeader, reader_cfa);
    header.header.use = use;
    e.add(header);
    Access element = reads(kElement, reader_cfa);
    if (by_callee)
      element.frames.insert(element.frames.begin(), frame(read::FuncIndex{11}, reader_cfa - 0x80));
    e.add(element);
    return e.verdict();
  }
};

TEST_F(WholeHeaderTest, TheLengthAloneIsNotEnough) {
  EXPECT_EQ(read_through(HeaderUse::kNone, false), Verdict::kOpen);
  EXPECT_EQ(read_through(HeaderUse::kNone, true), Verdict::kOpen);
}

TEST_F(WholeHeaderTest, TheFrameThatTookTheHeaderReads) {
  EXPECT_EQ(read_through(HeaderUse::kWhole, false), Verdict::kConfirmed);
  EXPECT_EQ(read_through(HeaderUse::kWhole, true), Verdict::kOpen) << "it was not handed on";
}

TEST_F(WholeHeaderTest, SoDoesAFunctionItWasHandedTo) {
  EXPECT_EQ(read_through(HeaderUse::kArgument, true), Verdict::kConfirmed);
}

// A victim that is read all the time: what there is no room for is counted.
TEST_F(EvidenceTest, HeaderReadsAndCopiesBeyondTheRoomAreCounted) {
  LeftOut left_out;
  Evidence e = make();
  e.count_left_out_in(&left_out);
  e.add(append_writes());
  for (u64 i = 0; i < 64 + 5; ++i) {
    Access copy = reads(kHeader, 0x9100 + i * 0x100);
    if (i < 8 + 3) copy.copied_to = TargetAddr(0x7000 + i * 24);
    e.add(copy);
  }
  EXPECT_EQ(e.copies().size(), 8u);
  EXPECT_EQ(left_out.copies, 3u);
  EXPECT_EQ(left_out.header_reads, 5u);
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
}

// A read into a buffer is told when it is over.
TEST_F(EvidenceTest, WhatIsWrittenAlreadyNeedsNoWrite) {
  Evidence e = make();
  e.begin_written(std::vector<u8>{1, 2, 3, 4, 0, 0, 0, 0}, 100);
  EXPECT_EQ(e.change(), Change::kMade);
  e.add(reads(kHeader));
  e.add(reads(kElement));
  EXPECT_EQ(e.verdict(), Verdict::kConfirmed);
  Evidence same = make();
  same.begin_written(kBefore, 100);
  EXPECT_EQ(same.change(), Change::kNone);
}

// The same call fills the buffer again: the view is as old as it was. What anybody else writes ends
// it, and so does a new header.
TEST_F(EvidenceTest, ARefillOfTheSameCallIsNoOthersWrite) {
  const heap::StackFrame scan = frame(kAppender, 0x9000);
  const Access refill = access(kElement, Access::Kind::kWrite, {frame(kReader, 0x8f00), scan});
  Evidence e = make();
  e.begin_written(std::vector<u8>{9, 9, 9, 9, 9, 9, 9, 9}, 100);
  e.expect_refills_by(append_.activation());
  e.add(refill);
  EXPECT_EQ(e.verdict(), Verdict::kOpen);
  EXPECT_EQ(e.change(), Change::kUnknown);
  e.add(access(kElement, Access::Kind::kWrite, {frame(kReader, 0x8f00)}));
  EXPECT_EQ(e.verdict(), Verdict::kVoidElement);
  Evidence replaced = make();
  replaced.begin_written(std::vector<u8>{9, 9, 9, 9, 9, 9, 9, 9}, 100);
  replaced.expect_refills_by(append_.activation());
  replaced.add(refill);
  replaced.add(access(kHeader, Access::Kind::kWrite, {frame(kReader, 0x9100)}));
  EXPECT_EQ(replaced.verdict(), Verdict::kVoidHeader);
}

}  // namespace
}  // namespace geist::detect::append
