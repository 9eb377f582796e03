// Events in, cases out. Headers that move are in moving_headers.cc, later looks and the program's
// end in gates.cc, what it all may cost in budget.cc.
#include "judge/desk.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>

#include "heap/goroutines.h"
#include "judge/clock.h"

namespace geist::judge {
namespace {

constexpr u32 kMaxJudgedPerContext = 24;
constexpr u32 kMaxFrames = 64;
// For events of package initialization, and before those of the standard library in it stop
// waiting.
constexpr double kInitSeconds = 0.03, kLibraryInitSeconds = 0.004;
constexpr u64 kTurnWatchingUs = 500, kTurnIdleUs = 20000;

}  // namespace

Desk::Desk(Context& context, process::ProbedProcess& process, const DeskOptions& options)
    : context_(context),
      process_(process),
      options_(options),
      watcher_(process.pid),
      accesses_(context),
      registers_(watcher_),
      attention_(options.cpu_grace_s, options.share),
      cases_(options.max_open_cases) {
  start_s_ = seconds(CLOCK_MONOTONIC);
  cpu_start_s_ = seconds(CLOCK_PROCESS_CPUTIME_ID);
  if (std::optional<read::Function> init =
          context.binary.pclntab().find_function_named("runtime.doInit1")) {
    init_begin_ = context.bias().to_target(init->entry);
    init_end_ = context.bias().to_target(init->end);
  }
  if (options_.watch) watcher_.start();
  // While an append waits, the program does: on a busy machine the tool should be next. Without the
  // right to, all goes on.
  constexpr int kUrgent = -15;
  (void)::setpriority(PRIO_PROCESS, 0, kUrgent);
  process_.ring.ready();
}

Desk::~Desk() = default;

void Desk::admit(Clerk clerk) {
  const u32 detector = clerk.detector;
  attention_.admit(detector, clerk.share);
  clerks_.insert_or_assign(detector, std::move(clerk));
}

double Desk::now_s() const {
  return seconds(CLOCK_MONOTONIC) - start_s_;
}
double Desk::cpu_seconds() const {
  return seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start_s_;
}

void Desk::turn(u64 most_us) {
  process_.ring.beat();
  const u32 published = process_.ring.published();
  serve_stack_gates();
  serve_copy_gate();
  read_samples();
  bool busy = false;
  u32 sites = static_cast<u32>(process_.plan.sites.size());
  for (usize n = 0; n < abi::kSlots; ++n) {
    std::optional<process::RawEvent> raw = process_.ring.take(sites);
    if (!raw) break;
    busy = true;
    on_event(std::move(*raw));
  }
  serve_gates();
  look_again();
  hold_budget();
  guard_stacks();
  guard_copies();
  const bool is_eager = !registers_.is_empty() && may_spend(0);
  if (!busy)
    process_.ring.wait(published, std::min(most_us, is_eager ? kTurnWatchingUs : kTurnIdleUs));
}

// A context that was judged often enough. There are no more of them than the runtime has room for;
// what says otherwise is not believed.
bool Desk::is_tired_of(u64 context) const {
  auto judged = judged_of_context_.find(context);
  if (judged == judged_of_context_.end()) return judged_of_context_.size() >= abi::kContextSlots;
  return judged->second >= kMaxJudgedPerContext;
}

// Packages fill their tables before main begins, by hundreds of appends in a large program. They
// must not use up what the program itself is to be looked at with. Asked of every event, so the
// chain of frame pointers is followed, which costs less than unwinding. Source: runtime/proc.go
// doInit1, go1.21 to go1.27.
bool Desk::runs_in_init(const abi::Event& event) const {
  const heap::StackCopy stack{TargetAddr(event.regs[x86::kRsp]), {event.stack, event.stack_size}};
  TargetAddr frame(event.regs[x86::kRbp]);
  for (u32 i = 0; init_end_ && i < kMaxFrames; ++i) {
    const std::optional<u64> above = stack.find_word(frame), back = stack.find_word(frame + 8);
    if (!above || !back) return false;
    if (*back > init_begin_.value && *back < init_end_.value) return true;
    if (*above <= frame.value) return false;
    frame = TargetAddr(*above);
  }
  return false;
}

// Only a thread that waits can be judged: of one that has gone on, headers found now may be its own
// later results.
void Desk::on_event(process::RawEvent raw) {
  auto clerk = clerks_.find(raw.event->detector);
  if (clerk == clerks_.end() && raw.event->detector != abi::kAppend && options_.on_other) {
    keep_time_slices(TargetAddr(raw.event->g));
    options_.on_other(*raw.event);
    process_.ring.release(raw);
    return;
  }
  if (clerk == clerks_.end() || !clerk->second.fits(*raw.event)) {
    ++damaged_;
    process_.ring.release(raw);
    return;
  }
  process_.ring.refund_delay(*raw.event);
  const bool is_init = runs_in_init(*raw.event);
  process_.ring.let_library_wait(!is_init || init_seconds_ < kLibraryInitSeconds);
  const u64 context = raw.event->context;
  const bool known = outcomes_.is_confirmed(context);
  const bool tired = is_tired_of(context);
  const bool waits = process_.ring.still_waits(*raw.event);
  const bool is_left_out = is_init && init_seconds_ > kInitSeconds;
  if (known || tired || !waits || is_left_out ||
      !attention_.may_spend(clerk->first, spent(), clerk->second.next_cost_s())) {
    outcomes_.count_up(context, raw.event->hit);
    if (!known && !tired) ++not_judged_;
    process_.ring.release(raw);
    return;
  }
  const double begin_s = now_s();
  {
    const Account account(*this, clerk->first);
    take_up(clerk->second, std::move(raw));
  }
  if (is_init) init_seconds_ += now_s() - begin_s;
}

void Desk::take_up(const Clerk& clerk, process::RawEvent raw) {
  const TargetAddr g(raw.event->g);
  keep_time_slices(g);
  accesses_.note_stack(g.value, TargetAddr(raw.event->stack_lo), TargetAddr(raw.event->stack_hi));
  ++judged_of_context_[raw.event->context];
  std::unique_ptr<Case> c = clerk.open({judged_++, now_s(), std::move(raw.event)});
  watch(*c);
  guard_stacks();
  guard_copies();
  const bool in_time = process_.ring.still_waits(c->event());
  process_.ring.release(raw.ticket, c->event());
  if (in_time)
    keep(std::move(c));
  else
    forget(*c);
}

// The thread of g waits, so what is read of it holds together. Nothing of the program's runtime is
// written to before it was seen to be what the layout says.
void Desk::keep_time_slices(TargetAddr g) {
  if (keeps_time_slices_) return;
  keeps_time_slices_ = heap::has_running_p(context_.memory, context_.binary.layout(), g);
  if (keeps_time_slices_) process_.ring.keep_time_slices(context_.binary.layout());
}

void Desk::watch(Case& c) {
  if (!watcher_.available() || c.is_over()) return;
  read_samples();
  const std::optional<int> rank = c.rank();
  if (!rank || registers_.go_on_with(c)) return;
  registers_.give_way_to(c);
  registers_.make_room(*rank, [this] { read_samples(); });
  registers_.give_up_words(c);
  if (watcher_.free_words() == 0) {
    ++not_watched_;
    return;
  }
  registers_.begin(c, *rank);
  if (c.watch(registers_)) return;
  registers_.drop(c);
  ++not_watched_;
}

// The thread went on before the watch was set: its write may have happened unseen, and what looked
// like a victim may already have been the result.
void Desk::forget(const Case& c) {
  registers_.end(c);
  ++not_judged_;
}

void Desk::keep(std::unique_ptr<Case> c) {
  if (c->is_over()) return;
  c->on_kept();
  const std::unique_ptr<Case> oldest = cases_.add(std::move(c));
  if (oldest == nullptr) return;
  ++cases_given_up_;
  registers_.end(*oldest);
}

void Desk::read_samples() {
  if (registers_.is_empty()) return;
  watcher_.refresh();
  std::vector<Registers::Watch>& watches = registers_.all();
  for (Registers::Watch& watch : watches) watch.of->before_samples();
  for (const process::WatchSample& sample : watcher_.drain()) {
    const Access access = accesses_.read(sample);
    for (Registers::Watch& watch : watches) {
      if (sample.time < watch.since_ns) continue;
      watch.accesses += std::ranges::count(watch.words, sample.word) != 0 ? 1 : 0;
      watch.of->on_access(access);
    }
  }
  for (usize i = watches.size(); i-- > 0;) {
    Case& c = *watches[i].of;
    const Unseen unseen = registers_.unseen(watches[i]);
    const Account account(*this, c.event().detector);
    if (c.after_samples(unseen)) registers_.end(i, false);
  }
  if (watcher_.note_unseen()) {
    for (Registers::Watch& watch : watches) watch.of->on_unseen();
  }
}

// Before a verdict at a gate, where nothing is written any more.
void Desk::wait_for_settled_bytes() {
  constexpr int kTimes = 2;  // the bytes that wait now, and those of this call
  for (int i = 0; i < kTimes; ++i) {
    const bool is_any_undecided =
        std::ranges::any_of(registers_.all(), [](const auto& w) { return w.of->is_undecided(); });
    if (!is_any_undecided) return;
    const timespec delay{0, static_cast<long>(kSampleDelayNs)};
    ::nanosleep(&delay, nullptr);
    read_samples();
  }
}

}  // namespace geist::judge
