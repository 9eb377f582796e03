// geist advise slices: findings of a report ──▶ shapes ──▶ benchmarks ──▶ a table and one sentence each.
//
// The sentence follows from the figures: only a repair that was seen to leave the array of the other
// slice alone can be taken; the change of one expression is preferred while it costs no more than the
// others, as far as the rounds agree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "advise/bench.h"
#include "advise/slice_bench.h"
#include "findings/finding.h"

namespace geist::advise {

struct LeftOut {
  int finding = 0;
  std::string reason;  // one sentence
};

struct SlicePlan {
  std::vector<Shape> shapes;
  std::vector<LeftOut> left_out;
};

// Which shapes the findings have; `only`: the id of one. At most kMostShapes, what is beyond is left
// out with a reason. Fails when there is nothing to measure, with the reason.
constexpr usize kMostShapes = 8;
Result<SlicePlan> plan_slices(const findings::Report& report, std::optional<int> only);

struct RepairRow {
  Repair repair = Repair::kAsItIs;
  std::optional<Measured> measured;  // nothing: not of this release
  u64 overwritten() const;           // elements of the shared array that it changed
  u64 room() const;                  // of its result, beyond its length
};

struct Choice {
  Repair repair = Repair::kClip;
  std::string why;  // the figures that decided, "71 ns and 64 B an append, ..."
};
// Nothing when no repair left the array alone.
std::optional<Choice> choose_repair(const std::vector<RepairRow>& rows);
// "Take …", for the first finding of the shape.
std::string emit_slice_sentence(const findings::Finding& finding,
                                const std::vector<RepairRow>& rows);

struct SliceAdvice {
  std::string go, report_go;  // "go1.26.8"; the second is the report's
  SlicePlan plan;
  std::vector<std::vector<RepairRow>> rows;  // of each shape
  u64 rounds = 0;
};
// Runs the benchmarks. Fails as Bench does, and when a benchmark gave no figure.
Result<SliceAdvice> measure_slices(SlicePlan plan, const Bench& bench, u64 rounds);

std::string emit_slice_text(const SliceAdvice& advice, const findings::Report& report);
std::string emit_slice_json(const SliceAdvice& advice, const findings::Report& report);

// "12.3", "0.42", "1234": three digits that mean something.
std::string emit_figure(double value);

}  // namespace geist::advise
