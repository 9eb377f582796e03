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

void Detectors::attend(judge::Desk& desk) const {
  for (const Hooks& hooks : hooks_) {
    if (hooks.clerk != nullptr) desk.admit(hooks.clerk(desk));
  }
}

void Detectors::tell(const Watched& watched, findings::Report& report) const {
  for (const Hooks& hooks : hooks_) {
    if (hooks.tell != nullptr) hooks.tell(watched, report);
  }
}

}  // namespace geist::detect
