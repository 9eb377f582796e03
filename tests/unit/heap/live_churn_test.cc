// Against a process that allocates, collects and moves stacks all the time: what does not change in
// it is found every time, and nothing is made up.
#include <gtest/gtest.h>
#include <unistd.h>

#include "heap/gc.h"
#include "heap/goroutines.h"
#include "heap/runtime_symbols.h"
#include "heap/spans.h"
#include "heap/unwind.h"
#include "heap/views.h"
#include "live_program.h"

namespace geist::heap {
namespace {

constexpr int kRounds = 40, kMostRounds = 2000;
constexpr u64 kMaxBytes = u64{1} << 30;

class LiveChurn : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    program_ = LiveProgram::start("churn.go", {GetParam(), ""});
    ASSERT_NE(program_, nullptr);
    std::string why;
    if (!program_->is_readable(&why)) GTEST_SKIP() << why;
    Result<RuntimeSymbols> symbols = find_runtime_symbols(program_->binary());
    ASSERT_TRUE(symbols.ok()) << symbols.error().message();
    symbols_ = symbols.value();
    scanner_.emplace(program_->memory(), program_->binary(), symbols_, program_->bias());
  }

  std::unique_ptr<LiveProgram> program_;
  RuntimeSymbols symbols_;
  std::optional<ViewScanner> scanner_;
};

TEST_P(LiveChurn, EveryScanFindsEveryView) {
  TargetAddr array = program_->at("array").addr;
  for (int round = 0; round < kRounds; ++round) {
    ScanStats stats;
    std::vector<HeaderHit> hits = scanner_->scan({{array, array + 800}}, kMaxBytes, &stats);
    std::vector<int> views(100);
    for (const HeaderHit& hit : hits) {
      u64 first = (hit.ptr - array) / 8;
      // record.view; the array's own header is a global.
      bool is_view = !hit.in_globals && hit.len == 100 - first && hit.cap == hit.len &&
                     hit.at - hit.holder == 8 && hit.holder_size == 48;
      if (is_view) ++views[first];
    }
    EXPECT_EQ(views, std::vector<int>(100, 1)) << "round " << round;
    EXPECT_EQ(stats.bytes_unreadable, 0u);
    EXPECT_EQ(stats.hits_torn, 0u);
  }
}

TEST_P(LiveChurn, EveryParkedStackUnwindsToItsTop) {
  usize unwound = 0, moved = 0, damaged_gs = 0;
  // More rounds when it takes them: while the program begins, few goroutines stand anywhere.
  auto is_enough = [&] { return unwound > 100 && moved + damaged_gs < unwound; };
  for (int round = 0; round < kRounds || (round < kMostRounds && !is_enough()); ++round) {
    u64 damaged = 0;
    for (const Goroutine& g : read_goroutines(program_->memory(), program_->binary().layout(),
                                              symbols_, program_->bias(), &damaged)) {
      if (g.pc.value == 0) continue;
      std::optional<ParkedStack> stack = unwind_parked(program_->memory(), program_->binary(),
                                                       program_->bias(), g, u64{1} << 20, 200);
      if (!stack) {
        ++moved;  // it went on meanwhile
        continue;
      }
      ++unwound;
      const std::vector<StackFrame>& frames = stack->unwound.frames;
      EXPECT_TRUE(stack->unwound.complete)
          << "goroutine " << g.goid << ": " << frames.size() << " frames, the last is "
          << (frames.empty() ? "none" : frames.back().function.name);
    }
    damaged_gs += damaged;
    if (round >= kRounds) ::usleep(1000);
  }
  EXPECT_GT(unwound, 100u);
  EXPECT_LT(moved + damaged_gs, unwound);
}

TEST_P(LiveChurn, WhatLivesIsReachableAndSurvives) {
  SpanTable spans(program_->memory(), program_->binary().layout(),
                  program_->bias().to_target(symbols_.mheap));
  TargetAddr array = program_->at("array").addr;
  std::optional<u32> moment = spans.sweepgen();
  ASSERT_TRUE(moment.has_value());
  usize known = 0;
  for (int round = 0; round < kRounds; ++round) {
    EXPECT_NE(scanner_->is_reachable({array}, kMaxBytes, nullptr), false);
    std::optional<bool> survived = survived_gc(spans, array, *moment);
    EXPECT_NE(survived, false);
    known += survived.has_value();
    ::usleep(2000);
  }
  EXPECT_GT(known, 0u);
}

INSTANTIATE_TEST_SUITE_P(Releases, LiveChurn, testing::ValuesIn(test_toolchains()),
                         [](const testing::TestParamInfo<std::string>& release) {
                           std::string name;
                           for (char c : release.param) name += std::isalnum(c) ? c : '_';
                           return name.empty() ? "default_release" : name;
                         });

}  // namespace
}  // namespace geist::heap
