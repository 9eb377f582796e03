// Attention: the judge's own processor time, and who may use it.
//
//   all that it may use:   a grace, then a share of the time that passes
//   less what is nobody's: heartbeats, samples, gates
//   ─▶ the rest is the detectors', by their shares; what one has used is none of the others' loss
#pragma once

#include <map>

#include "base/ints.h"

namespace geist::judge {

class Attention {
 public:
  Attention(double grace_s, double share) : grace_s_(grace_s), share_(share) {}

  void admit(u32 detector, u32 share) {
    parts_[detector].share = share;
    shares_ += share;
  }
  // `used_s`: of processor time by then, by all; `passed_s`: of time.
  struct Now {
    double passed_s = 0, used_s = 0;
  };
  // May the judge as a whole go on, and spend so much?
  bool may_spend(const Now& now, double wanted_s) const {
    return now.used_s + wanted_s < allowed(now);
  }
  bool may_spend(u32 detector, const Now& now, double wanted_s) const {
    auto part = parts_.find(detector);
    if (part == parts_.end() || shares_ == 0) return false;
    const double of_all = allowed(now) - (now.used_s - charged_s_);
    return part->second.charged_s + wanted_s < of_all * part->second.share / shares_;
  }
  void charge(u32 detector, double seconds) {
    parts_[detector].charged_s += seconds;
    charged_s_ += seconds;
  }

 private:
  double allowed(const Now& now) const { return grace_s_ + share_ * now.passed_s; }
  struct Part {
    u32 share = 0;
    double charged_s = 0;
  };
  double grace_s_, share_;
  std::map<u32, Part> parts_;
  u32 shares_ = 0;
  double charged_s_ = 0;
};

}  // namespace geist::judge
