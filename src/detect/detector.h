// A detector: a row of findings/detectors.inc, and a folder here that defines `kHooks` in a
// namespace of its name. What it needs of a session it asks for before the program runs, what it
// knows it tells when the program has ended or is left; events in between go to its clerk.
//
//   row ─▶ flag ─▶ Detectors ─ask─▶ PlanOptions ─▶ trampolines ─▶ counts ─tell─▶ findings::Report
//                                                       └─▶ events ─▶ judge::Desk ─▶ clerk's cases
#pragma once

#include <string>
#include <vector>

#include "findings/finding.h"
#include "judge/desk.h"
#include "probe/patch_plan.h"
#include "process/launch.h"

namespace geist::detect {

// A process that was watched; it may have ended.
struct Watched {
  const read::GoBinary& binary;
  const process::ProbedProcess& process;
};

// Null: nothing to be done there.
struct Hooks {
  // What is to be probed for it, and how.
  void (*ask)(probe::PlanOptions& plan) = nullptr;
  // Adds findings or a section.
  void (*tell)(const Watched& watched, findings::Report& report) = nullptr;
  // Makes cases of its events; the desk outlives it.
  judge::Clerk (*clerk)(judge::Desk& desk) = nullptr;
};

// Those that a session runs: all that run always, and those that are asked for.
class Detectors {
 public:
  // `asked`: names of rows that run by a flag.
  explicit Detectors(const std::vector<std::string>& asked);
  void ask(probe::PlanOptions& plan) const;
  // Sends the clerks to the desk of a session.
  void attend(judge::Desk& desk) const;
  void tell(const Watched& watched, findings::Report& report) const;

 private:
  std::vector<Hooks> hooks_;
};

#define GEIST_DETECTOR(name, rule, finding_class, title, when, help) \
  namespace name {                                                   \
  extern const Hooks kHooks;                                         \
  }
#include "findings/detectors.inc"
#undef GEIST_DETECTOR

}  // namespace geist::detect
