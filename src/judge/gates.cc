// Later looks at the cases, and those at the program's end, where it stands still at a gate.
#include <algorithm>

#include "judge/desk.h"
#include "process/signs_of_life.h"

namespace geist::judge {
namespace {

constexpr double kLookInterval = 0.5;
constexpr double kSettleSeconds = 1.0;  // from an event to the first look at its case
constexpr u64 kMaxReachBytes = u64{512} << 20;

}  // namespace

void Desk::look_again() {
  if (now_s() - last_look_s_ < kLookInterval || !may_spend(0.001)) return;
  last_look_s_ = now_s();
  for (const std::unique_ptr<Case>& c : cases_) {
    if (now_s() - c->at_s() < kSettleSeconds) continue;
    const Account account(*this, c->event().detector);
    c->look_again();
  }
  for (usize i = registers_.all().size(); i-- > 0;) {
    if (registers_.all()[i].of->is_seen_through()) registers_.end(i, false);
  }
  cases_.forget_if([this](const Case& c) { return !registers_.has(c) && c.is_over(); });
}

// While main.main waits at its return, its goroutine counts as running.
heap::StandingGoroutine Desk::at_main_gate() const {
  const abi::Control& control = process_.ring.control();
  if (!process::SharedRing::is_waited_at(&control.main_gate)) return {};
  return {TargetAddr(control.main_gate_g), TargetAddr(control.main_gate_sp)};
}

// One walk over the heap for all, and another for where headers may have gone.
void Desk::answer(const std::vector<Question*>& questions) const {
  std::vector<TargetAddr> objects;
  for (const Question* question : questions) objects.push_back(question->object);
  std::vector<bool> reached(objects.size(), false);
  context_.scanner.is_reachable(objects, kMaxReachBytes, &reached, at_main_gate());
  for (usize i = 0; i < questions.size(); ++i) questions[i]->is_reachable = reached[i];
  find_elsewhere(questions);
}

void Desk::find_elsewhere(const std::vector<Question*>& questions) const {
  std::vector<Question*> moved;
  std::vector<const View*> views;
  for (Question* question : questions) {
    if (question->header == nullptr) continue;
    moved.push_back(question);
    views.push_back(question->header);
  }
  if (moved.empty()) return;
  const std::vector<std::vector<Place>> places = find_same_headers(context_, views);
  std::vector<TargetAddr> objects;
  for (const std::vector<Place>& of_one : places) {
    for (const Place& p : of_one)
      objects.push_back(p.holder == findings::Holder::kHeap ? p.object : p.ptr_word);
  }
  std::vector<bool> reached(objects.size(), false);
  context_.scanner.is_reachable(objects, kMaxReachBytes, &reached, at_main_gate());
  auto is_reached = reached.begin();
  for (usize i = 0; i < moved.size(); ++i) {
    for (const Place& place : places[i]) {
      if (*is_reached++) moved[i]->elsewhere.push_back(place);
    }
  }
}

// At a gate the program stands still in one place. That holds only for what was read before it went
// on.
void Desk::settle(const Gate& gate) {
  read_samples();
  wait_for_settled_bytes();
  std::vector<Question*> questions;
  for (const std::unique_ptr<Case>& c : cases_) {
    for (Question& question : c->ask()) questions.push_back(&question);
  }
  std::optional<process::SignsOfLife> meanwhile;
  if (!questions.empty()) {
    meanwhile.emplace(process_.ring);
    answer(questions);
  }
  if (!process::SharedRing::is_waited_at(gate.word)) {
    if (!questions.empty()) ++gates_left_;
    return;
  }
  for (const std::unique_ptr<Case>& c : cases_) c->settle(gate);
}

void Desk::serve_gates() {
  abi::Control& control = process_.ring.control();
  if (process::SharedRing::is_waited_at(&control.main_gate)) {
    settle({&control.main_gate, true});
    settled_at_end_ = true;
    if (options_.at_end) options_.at_end();
    process_.ring.open_gate(&control.main_gate);
  }
  if (process::SharedRing::is_waited_at(&control.exit_gate)) {
    if (settled_at_end_) {
      read_samples();
      wait_for_settled_bytes();
    } else {
      settle({&control.exit_gate, false});
    }
    if (!settled_at_end_ && options_.at_end) options_.at_end();
    settled_at_end_ = true;
    process_.ring.open_gate(&control.exit_gate);
  }
}

void Desk::finish() {
  // Memory is gone; what the kernel had sampled before is still in the buffers, and so are unread
  // events.
  read_samples();
  u32 sites = static_cast<u32>(process_.plan.sites.size());
  not_judged_ += process_.ring.drop_all(sites, options_.on_other);
}

}  // namespace geist::judge
