#include "detect/detector.h"

#include <algorithm>

#include "findings/detectors.h"

namespace geist::detect {

Detectors::Detectors(const std::vector<std::string>& asked) {
  auto is_run = [&](std::string_view name) {
    return findings::find_detector(name)->when == findings::When::kAlways ||
           std::ranges::find(asked, name) != asked.end();
  };
#define GEIST_DETECTOR(name, rule, finding_class, title, when, help) \
  if (is_run(#name)) hooks_.push_back(name::kHooks);
#include "findings/detectors.inc"
#undef GEIST_DETECTOR
}

void Detectors::ask(probe::PlanOptions& plan) const {
  for (const Hooks& hooks : hooks_) {
    if (hooks.ask != nullptr) hooks.ask(plan);
  }
}

void Detectors::find(const Program& program, probe::PlanOptions& plan) const {
  for (const Hooks& hooks : hooks_) {
    if (hooks.find != nullptr) hooks.find(program, plan);
  }
}

Session::Session(const std::vector<std::string>& asked, Watched watched)
    : watched_(std::move(watched)) {
  const Detectors detectors(asked);
  for (const Hooks& hooks : detectors.hooks_)
    parts_.push_back({hooks, hooks.listen != nullptr ? hooks.listen(watched_) : nullptr});
}

void Session::attend(judge::Desk& desk) const {
  for (const Part& part : parts_) {
    if (part.hooks.clerk != nullptr) desk.admit(part.hooks.clerk(desk));
  }
}

void Session::hear(const abi::Event& event) {
  for (const Part& part : parts_) {
    if (part.listener != nullptr && part.hooks.events == event.detector) part.listener->hear(event);
  }
}

void Session::turn(double now_s) {
  constexpr double kStep = 4;
  if (now_s < next_look_s_) return;
  next_look_s_ *= kStep;
  look();
}

void Session::look() const {
  for (const Part& part : parts_) {
    if (part.listener != nullptr) part.listener->look();
  }
}

void Session::tell(findings::Report& report) {
  for (const Part& part : parts_) {
    if (part.hooks.tell != nullptr) part.hooks.tell(watched_, report);
    if (part.listener != nullptr) part.listener->tell(report);
  }
}

}  // namespace geist::detect
