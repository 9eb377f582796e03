// A claim is a sentence that a measurement decides:
//
//   if: EXPR               holds or does not hold
//   each: EXPR of NAME[*]  asked for every index: true when it holds for all, false when for none,
//                          and else it depends on what the index is
//
// The figure that decided is a text with {EXPR} in it. Nothing here knows what is right: without
// the facts a claim is undecided.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/expression.h"

namespace geist::lab {

struct Claim {
  std::string text;    // "3.7% of the orders come out wrong"
  std::string source;  // who says so: "the article"; empty: a question of the lab's own
  Expression condition;
  bool is_each = false;
  std::string depends_on;  // of is_each: "the capacity"
  std::string figure;
};

enum class Verdict { kTrue, kFalse, kDepends, kUndecided };

struct Decision {
  Verdict verdict = Verdict::kUndecided;
  std::string words;   // "true", "false", "depends on the capacity", "undecided"
  std::string figure;  // what decided; of an undecided claim the reason
};

// The figure of a decided claim is always there: what a figure names and nobody told is shown as
// "?".
Decision decide(const Claim& claim, const Facts& facts);
// Fails on a {EXPR} that is none.
Status check_figure(const std::string& figure);

struct ReleaseDecision {
  int minor = 0;  // 21 of Go 1.21
  Decision decision;
};
// One verdict over several releases, in the order of their numbers: "true", "true until Go 1.23,
// false since Go 1.24" (measured on both sides), "depends on the release".
std::string combine_releases(std::vector<ReleaseDecision> decisions);

}  // namespace geist::lab
