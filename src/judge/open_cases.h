// The cases that may still become findings, oldest first, and no more than there is room for: each
// has a copy of a stack and a list of goroutines.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "judge/case.h"

namespace geist::judge {

class OpenCases {
 public:
  explicit OpenCases(usize room) : room_(room) {}

  // Gives the oldest case when there was no room beside it, else null.
  std::unique_ptr<Case> add(std::unique_ptr<Case> c) {
    cases_.push_back(std::move(c));
    if (cases_.size() <= room_) return nullptr;
    std::unique_ptr<Case> oldest = std::move(cases_.front());
    cases_.erase(cases_.begin());
    return oldest;
  }
  // Nothing may point to these.
  template <typename IsOver>
  void forget_if(IsOver is_over) {
    std::erase_if(cases_, [&](const std::unique_ptr<Case>& c) { return is_over(*c); });
  }

  usize size() const { return cases_.size(); }
  auto begin() { return cases_.begin(); }
  auto end() { return cases_.end(); }
  auto begin() const { return cases_.begin(); }
  auto end() const { return cases_.end(); }

 private:
  usize room_;
  std::vector<std::unique_ptr<Case>> cases_;
};

}  // namespace geist::judge
