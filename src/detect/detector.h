// A detector: a row of findings/detectors.inc, and a folder here that defines `kHooks` in a
// namespace of its name. What it needs of a session it asks for before the program runs, what it
// knows it tells when the program has ended or is left; events in between go to its clerk, or to
// its listener when they say all by themselves.
//
//   row ─▶ flag ─▶ Detectors ─ask─▶ PlanOptions ─▶ trampolines ─▶ counts ─tell─▶ findings::Report
//                                                       ├─▶ events ─▶ judge::Desk ─▶ clerk's cases
//                                                       └─▶ events ─▶ listener ─tell─▶
#pragma once

#include <functional>
#include <memory>
#include <span>
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
  // How one would write the ways to objects in its heap, "main.cache"; empty: not known. Asked while
  // the process runs, costs it a pause. May be null.
  std::function<std::vector<std::string>(std::span<const TargetAddr>)> find_paths = nullptr;
};

// What a detector knows in one session.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;
  // An event of this detector, which holds together (process/shared_ring.h).
  virtual void hear(const abi::Event& event) = 0;
  // Now and then while the program runs, and when it soon does no more: what can be had from it
  // only then.
  virtual void look() {}
  // Adds findings or a section.
  virtual void tell(findings::Report& report) = 0;
};

// A program that is going to be watched.
struct Program {
  const read::GoBinary& binary;
  const sites::SiteTable& sites;
};

// Null: nothing to be done there.
struct Hooks {
  // What is to be probed for it, and how.
  void (*ask)(probe::PlanOptions& plan) = nullptr;
  // Adds findings or a section.
  void (*tell)(const Watched& watched, findings::Report& report) = nullptr;
  // The points of this program that are to be probed for it.
  void (*find)(const Program& program, probe::PlanOptions& plan) = nullptr;
  // Makes cases of its events; the desk outlives it.
  judge::Clerk (*clerk)(judge::Desk& desk) = nullptr;
  // Of events, those of this detector; `watched` outlives who hears them.
  abi::Detector events = abi::kNoDetector;
  std::unique_ptr<Listener> (*listen)(const Watched& watched) = nullptr;
};

// Those that a session runs: all that run always, and those that are asked for.
class Detectors {
 public:
  // `asked`: names of rows that run when they are.
  explicit Detectors(const std::vector<std::string>& asked);
  void ask(probe::PlanOptions& plan) const;
  void find(const Program& program, probe::PlanOptions& plan) const;

 private:
  friend class Session;
  std::vector<Hooks> hooks_;
};

// One process under their eyes.
class Session {
 public:
  // `asked` as of Detectors.
  Session(const std::vector<std::string>& asked, Watched watched);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // Sends the clerks to its desk.
  void attend(judge::Desk& desk) const;
  // An event that is no append's.
  void hear(const abi::Event& event);
  // To be called often; the listeners look when it is time: after a second, after four, and so on.
  void turn(double now_s);
  void look() const;
  void tell(findings::Report& report);

 private:
  struct Part {
    Hooks hooks;
    std::unique_ptr<Listener> listener;  // null: it hears nothing
  };
  Watched watched_;
  std::vector<Part> parts_;
  double next_look_s_ = 1;
};

#define GEIST_DETECTOR(name, rule, finding_class, title, when, help) \
  namespace name {                                                   \
  extern const Hooks kHooks;                                         \
  }
#include "findings/detectors.inc"
#undef GEIST_DETECTOR

}  // namespace geist::detect
