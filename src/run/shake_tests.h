// A test binary shaken: which verdicts depend on the capacity that append gives, and on which
// append's.
#pragma once

#include <chrono>

#include "findings/finding.h"
#include "probe/condition.h"
#include "run/kept_program.h"

namespace geist::run {

struct TestShaking {
  std::vector<probe::Condition> conditions;
  std::vector<std::string> run_flags;  // of the geist that watches
  std::chrono::steady_clock::time_point deadline;
};

// `report` is what `program` was seen to do in a run as it is. What only conditions show is added
// to it; what could not be done is a note, and nothing fails.
void shake_test_binary(const KeptProgram& program, const TestShaking& shaking,
                       findings::Report& report);

}  // namespace geist::run
