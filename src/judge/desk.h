// Desk: the judge at work while the program runs. Takes events out of the ring and hands each to
// the detector that asked for it, which makes a case of it (case.h). The desk has what the cases
// share: the four debug registers, the judge's time, the gates at which the program waits, the
// findings.
//
//   ring ─▶ on_event ─▶ Clerk::open ─▶ Case ─▶ [registers: watched words] ─▶ accesses ┐
//                                        ├───▶ [look again: later]                    ├─▶ outcomes
//                                        └───▶ [gates: the program stands still]      ┘
//
// The monitor's own cost is bounded: beyond a grace it uses at most a share of one core; what is
// left out is counted.
#pragma once

#include <functional>
#include <map>

#include "judge/access.h"
#include "judge/attention.h"
#include "judge/case.h"
#include "judge/open_cases.h"
#include "judge/outcomes.h"
#include "judge/registers.h"
#include "process/launch.h"
#include "process/watch.h"

namespace geist::judge {

struct DeskOptions {
  bool watch = true;
  double cpu_grace_s = 0.25;
  double share =
      0.02;  // of a core for the judge, after the grace, and of the program's time for watches
  u64 max_scan_bytes = u64{1} << 30;
  usize max_open_cases = 512;
  // Called while the program waits at its end, before it goes on; may be null.
  std::function<void()> at_end = nullptr;
  // Takes the events that no case is made of, before their thread goes on; may be null.
  std::function<void(const abi::Event&)> on_other = nullptr;
};

class Desk {
 public:
  Desk(Context& context, process::ProbedProcess& process, const DeskOptions& options);
  ~Desk();

  // Before the first turn. Events of a detector without a clerk do not hold together.
  void admit(Clerk clerk);

  // One turn: heartbeat, events, samples, gates; sleeps a little when there is nothing to do, and
  // `most_us` at most.
  void turn(u64 most_us = ~u64{0});
  // The process is gone (or will not be looked at any more): what is still in the ring and the
  // samples.
  void finish();

  // The findings, one for each (place, victim's kind and name): the strongest, with all counts.
  std::vector<findings::Finding> findings() const { return outcomes_.merged(); }
  // Grows with each finding that is new or became stronger: findings() is the same as long as this
  // is.
  u64 revision() const { return outcomes_.revision(); }

  findings::EventCounts counts() const;
  std::map<std::string, u64> losses() const;
  double cpu_seconds() const;
  double watch_seconds() const { return watcher_.seconds(); }  // that watches have cost the program
  double now_s() const;                                        // since the desk was there
  const process::Watcher& watcher() const { return watcher_; }

  // For clerks and cases; all of it outlives them.
  Context& context() { return context_; }
  process::ProbedProcess& process() { return process_; }
  const DeskOptions& options() const { return options_; }
  Registers& registers() { return registers_; }
  Outcomes& outcomes() { return outcomes_; }

 private:
  void on_event(process::RawEvent raw);
  void take_up(const Clerk& clerk, process::RawEvent raw);
  bool is_tired_of(u64 context) const;
  bool runs_in_init(const abi::Event& event) const;
  void keep_time_slices(TargetAddr g);
  void watch(Case& c);
  void keep(std::unique_ptr<Case> c);
  void forget(const Case& c);

  void read_samples();
  void wait_for_settled_bytes();
  void guard_stacks();
  void guard_copies();
  void serve_stack_gates();
  void serve_copy_gate();

  void look_again();
  void answer(const std::vector<Question*>& questions) const;
  void find_elsewhere(const std::vector<Question*>& questions) const;
  heap::StandingGoroutine at_main_gate() const;
  void settle(const Gate& gate);
  void serve_gates();

  Attention::Now spent() const { return {now_s(), cpu_seconds()}; }
  bool may_spend(double seconds) const { return attention_.may_spend(spent(), seconds); }
  // What is done while it lives is done for this detector.
  class Account {
   public:
    Account(Desk& desk, u32 detector)
        : desk_(desk), detector_(detector), begin_s_(desk.cpu_seconds()) {}
    Account(const Account&) = delete;
    ~Account() { desk_.attention_.charge(detector_, desk_.cpu_seconds() - begin_s_); }

   private:
    Desk& desk_;
    u32 detector_;
    double begin_s_;
  };
  void hold_budget();

  Context& context_;
  process::ProbedProcess& process_;
  DeskOptions options_;
  process::Watcher watcher_;
  AccessReader accesses_;
  Registers registers_;
  Attention attention_;
  Outcomes outcomes_;
  std::map<u32, Clerk> clerks_;  // by detector
  OpenCases cases_;
  std::vector<TargetAddr> copied_words_;  // as the copy gate has them
  std::map<u64, u32> judged_of_context_;
  double start_s_ = 0;
  double cpu_start_s_ = 0;
  bool keeps_time_slices_ = false;
  double last_look_s_ = 0;
  double init_seconds_ = 0;           // spent on events of package initialization
  TargetAddr init_begin_, init_end_;  // the code that calls it
  u64 damaged_ = 0, judged_ = 0, not_judged_ = 0, not_watched_ = 0, too_hot_to_watch_ = 0;
  u64 gates_left_ = 0, cases_given_up_ = 0;
  bool settled_at_end_ = false;
};

}  // namespace geist::judge
