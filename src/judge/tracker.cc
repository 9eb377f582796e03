// Events, victims and watches while the program runs; what happens at its end is in settle.cc.
#include "judge/tracker.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/go_symbol.h"
#include "heap/goroutines.h"
#include "judge/append_roots.h"
#include "judge/clock.h"
#include "judge/heap_views.h"
#include "judge/stack_views.h"
#include "judge/test_names.h"
#include "judge/values.h"
#include "program/header_flow.h"

namespace geist::judge {
namespace {

constexpr usize kMaxCandidates = 8;  // of one case
constexpr u32 kMaxJudgedPerContext = 24;
constexpr u64 kPrintedElements = 4;  // of the overwritten ones, before they are gone
constexpr u32 kMaxFrames = 64;
// For appends of package initialization, and before those of the standard library in it stop
// waiting.
constexpr double kInitSeconds = 0.03, kLibraryInitSeconds = 0.004;
// Between a write and its sample: the exception, and whoever has the processor before it. What is
// seen in memory may have been written by one whose sample is not there yet.
constexpr u64 kSampleDelayNs = 1'000'000;
constexpr u64 kTurnWatchingUs = 500, kTurnIdleUs = 20000;

}  // namespace

Tracker::Tracker(Context& context, process::ProbedProcess& process, const TrackerOptions& options)
    : context_(context),
      process_(process),
      options_(options),
      watcher_(process.pid),
      accesses_(context),
      describer_(context),
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

Tracker::~Tracker() = default;

double Tracker::now_s() const {
  return seconds(CLOCK_MONOTONIC) - start_s_;
}
double Tracker::cpu_seconds() const {
  return seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start_s_;
}

void Tracker::turn(u64 most_us) {
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
  const bool is_eager = !sessions_.empty() && may_spend(0);
  if (!busy)
    process_.ring.wait(published, std::min(most_us, is_eager ? kTurnWatchingUs : kTurnIdleUs));
}

std::unique_ptr<Case> Tracker::open_case(process::RawEvent& raw) {
  auto c = std::make_unique<Case>();
  c->number = judged_;
  c->event = std::move(raw.event);
  c->at_s = now_s();
  c->sweepgen = context_.spans.sweepgen().value_or(0);
  Append& append = c->append;
  append.event = c->event.get();
  append.site = &context_.plan.sites[c->event->site];
  const read::Function function = context_.binary.pclntab().function(append.site->site.function);
  const read::SourceFrame source =
      context_.binary.pclntab().source_frames(function, append.site->site.call)[0];
  append.file = source.file;
  append.line = source.line;
  accesses_.note_stack(c->event->g, TargetAddr(c->event->stack_lo), TargetAddr(c->event->stack_hi));
  append.array = find_array(context_, *c->event);
  append.stack = {TargetAddr(c->event->regs[x86::kRsp]), {c->event->stack, c->event->stack_size}};
  append.frames = heap::unwind(context_.binary, context_.bias(), append.site->site.branch,
                               append.stack, kMaxFrames)
                      .frames;
  return c;
}

// From the operand's start on, as much as is worth reading while the append waits.
static std::vector<u8> read_array(const process::Memory& memory, const abi::Event& event) {
  constexpr u64 kMaxBytes = 8192;
  const std::optional<u64> size = checked_mul(event.append.cap, event.append.elem_size);
  if (!size) return {};
  std::vector<u8> bytes(std::min(*size, kMaxBytes));
  if (!memory.read(TargetAddr(event.append.old_ptr), bytes)) bytes.clear();
  return bytes;
}

// The records of the sites lie where the program can write: what the code says holds.
bool Tracker::fits_site(const abi::Event& event) const {
  const u64 size = context_.plan.sites[event.site].site.elem_size;
  return size == 0 || size == event.append.elem_size;
}

// A context that was judged often enough. There are no more of them than the runtime has room for;
// what says otherwise is not believed.
bool Tracker::is_tired_of(u64 context) const {
  auto judged = judged_of_context_.find(context);
  if (judged == judged_of_context_.end()) return judged_of_context_.size() >= abi::kContextSlots;
  return judged->second >= kMaxJudgedPerContext;
}

// Packages fill their tables before main begins, by hundreds of appends in a large program. They
// must not use up what the program itself is to be looked at with. Asked of every event, so the
// chain of frame pointers is followed, which costs less than unwinding. Source: runtime/proc.go
// doInit1, go1.21 to go1.27.
bool Tracker::runs_in_init(const abi::Event& event) const {
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

// Only an append that waits can be judged: of one that has gone on, headers found now may be its
// own later results.
void Tracker::on_event(process::RawEvent raw) {
  if (!fits_site(*raw.event)) {
    ++damaged_;
    process_.ring.release(raw);
    return;
  }
  process_.ring.refund_delay(*raw.event);
  const bool is_init = runs_in_init(*raw.event);
  process_.ring.let_library_wait(!is_init || init_seconds_ < kLibraryInitSeconds);
  u64 context = raw.event->context;
  bool known = confirmed_contexts_.count(context) != 0;
  bool tired = is_tired_of(context);
  bool waits = process_.ring.still_waits(*raw.event);
  const bool is_left_out = is_init && init_seconds_ > kInitSeconds;
  if (known || tired || !waits || is_left_out || !may_spend(last_scan_cost_s_)) {
    for (Outcome& o : outcomes_) {
      if (o.context == context) o.finding.count = std::max(o.finding.count, raw.event->hit);
    }
    if (!known && !tired) ++not_judged_;
    process_.ring.release(raw);
    return;
  }
  keep_time_slices(TargetAddr(raw.event->g));
  const double begin_s = now_s();
  const u64 ticket = raw.ticket;
  std::unique_ptr<Case> c = open_case(raw);
  ++judged_of_context_[context];
  ++judged_;
  for (View& view : find_stack_views(context_, c->append)) add_view(*c, std::move(view));
  for (View& view : find_parked_views(context_, c->append)) add_view(*c, std::move(view));
  add_heap_views(*c);
  note_owner(*c);
  if (!c->candidates.empty()) c->array_before = read_array(context_.memory, *c->event);
  print_before(*c);
  note_goroutines(*c);
  watch_best(*c);
  guard_stacks();
  guard_copies();
  bool in_time = process_.ring.still_waits(*c->event);
  process_.ring.release(ticket, *c->event);
  if (is_init) init_seconds_ += now_s() - begin_s;
  if (in_time)
    keep(std::move(c));
  else
    forget(*c);
}

// The thread of g waits, so what is read of it holds together. Nothing of the program's runtime is
// written to before it was seen to be what the layout says.
void Tracker::keep_time_slices(TargetAddr g) {
  if (keeps_time_slices_) return;
  keeps_time_slices_ = heap::has_running_p(context_.memory, context_.binary.layout(), g);
  if (keeps_time_slices_) process_.ring.keep_time_slices(context_.binary.layout());
}

// The thread went on before the watch was set: its write may have happened unseen, and what looked
// like a victim may already have been the result.
void Tracker::forget(Case& c) {
  for (usize i = sessions_.size(); i-- > 0;) {
    if (sessions_[i].of == &c) end_session(i, true);
  }
  ++not_judged_;
}

void Tracker::add_view(Case& c, View view) {
  for (const Candidate& other : c.candidates) {
    if (other.view.header_word() && other.view.header_word() == view.header_word()) return;
  }
  if (c.candidates.size() >= kMaxCandidates) {
    ++victims_left_out_;
    return;
  }
  Candidate candidate;
  candidate.view = std::move(view);
  candidate.family = c.candidates.size();
  c.candidates.push_back(std::move(candidate));
}

void Tracker::add_heap_views(Case& c) {
  double before = cpu_seconds();
  bool incomplete = false;
  std::vector<std::vector<View>> views =
      find_heap_views(context_, {&c.append}, {options_.max_scan_bytes}, &incomplete);
  last_scan_cost_s_ = cpu_seconds() - before;
  if (incomplete) ++heap_not_scanned_;
  drop_garbage(c, views[0]);
  for (View& view : views[0]) add_view(c, std::move(view));
}

// Headers in objects that nobody can reach any more, but the collector has not taken yet, are no
// victims. Asked of small heaps only: the append waits. Twice, as a pointer may move behind our
// back while the others run.
void Tracker::drop_garbage(const Case& c, std::vector<View>& views) {
  constexpr u64 kMaxBytes = u64{8} << 20;
  constexpr int kTimes = 2;
  const std::optional<std::vector<u64>> roots = find_append_roots(context_, c.append);
  if (!roots) return;
  const heap::StandingGoroutine standing{TargetAddr(c.event->g),
                                         TargetAddr(c.event->regs[x86::kRsp]), &*roots};
  std::vector<TargetAddr> objects;
  for (const View& view : views)
    objects.push_back(view.holder == findings::Holder::kHeap ? view.object : view.ptr_word);
  std::vector<bool> ever_reached(views.size(), false);
  for (int i = 0; i < kTimes && !objects.empty(); ++i) {
    std::vector<bool> reached;
    std::optional<bool> all = context_.scanner.is_reachable(objects, kMaxBytes, &reached, standing);
    if (all != false) return;
    for (usize k = 0; k < reached.size(); ++k) ever_reached[k] = ever_reached[k] || reached[k];
  }
  usize index = 0;
  std::erase_if(views, [&](const View&) { return !ever_reached[index++]; });
}

// The elements that are about to be overwritten, as text, while what they point to is there.
void Tracker::print_before(Case& c) {
  if (c.candidates.empty()) return;
  ImageAddr type = c.append.site->site.type_addr;
  ByteView old{c.event->old_bytes, c.event->old_size};
  u64 size = c.event->append.elem_size;
  ValuePrinter printer(context_);
  for (u64 i = 0; size > 1 && i < kPrintedElements && (i + 1) * size <= old.size(); ++i) {
    c.before.push_back(printer.print(old.subspan(i * size, size), type));
  }
}

void Tracker::note_goroutines(Case& c) {
  constexpr usize kMaxNoted = 10000;
  if (c.candidates.empty()) return;
  for (const heap::Goroutine& g : heap::read_goroutines(
           context_.memory, context_.binary.layout(), context_.symbols, context_.bias(), nullptr)) {
    if (c.goroutines.size() < kMaxNoted) c.goroutines.push_back({g.g, g.goid});
  }
}

// The id of the goroutine that made an access after the event; empty when it is not sure. One that
// had its g at the event and has it now had it in between.
std::string Tracker::find_goroutine(const Case& c, const Access& access) const {
  auto then = std::find_if(c.goroutines.begin(), c.goroutines.end(),
                           [&](const KnownGoroutine& k) { return k.g.value == access.g; });
  if (then == c.goroutines.end()) return "";
  std::optional<heap::Goroutine> now =
      heap::read_goroutine(context_.memory, context_.binary.layout(), then->g);
  bool is_same =
      now && now->goid == then->goid && access.sp >= now->stack_lo && access.sp < now->stack_hi;
  return is_same ? fmt::format("{}", now->goid) : "";
}

void Tracker::keep(std::unique_ptr<Case> c) {
  if (c->candidates.empty()) return;
  c->test = find_test_name(context_, c->append);
  for (Candidate& candidate : c->candidates) candidate.handed_on = is_handed_on(*c, candidate.view);
  const std::unique_ptr<Case> oldest = cases_.add(std::move(c));
  if (oldest == nullptr) return;
  ++cases_given_up_;
  for (usize i = sessions_.size(); i-- > 0;) {
    if (sessions_[i].of == oldest.get()) end_session(i, true);
  }
}

// Does the operand begin a variable of the appending function, which goes on to hand that, pointer
// and length, to a call?
bool Tracker::is_handed_on(const Case& c, const View& view) {
  bool is_variable = view.same_frame && view.live_for_sure && view.len_known &&
                     !view.in_stack_object && (!view.name.empty() || view.told_by_code);
  if (!is_variable || !view.surrounds(*c.event) || c.append.old_len() == 0) return false;
  const sites::AppendSite& site = c.append.site->site;
  const read::Pclntab& functions = context_.binary.pclntab();
  const program::FunctionCode* code = context_.codes.find(functions.function(site.function));
  return code != nullptr &&
         program::hands_header_on(*code, site.inplace_entry, view.ptr_from, view.len_from,
                                  program::callees_of(context_.binary));
}

bool Tracker::still_unchanged(const Case& c) const {
  std::vector<u8> now(c.event->old_size);
  if (!context_.memory.read(TargetAddr(c.event->append.dest), now)) return false;
  return std::equal(now.begin(), now.end(), c.event->old_bytes);
}

void Tracker::read_samples() {
  if (sessions_.empty()) return;
  watcher_.refresh();
  for (Session& session : sessions_) {
    const u64 from_ns = nanoseconds(CLOCK_MONOTONIC);
    session.now = {read_destination(*session.of), from_ns, nanoseconds(CLOCK_MONOTONIC)};
    if (session.waiting.until_ns == 0) session.waiting = session.now;
    session.settled = {};
    if (session.waiting.until_ns + kSampleDelayNs <= from_ns)
      session.settled = std::exchange(session.waiting, session.now);
  }
  for (const process::WatchSample& sample : watcher_.drain()) {
    Access access = accesses_.read(sample);
    for (Session& session : sessions_) {
      if (sample.time < session.since_ns) continue;
      session.accesses +=
          std::count(session.words.begin(), session.words.end(), sample.word) != 0 ? 1 : 0;
      for (usize index : session.candidates) {
        for (Evidence& evidence : session.of->candidates[index].evidence) evidence.add(access);
      }
      if (access.copied_from) note_copy(session, access);
    }
  }
  for (usize i = sessions_.size(); i-- > 0;) {
    Session& session = sessions_[i];
    bool over = true;
    for (usize index : session.candidates) {
      follow_moved_header(session, index, false);
      over &= update_candidate(session, index);
    }
    if (over) end_session(i, false);
  }
  if (watcher_.note_unseen()) {
    for (Session& session : sessions_)
      for (usize index : session.candidates)
        session.of->candidates[index].watched_throughout = false;
  }
}

// Before a verdict at a gate, where nothing is written any more.
void Tracker::wait_for_settled_bytes() {
  constexpr int kTimes = 2;  // the bytes that wait now, and those of this call
  auto is_undecided = [](const Session& s) {
    return std::any_of(s.candidates.begin(), s.candidates.end(), [&](usize index) {
      const std::vector<Evidence>& all = s.of->candidates[index].evidence;
      return std::any_of(all.begin(), all.end(),
                         [](const Evidence& e) { return e.is_undecided(); });
    });
  };
  for (int i = 0; i < kTimes; ++i) {
    if (std::none_of(sessions_.begin(), sessions_.end(), is_undecided)) return;
    const timespec delay{0, static_cast<long>(kSampleDelayNs)};
    ::nanosleep(&delay, nullptr);
    read_samples();
  }
}

// Begins before the append's operand: slicing and appending never leads back there.
static bool is_older_by_value(const Case& c, const View& view) {
  return view.ptr < c.event->append.old_ptr;
}

// What the accesses so far mean for one victim; true when watching it longer would tell nothing
// more. A thread that began meanwhile may have replaced the header unseen, unless all went on in
// the appending thread.
bool Tracker::update_candidate(Session& session, usize index) {
  const bool lost = watcher_.lost_samples() != session.lost_before;
  const bool late = watcher_.late_threads() != session.late_before;
  Case& c = *session.of;
  Candidate& candidate = c.candidates[index];
  const bool changed = shows_change(c, candidate.view, session.now.bytes);
  bool taken = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                           [](const Evidence& e) { return e.header_was_taken(); });
  if (lost || taken) candidate.watched_throughout = false;
  // Where samples are missing, others may have written.
  if (!lost && watcher_.saw_all()) note_changes(session, candidate);
  // A part that was overwritten again tells nothing more; others may.
  bool any_void = false, is_over = !candidate.evidence.empty();
  for (const Evidence& evidence : candidate.evidence) {
    Verdict verdict = evidence.verdict();
    any_void |= verdict == Verdict::kVoidHeader || verdict == Verdict::kVoidElement;
    is_over &= verdict == Verdict::kVoidElement || evidence.is_unclear();
    if (verdict == Verdict::kVoidHeader) candidate.closed = true;
    if (verdict != Verdict::kConfirmed || candidate.confirmed) continue;
    // What was not seen may have replaced the header, unless that still says by itself that it is
    // no result of this append.
    if (lost && !(is_older_by_value(c, candidate.view) && header_is_unchanged(candidate.view)))
      continue;
    if (late && static_cast<u64>(evidence.read()->tid) != c.event->procid) continue;
    if (evidence.is_unclear() && changed)
      record(c, index, findings::Level::kSuspect, session.now.bytes);
    any_void |= evidence.is_unclear();
    if (evidence.change() != Change::kMade) continue;
    if (candidate.appended.empty())
      candidate.appended = as_appended(c, candidate, session.now.bytes);
    candidate.confirmed = true;
    candidate.reader = *evidence.read();
    candidate.reader_goroutine = find_goroutine(c, *candidate.reader);
    record(c, index, findings::Level::kConfirmed, candidate.appended);
    confirmed_contexts_.insert(c.event->context);
  }
  // Its own append copied it to a larger array, the changed bytes with it.
  const bool is_taken_along = std::any_of(
      candidate.evidence.begin(), candidate.evidence.end(),
      [](const Evidence& e) { return e.was_taken_along() && e.change() == Change::kMade; });
  if (is_taken_along && !candidate.confirmed && !lost && !late)
    record(c, index, findings::Level::kLikely, as_appended(c, candidate, session.now.bytes));
  if (changed && !candidate.confirmed && !any_void && !lost && !late &&
      was_changed_by_append(c, candidate.view))
    record_stack_victim_in_use(c, index, session.now.bytes);
  if (is_over || changed_nothing(c, candidate)) candidate.closed = true;
  if (!candidate.closed && !candidate.confirmed && candidate.watched_throughout)
    follow_copies(session, candidate);
  return candidate.closed || candidate.confirmed;
}

// The destination as the append left it: as it was read when the append had written all that is
// watched and nobody else had written yet, or, in the watched parts, as its own stores say.
void Tracker::note_changes(const Session& session, Candidate& candidate) {
  const abi::Event& event = *session.of->event;
  const auto& [bytes, from_ns, until_ns] = session.settled;
  if (bytes.empty()) return;
  bool is_as_left = !candidate.evidence.empty();
  for (Evidence& evidence : candidate.evidence) {
    const std::optional<ByteView> part =
        find_part(bytes, evidence.element_word().value - event.append.dest, evidence.part_size());
    if (part) evidence.note_bytes(*part, from_ns, until_ns + kSampleDelayNs);
    is_as_left &= evidence.shows_append(from_ns, until_ns + kSampleDelayNs);
  }
  if (candidate.appended.empty() && is_as_left) candidate.appended = bytes;
}

// What the append's own stores tell, before the bytes have settled or when somebody wrote there
// first. What they do not tell of an element (padding, words that were not watched) is taken from
// memory where the rest is as they say; the first changed element that is not whole ends it.
std::vector<u8> Tracker::put_together(const Case& c, const Candidate& candidate,
                                      const std::vector<u8>& now) {
  const abi::Event& event = *c.event;
  std::vector<u8> bytes(event.old_bytes, event.old_bytes + event.old_size);
  std::vector<bool> is_known(bytes.size());
  usize changed = bytes.size();
  for (const Evidence& evidence : candidate.evidence) {
    for (const Access::Stored& stored : evidence.stores()) {
      for (u32 i = 0; i < stored.size_bytes; ++i) {
        const u64 offset = stored.at.value + i - event.append.dest;
        if (offset >= bytes.size()) continue;
        bytes[offset] = static_cast<u8>(stored.value >> (8 * i));
        is_known[offset] = true;
        if (bytes[offset] != event.old_bytes[offset]) changed = std::min<usize>(changed, offset);
      }
    }
  }
  const usize size = std::max<u64>(event.append.elem_size, 1);
  usize first = changed / size * size;
  for (; first < bytes.size(); first += size) {
    const usize end = std::min(first + size, bytes.size());
    bool is_whole = true, is_as_now = now.size() == bytes.size(), has_known = false;
    for (usize i = first; i < end; ++i) {
      is_whole &= is_known[i];
      has_known |= is_known[i];
      is_as_now &= !is_known[i] || bytes[i] == now[i];
    }
    if (is_whole) continue;
    if (!has_known || !is_as_now) break;
    std::copy(now.begin() + static_cast<i64>(first), now.begin() + static_cast<i64>(end),
              bytes.begin() + static_cast<i64>(first));
  }
  bytes.resize(std::min(first, bytes.size()));
  return bytes;
}

// What an append copied: of a source on the stack the sample has the bytes, of one in the array
// itself (a deletion) they are known from before. Other memory may have changed since.
std::optional<std::vector<u8>> Tracker::find_source(const Case& c, const Access& access,
                                                    TargetAddr from, u64 size) {
  const u64 old_ptr = c.event->append.old_ptr;
  std::optional<ByteView> found;
  if (from.value >= old_ptr) found = find_part(c.array_before, from.value - old_ptr, size);
  const heap::StackCopy stack{TargetAddr(access.sample->regs[x86::kRsp]), access.sample->stack};
  const bool is_in_array = from >= c.append.array.begin && from < c.append.array.end;
  if (!found && !is_in_array && from >= stack.sp)
    found = find_part(stack.bytes, from - stack.sp, size);
  if (!found) return std::nullopt;
  return std::vector<u8>(found->begin(), found->end());
}

// Only parts of what is copied can be watched; the source tells the whole of it.
void Tracker::note_copy(const Session& session, const Access& access) {
  const Case& c = *session.of;
  const abi::Event& event = *c.event;
  const u64 size = event.append.elem_size, offset = access.word.value - event.append.dest;
  if (size == 0 || offset >= event.old_size) return;
  const u64 first = access.copies_all ? 0 : offset / size * size;
  const u64 length = access.copies_all ? event.old_size : size;
  const std::optional<std::vector<u8>> source =
      find_source(c, access, access.copied_from - (offset - first), length);
  if (!source || first + length > event.old_size) return;
  for (usize index : session.candidates) {
    Candidate& candidate = session.of->candidates[index];
    if (candidate.evidence.empty() || !candidate.evidence[0].is_the_append(access)) continue;
    for (Evidence& evidence : candidate.evidence) {
      const u64 at = evidence.element_word().value - event.append.dest;
      if (at < first) continue;
      if (std::optional<ByteView> part = find_part(*source, at - first, evidence.part_size()))
        evidence.note_copied(*part);
    }
    std::vector<u8> bytes(event.old_bytes, event.old_bytes + event.old_size);
    std::copy(source->begin(), source->end(), bytes.begin() + static_cast<i64>(first));
    candidate.change_was_copied |= shows_change(c, candidate.view, bytes);
    if (length == event.old_size) candidate.appended = std::move(bytes);
  }
}

// The append wrote what stood there: whatever happens to those bytes later is not its doing.
bool Tracker::changed_nothing(const Case& c, const Candidate& candidate) {
  const bool is_seen = !candidate.evidence.empty() && !candidate.appended.empty();
  return is_seen && !shows_change(c, candidate.view, candidate.appended) &&
         std::all_of(candidate.evidence.begin(), candidate.evidence.end(),
                     [](const Evidence& e) { return e.change() == Change::kNone; });
}

// Of the parts that were watched for any victim of this append, some that this one covers.
bool Tracker::was_changed_by_append(const Case& c, const View& view) {
  for (const Candidate& candidate : c.candidates) {
    if (candidate.change_was_copied && candidate.view.ptr == view.ptr &&
        candidate.view.len == view.len)
      return true;
    for (const Evidence& evidence : candidate.evidence) {
      const u64 at = evidence.element_word().value;
      const bool is_covered = at >= view.ptr && at < view.end(c.event->append.elem_size);
      if (is_covered && evidence.change() == Change::kMade) return true;
    }
  }
  return false;
}

// Copies of a header that was as it had been before the append are victims as much as the first.
// When it was copied because its holder grew, the first is garbage from then on, and the copy is
// what is watched.
void Tracker::follow_copies(Session& session, Candidate& candidate) {
  if (candidate.evidence.empty() || candidate.view.holder == findings::Holder::kStack) return;
  const std::vector<Evidence::Copy> copies = candidate.evidence[0].copies();
  for (usize i = candidate.copies_seen; i < copies.size(); ++i) {
    std::optional<Place> place =
        find_place(context_, TargetAddr(copies[i].header_word.value - 8), candidate.view);
    // Read, but perhaps not written yet: looked at again next time. Or another has its place by
    // now.
    candidate.copy_missing = !place && copies[i].by_growth;
    if (candidate.copy_missing) return;
    candidate.copies_seen = i + 1;
    if (!place) continue;
    if (!copies[i].by_growth) {
      candidate.copies.push_back(*place);
      continue;
    }
    replace_header_watch(session, candidate.view.header_word(), copies[i].header_word, false);
    put_view_at(candidate.view, *place);
    candidate.moved = true;
    candidate.copies_seen = 0;
    for (Evidence& evidence : candidate.evidence) evidence.follow(copies[i].header_word);
    return;
  }
}

// A victim in a stack frame does not wait for a later look: that its header was read after the
// change is the look. But for one whose front part the append fills: a scratch buffer is handed down
// to be filled, cut (scratch[m:]) and handed down again, and nobody reads what stood there.
void Tracker::record_stack_victim_in_use(const Case& c, usize index, const std::vector<u8>& bytes) {
  const Candidate& candidate = c.candidates[index];
  if (candidate.view.holder != findings::Holder::kStack || !is_fair_stack_victim(c, candidate.view))
    return;
  if (candidate.view.surrounds(*c.event)) return;
  // Nor is a slice of the same frame that the operand was cut out of: buf[:n].
  if (candidate.view.same_frame && candidate.is_owner) return;
  bool in_use = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                            [](const Evidence& e) { return e.header_was_used(); });
  if (in_use) record(c, index, findings::Level::kLikely, as_appended(c, candidate, bytes));
}

}  // namespace geist::judge
