// What runs at a copy is run (machine.h) with known arguments; and which copies of a program it runs
// at.
#include "probe/refill_probes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "../read/go_fixture.h"
#include "machine.h"

namespace geist::probe {
namespace {

constexpr unsigned long kGoesOn = 1, kEvent = 2;

class RefillPrimitive : public testing::Test {
 protected:
  static constexpr u64 kGoesOnAt = 0x600, kEventAt = 0x700, kRecordAt = 0x2000, kBytes = 0x4000;

  RefillPrimitive() {
    void* at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    memory_ = static_cast<u8*>(at);
    base_ = reinterpret_cast<u64>(at);
    put_test_exit(memory_ + kGoesOnAt, kGoesOn);
    put_test_exit(memory_ + kEventAt, kEvent);
  }
  ~RefillPrimitive() override { ::munmap(memory_, kBytes); }

  void write(std::string_view callee) {
    const std::optional<Primitive> primitive = tell_refill(callee);
    ASSERT_TRUE(primitive.has_value());
    x86::Assembler as(base_);
    PrimitivePlace place;
    place.temps = {x86::kR15};
    place.record = base_ + kRecordAt;
    place.done = as.new_label();
    place.enter = as.new_label();
    primitive->emit(as, place);
    as.bind(place.done);
    as.jmp_to(base_ + kGoesOnAt);
    as.bind(place.enter);
    as.jmp_to(base_ + kEventAt);
    as.finish();
    ASSERT_TRUE(as.ok());
    std::memcpy(memory_, as.bytes().data(), as.bytes().size());
  }
  // Where it went; all arguments are as they were.
  unsigned long run(const MachineState& start) {
    MachineState state = start;
    geist_test_enter(&state, base_, stack_ + sizeof stack_ / 2);
    for (int reg : {0, 1, 2, 3, 5, 6, 7, 8, 9}) EXPECT_EQ(state.regs[reg], start.regs[reg]) << reg;
    return state.exit;
  }
  abi::Site& site() { return *reinterpret_cast<abi::Site*>(memory_ + kRecordAt); }

