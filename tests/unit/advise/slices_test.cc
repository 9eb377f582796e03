// The choice follows from figures, whichever these are; and the source that measures them.
#include "advise/slices.h"

#include <gtest/gtest.h>

namespace geist::advise {
namespace {

RepairRow row(Repair repair, double ns, double bytes, double overwritten = 0, double room = 0) {
  Measured measured;
  measured.ns = measured.low = measured.high = ns;
  measured.bytes = bytes;
  measured.others = {{"overwritten", overwritten}, {"room", room}};
  measured.rounds = 1;
  return {repair, measured};
}

Repair taken(const std::vector<RepairRow>& rows) {
  std::optional<Choice> choice = choose_repair(rows);
  return choice ? choice->repair : Repair::kAsItIs;
}

TEST(Slices, TakesTheClipWhileItCostsTheSame) {
  EXPECT_EQ(taken({row(Repair::kAsItIs, 3, 0, 1), row(Repair::kDeepCopy, 90, 192),
                   row(Repair::kClip, 75, 80), row(Repair::kConcat, 70, 80),
                   row(Repair::kOwn, 71, 80), row(Repair::kPool, 5, 0)}),
            Repair::kClip);
}

TEST(Slices, TakesAnotherWhenTheFiguresSaySo) {
  EXPECT_EQ(taken({row(Repair::kAsItIs, 3, 0, 1), row(Repair::kClip, 75, 128),
                   row(Repair::kConcat, 70, 80)}),
            Repair::kConcat)
      << "fewer bytes";
  EXPECT_EQ(taken({row(Repair::kClip, 175, 80), row(Repair::kConcat, 170, 80),
                   row(Repair::kOwn, 70, 80)}),
            Repair::kOwn)
      << "faster";
  EXPECT_EQ(
      taken({row(Repair::kClip, 75, 128), row(Repair::kConcat, 71, 80), row(Repair::kOwn, 70, 80)}),
      Repair::kConcat)
      << "as fast, and less to write";
  EXPECT_EQ(taken({row(Repair::kDeepCopy, 10, 80), row(Repair::kClip, 75, 80)}), Repair::kDeepCopy);
}

// A repair that was seen to write into the shared array is none, whatever it costs.
TEST(Slices, TakesNothingThatOverwrites) {
  EXPECT_EQ(taken({row(Repair::kClip, 1, 1, 1), row(Repair::kConcat, 70, 80)}), Repair::kConcat);
  EXPECT_FALSE(choose_repair(
      {row(Repair::kAsItIs, 3, 0, 0), row(Repair::kPool, 3, 0), row(Repair::kClip, 1, 1, 2)}));
  EXPECT_FALSE(choose_repair({}));
}

findings::Finding demo() {
  findings::Finding finding;
  finding.id = 1;
  finding.level = findings::Level::kConfirmed;
  finding.element_type = "string";
  finding.element_size = 16;
  finding.old_len = 3;
  finding.cap = 4;
  finding.added = 1;
  finding.operand = "g.steps";
  finding.fix = "append(g.steps[:len(g.steps):len(g.steps)], s)";
  finding.victim.name = "h.steps";
  return finding;
}

TEST(Slices, SaysWhyWithTheFigures) {
  std::string text =
      emit_slice_sentence(demo(), {row(Repair::kAsItIs, 3, 0, 1), row(Repair::kClip, 75, 80),
                                   row(Repair::kConcat, 70, 80), row(Repair::kPool, 9, 0)});
  EXPECT_EQ(text,
            "Take append(g.steps[:len(g.steps):len(g.steps)], s): 75 ns and 80 B an append, as "
            "good as slices.Concat (70 ns and "
            "80 B), and one expression changes. As it is the append takes 3 ns, because it writes "
            "into the array it shares with "
            "h.steps. A pool takes 9 ns, but whoever gives an array back must know that nobody "
            "uses it any more, and here "
            "somebody still did.");
}

TEST(Slices, SaysInWhichWayItIsBetter) {
  auto why = [](double ns, double bytes) {
    return choose_repair({row(Repair::kClip, 75, 128, 0, 3), row(Repair::kOwn, ns, bytes)})->why;
  };
  EXPECT_EQ(why(70, 80),
            "70 ns and 80 B an append, with fewer bytes than, and about as fast as, "
            "s[:len(s):len(s)] (75 ns and 128 B, "
            "room for 3 more elements)");
  EXPECT_EQ(why(30, 128),
            "30 ns and 128 B an append, faster than s[:len(s):len(s)] (75 ns and 128 B, room for 3 "
            "more elements)");
}

TEST(Slices, PlansShapes) {
  findings::Report report;
  EXPECT_EQ(plan_slices(report, std::nullopt).error().message(),
            "the report has no findings, so there is nothing to repair");
  report.findings = {demo(), demo(), demo()};
  report.findings[1].id = 2;
  report.findings[2].id = 3;
  report.findings[2].cap = 0;
  SlicePlan plan = plan_slices(report, std::nullopt).value();
  ASSERT_EQ(plan.shapes.size(), 1u);
  EXPECT_EQ(plan.shapes[0].findings, (std::vector<int>{1, 2}));
  ASSERT_EQ(plan.left_out.size(), 1u);
  EXPECT_EQ(plan.left_out[0].reason, "no length and capacity of an append is known");
  EXPECT_EQ(plan_slices(report, 9).error().message(), "the report has no finding 9");
  EXPECT_EQ(plan_slices(report, 3).error().message(),
            "finding 3: no length and capacity of an append is known");
}

TEST(Slices, BoundsShapes) {
  findings::Report report;
  for (int i = 0; i < 20; ++i) {
    report.findings.push_back(demo());
    report.findings.back().id = i + 1;
    report.findings.back().cap = 100 + static_cast<u64>(i);
  }
  report.findings[0].cap = report.findings[0].old_len = ~u64{0};
  report.findings[0].added = ~u64{0};
  SlicePlan plan = plan_slices(report, std::nullopt).value();
  EXPECT_EQ(plan.shapes.size(), kMostShapes);
  EXPECT_EQ(plan.left_out.size(), 20 - kMostShapes);
  EXPECT_EQ(plan.shapes[0].cap, 1u << 20);
  EXPECT_LT(plan.shapes[0].len, plan.shapes[0].cap);
  EXPECT_NE(plan.shapes[0].note, "");
}

TEST(Slices, WritesOneBenchmarkForEachRepair) {
  Shape shape{make_element(demo()).value(), 3, 4, 1, {1}, ""};
  std::string source = emit_slice_bench({shape, shape}, 26);
  for (const char* text : {"func Benchmark0_as_it_is(", "func Benchmark1_pool(",
                           "return append(s[:len(s):len(s)], x[0])", "type e1 = string",
                           "filled(3, 4, value0(1))", "return slices.Concat(s, x)"})
    EXPECT_NE(source.find(text), std::string::npos) << text;
  EXPECT_EQ(emit_slice_bench({shape}, 21).find("slices.Concat"), std::string::npos);
  shape.added = 2;
  EXPECT_NE(emit_slice_bench({shape}, 21).find("x..."), std::string::npos);
}

TEST(Slices, WritesFigures) {
  EXPECT_EQ(emit_figure(0), "0");
  EXPECT_EQ(emit_figure(0.4213), "0.42");
  EXPECT_EQ(emit_figure(13.37), "13.4");
  EXPECT_EQ(emit_figure(971.7), "972");
  EXPECT_EQ(emit_figure(1e300).size(), 301u);
}

}  // namespace
}  // namespace geist::advise
