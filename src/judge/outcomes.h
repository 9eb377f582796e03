// What the cases of all detectors have earned: at least kSuspect, the strongest of each.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "findings/finding.h"

namespace geist::judge {

class Outcomes {
 public:
  // Whose outcome it is: of a case, which may be forgotten by now, one for each of its victims.
  struct Of {
    u64 number = 0;
    usize victim = 0;
    u64 context = 0;  // of the case's event
    bool operator==(const Of&) const = default;
  };
  // `describe` is called when this is new or stronger than what is known.
  void record(const Of& of, findings::Level level,
              const std::function<findings::Finding()>& describe);
  // The context has had so many events by now.
  void count_up(u64 context, u64 hits);
  bool is_confirmed(u64 context) const { return confirmed_contexts_.contains(context); }
  // One for each place and victim (its kind and name): the strongest, with all counts. Strongest
  // first.
  std::vector<findings::Finding> merged() const;
  // Grows with each finding that is new or became stronger.
  u64 revision() const { return revision_; }
  u64 left_out() const { return left_out_; }

 private:
  struct Outcome {
    Of of;
    findings::Finding finding;
  };
  std::vector<Outcome> outcomes_;
  std::set<u64> confirmed_contexts_;
  u64 revision_ = 0;
  u64 left_out_ = 0;
};

}  // namespace geist::judge