  u8* memory_ = nullptr;
  u64 base_ = 0;
  alignas(16) unsigned char stack_[4096] = {};
};

MachineState memmove_call(u64 to, u64 from, u64 n) {
  MachineState state{};
  state.regs[x86::kRax] = to;
  state.regs[x86::kRbx] = from;
  state.regs[x86::kRcx] = n;
  return state;
}

TEST_F(RefillPrimitive, OnlyWhatWritesSomethingIsTold) {
  write("runtime.memmove");
  EXPECT_EQ(run(memmove_call(0x1000, 0x2000, 16)), kEvent);
  EXPECT_EQ(run(memmove_call(0x1000, 0x2000, 0)), kGoesOn);
  EXPECT_EQ(run(memmove_call(0x1000, 0x1000, 16)), kGoesOn);  // onto itself
}

TEST_F(RefillPrimitive, ASkippedOneCountsDown) {
  write("runtime.memmove");
  site().skip = 2;
  EXPECT_EQ(run(memmove_call(0x1000, 0x2000, 16)), kGoesOn);
  EXPECT_EQ(site().skip, 1u);
  EXPECT_EQ(run(memmove_call(0x1000, 0x2000, 16)), kGoesOn);
  EXPECT_EQ(site().skip, 0u);
  EXPECT_EQ(run(memmove_call(0x1000, 0x2000, 16)), kEvent);
  EXPECT_EQ(site().skip, 0u);
}

TEST_F(RefillPrimitive, ATypedCopyHasTwoLengths) {
  write("runtime.typedslicecopy");
  MachineState call{};
  call.regs[x86::kRbx] = 0x1000;
  call.regs[x86::kRcx] = 3;
  call.regs[x86::kRdi] = 0x2000;
  call.regs[x86::kRsi] = 2;
  EXPECT_EQ(run(call), kEvent);
  call.regs[x86::kRsi] = 0;
  EXPECT_EQ(run(call), kGoesOn);
  abi::Event event{};
  event.regs[x86::kRcx] = 3;
  event.regs[x86::kRsi] = 2;
  EXPECT_EQ(refill_size("runtime.typedslicecopy", event), 2u);
  EXPECT_EQ(refill_size("runtime.memmove", event), 3u);
  EXPECT_EQ(refill_size("runtime.memclr", event), 0u);
}

TEST(RefillProbes, CopiesOfTheRuntimeAndOfAppendsAreLeftAlone) {
  auto binary = std::move(read::GoBinary::open(read::default_fixture(), {}).value());
  const sites::SiteTable table = sites::find_append_sites(*binary, 1);
  const std::vector<PointProbe> probes = find_refill_probes(*binary, table);
  ASSERT_GT(probes.size(), 4u);  // fmt, os, reflect, strconv ... are in it
  for (const PointProbe& probe : probes) {
    const auto target = binary->pclntab().find_function(probe.point.target);
    ASSERT_TRUE(target.has_value());
    EXPECT_TRUE(tell_refill(target->name).has_value()) << target->name;
    const std::string_view caller = binary->pclntab().function(probe.point.function).name;
    EXPECT_FALSE(caller.starts_with("runtime.") || caller.starts_with("strings.(*Builder)"))
        << caller;
    EXPECT_EQ(std::ranges::count(table.sites, probe.point.at, &sites::AppendSite::call), 0);
  }
}

// What a read's begin and end enter with is the program's own state, at the first instruction and at
// each RET.
TEST(ReadProbes, AFunctionThatReadsIsLookedAtAsAWhole) {
  auto binary = std::move(read::GoBinary::open(read::default_fixture(), {}).value());
  const std::vector<PointProbe> probes = find_read_probes(*binary);
  std::map<ImageAddr, std::pair<int, int>> of;
  for (const PointProbe& probe : probes) {
    const read::Function function = binary->pclntab().function(probe.point.function);
    EXPECT_TRUE(is_reader(function.name)) << function.name;
    EXPECT_EQ(probe.point.frame_bytes, 0);  // SP is at the return address
    const bool begins = probe.primitive.mode == abi::kReadBegins;
    EXPECT_EQ(probe.point.kind,
              begins ? program::PointKind::kEntry : program::PointKind::kReturn);
    auto& [begin, end] = of[function.entry];
    ++(begins ? begin : end);
  }
  // What nobody calls is left out by the linker.
  const bool reads = binary->pclntab().find_function_named("internal/poll.(*FD).Read").has_value();
  EXPECT_EQ(of.empty(), !reads);
  for (const auto& [function, count] : of) {
    EXPECT_EQ(count.first, 1);
    EXPECT_GE(count.second, 1);
  }
  for (const program::Point& call : find_calls_of_readers(*binary))
    EXPECT_TRUE(is_reader(binary->pclntab().find_function(call.target)->name));
  EXPECT_FALSE(is_reader("internal/poll.(*FD).Write"));
}

TEST(ReadProbes, AReadIsAsLongAsTold) {
  abi::Event event{};
  event.append.num = 12;
  event.regs[x86::kRcx] = 4096;
  EXPECT_EQ(refill_size("internal/poll.(*FD).Read", event), 12u);
  event.regs[x86::kRcx] = 4;
  EXPECT_EQ(refill_size("internal/poll.(*FD).Read", event), 4u);
}

// What the target tells is known by its record.
TEST(RefillProbes, ARecordSaysWhoseEventsItMakes) {
  auto binary = std::move(read::GoBinary::open(read::default_fixture(), {}).value());
  const sites::SiteTable table = sites::find_append_sites(*binary, 1);
  PlanOptions options;
  options.points = find_refill_probes(*binary, table);
  const PatchPlan plan = plan_anywhere(*binary, table, options);
  usize planned = 0;
  for (const PlannedPoint& point : plan.points) {
    if (point.refused) continue;
    ++planned;
    abi::Site record;
    std::memcpy(&record, &plan.region_bytes[plan.site_table_offset + point.record * sizeof record],
                sizeof record);
    EXPECT_EQ(record.id, point.record);
    EXPECT_EQ(record.detector, abi::kRefill);
    EXPECT_EQ(point.detector, abi::kRefill);
    EXPECT_EQ(record.values[abi::kNum].kind, abi::kRegister);
  }
  EXPECT_EQ(planned, plan.points.size());
}

}  // namespace
}  // namespace geist::probe
