// The state machine that decides about `confirmed`, fed with made-up accesses: each rule of
// evidence.h is one test.
#include "judge/evidence.h"

#include <gtest/gtest.h>

namespace geist::judge {
namespace {

constexpr TargetAddr kHeader(0x1008);
constexpr TargetAddr kElement(0x2000);
constexpr read::FuncIndex kAppender{7};
constexpr read::FuncIndex kReader{9};
constexpr i32 kAppendLine = 40;

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
    append_.frames = {frame(kAppender, 0x9000)};
    append_.file = "main.go";
    append_.line = kAppendLine;
  }
  Evidence make(HeaderTrust trust = HeaderTrust::kFull, bool through = false) {
    return Evidence(kHeader, kElement, append_, trust,
                    [through](const Access&) { return through; });
  }
  static Access append_writes() {
    return access(kElement, Access::Kind::kWrite, {frame(kAppender, 0x9000)}, kAppendLine);
  }
  static Access reads(TargetAddr word, u64 cfa = 0x9100) {
    return access(word, Access::Kind::kRead, {frame(kReader, cfa)});
  }
  probe::ProbedSite site_;
  Append append_;
};

TEST_F(EvidenceTest, WriteHeaderReadElementReadConfirms) {
  Evidence e = make();
  e.add(append_writes());
  e.add(reads(kHeader));
  EXPECT_TRUE(e.header_was_read());
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
  Evidence e = make(HeaderTrust::kBesideResult, true);
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

// The victim may be the buffer that the operand was cut from: its length alone says nothing.
class WholeHeaderTest : public EvidenceTest {
 protected:
  // The header is read by a frame, the element by that one or by one that it called.
  Verdict read_through(HeaderUse use, bool by_callee, u64 reader_cfa = 0x9100) {
    Evidence e = make(HeaderTrust::kWhole);
    e.add(append_writes());
    Access header = reads(kHeader, reader_cfa);
    header.header_use = use;
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

}  // namespace
}  // namespace geist::judge
