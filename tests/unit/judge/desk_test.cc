// The desk with a made-up detector: an event comes in, its case is opened while the thread waits,
// is asked at the gate of the program's end, and its finding comes out.
#include "judge/desk.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../read/go_fixture.h"
#include "fake_case.h"

namespace geist::judge {
namespace {

constexpr u64 kContext = 77;

// Tells of itself at the gate.
class TellingCase : public FakeCase {
 public:
  TellingCase(Desk& desk, Opening opening) : FakeCase(std::move(opening), {}), desk_(desk) {}
  std::span<Question> ask() override { return questions_; }
  void settle(const Gate& gate) override {
    const auto level = gate.main_returned ? findings::Level::kLikely : findings::Level::kSuspect;
    desk_.outcomes().record({number(), 0, event().context}, level, [&] {
      findings::Finding f;
      f.rule = "GB999";
      f.level = level;
      f.count = event().hit;
      return f;
    });
  }

 private:
  Desk& desk_;
  std::vector<Question> questions_ = std::vector<Question>(1);
};

class DeskTest : public testing::Test {
 protected:
  DeskTest() {
    binary_ = std::move(read::GoBinary::open(read::default_fixture(), {}).value());
    Fd file(static_cast<int>(::memfd_create("desk", MFD_CLOEXEC)));
    GEIST_CHECK(file.valid() && ::ftruncate(file.get(), abi::kRingBytes) == 0);
    bytes_ = static_cast<u8*>(
        ::mmap(nullptr, abi::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    GEIST_CHECK(bytes_ != MAP_FAILED);
    probe::PatchPlan plan;
    plan.sites.resize(1);
    process_.emplace(process::ProbedProcess{
        ::getpid(), LoadBias{0}, std::move(plan),
        std::move(process::SharedRing::create(std::move(file), binary_->layout(), {}, {})).value(),
        process::ProcessMemory(::getpid())});
    context_.emplace(make_context(*binary_, nullptr, sites_, *process_, symbols_));
    desk_.emplace(*context_, *process_, DeskOptions{.watch = false});
  }
  ~DeskTest() override { ::munmap(bytes_, abi::kRingBytes); }

  Clerk clerk() {
    return {.detector = abi::kAppend,
            .fits = [this](const abi::Event&) { return fits_; },
            .open =
                [this](Opening opening) {
                  ++opened_;
                  return std::make_unique<TellingCase>(*desk_, std::move(opening));
                },
            .next_cost_s = [] { return 0.0; }};
  }
  // As a thread that waits for a second.
  void publish(u64 ticket, u32 parked_us = 1'000'000) {
    abi::Event event{};
    event.detector = abi::kAppend;
    event.facts_size = sizeof(abi::AppendFacts);
    event.append = {.old_ptr = 0xc000010000, .new_len = 3, .cap = 4, .num = 2, .elem_size = 8,
                    .dest = 0xc000010008, .dest_size = 16};
    event.old_size = 16;
    event.tsc = process::read_tsc();
    event.parked = parked_us;
    event.context = kContext;
    event.hit = ticket + 1;
    auto& slot = reinterpret_cast<abi::Slot*>(bytes_ + abi::kControlBytes)[ticket % abi::kSlots];
    slot.event = event;
    __atomic_store_n(&slot.sequence, ticket + 1, __ATOMIC_RELEASE);
  }
  void reach_end_of_main() {
    process_->ring.control().main_gate = abi::kGateWaiting;
    desk_->turn(0);
  }

  std::unique_ptr<read::GoBinary> binary_;
  sites::SiteTable sites_;
  heap::RuntimeSymbols symbols_;
  u8* bytes_ = nullptr;
  std::optional<process::ProbedProcess> process_;
  std::optional<Context> context_;
  std::optional<Desk> desk_;
  bool fits_ = true;
  int opened_ = 0;
};

TEST_F(DeskTest, AFindingOfAMadeUpDetectorComesOut) {
  desk_->admit(clerk());
  publish(0);
  desk_->turn(0);
  EXPECT_EQ(opened_, 1);
  EXPECT_TRUE(desk_->findings().empty());
  reach_end_of_main();
  ASSERT_EQ(desk_->findings().size(), 1u);
  EXPECT_EQ(desk_->findings()[0].rule, "GB999");
  EXPECT_EQ(desk_->findings()[0].level, findings::Level::kLikely);
  EXPECT_EQ(desk_->revision(), 1u);
  EXPECT_NE(process_->ring.control().main_gate, u32{abi::kGateWaiting});
  EXPECT_EQ(desk_->losses().at("gates_left"), 0u);
}

// One that has gone on is not looked at, and counted.
TEST_F(DeskTest, OnlyAThreadThatWaitsIsJudged) {
  desk_->admit(clerk());
  publish(0, 0);
  desk_->turn(0);
  EXPECT_EQ(opened_, 0);
  EXPECT_EQ(desk_->losses().at("not_judged"), 1u);
}

TEST_F(DeskTest, AContextIsNotJudgedForEver) {
  constexpr u64 kMany = 100;
  desk_->admit(clerk());
  for (u64 i = 0; i < kMany; ++i) {
    publish(i);
    desk_->turn(0);
  }
  EXPECT_GT(opened_, 1);
  EXPECT_LT(opened_, 50);
}

TEST_F(DeskTest, WhatDoesNotFitItsClerkIsDamaged) {
  fits_ = false;
  desk_->admit(clerk());
  publish(0);
  desk_->turn(0);
  EXPECT_EQ(opened_, 0);
  EXPECT_EQ(desk_->losses().at("damaged_events"), 1u);
}

TEST_F(DeskTest, AnEventWithoutAClerkIsDamaged) {
  publish(0);
  desk_->turn(0);
  EXPECT_EQ(desk_->losses().at("damaged_events"), 1u);
}

}  // namespace
}  // namespace geist::judge
