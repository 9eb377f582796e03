// Tracker: the judge at work while the program runs. Takes events out of the ring, finds the
// victims of each, watches the most promising, looks again later, and at the program's end decides
// which cases are findings.
//
//   ring ─▶ on_event ─▶ victims ─▶ [watch: L and E words] ─▶ samples ─▶ confirmed
//                           └────▶ [look again: later, at gates] ─▶ likely
//                                  (reachable, unchanged, shows the change)
//
// The monitor's own cost is bounded: beyond a grace it uses at most a share of one core; what is
// left out is counted.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "judge/access.h"
#include "judge/case.h"
#include "judge/describe.h"
#include "judge/open_cases.h"
#include "process/launch.h"
#include "process/watch.h"

namespace geist::judge {

struct TrackerOptions {
  bool watch = true;
  double cpu_grace_s = 0.25;
  double share =
      0.02;  // of a core for the judge, after the grace, and of the program's time for watches
  u64 max_scan_bytes = u64{1} << 30;
  usize max_open_cases = 512;
  // Called while the program waits at its end, before it goes on; may be null.
  std::function<void()> at_end = nullptr;
};

class Tracker {
 public:
  Tracker(Context& context, process::ProbedProcess& process, const TrackerOptions& options);
  ~Tracker();

  // One turn: heartbeat, events, samples, gates; sleeps a little when there is nothing to do, and
  // `most_us` at most.
  void turn(u64 most_us = ~u64{0});
  // The process is gone (or will not be looked at any more): what is still in the ring and the
  // samples.
  void finish();

  // A case that earned at least kSuspect.
  struct Outcome {
    u64 of = 0;  // the number of its case, which may be forgotten by now
    usize candidate = 0;
    u64 context = 0;  // of the case's event
    findings::Finding finding;
  };
  // The findings, one for each (site, victim's kind and name): the strongest, with all counts.
  std::vector<findings::Finding> findings() const;

  // Grows with each finding that is new or became stronger: findings() is the same as long as this
  // is.
  u64 revision() const { return revision_; }

  findings::EventCounts counts() const;
  std::map<std::string, u64> losses() const;
  double cpu_seconds() const;
  double watch_seconds() const;  // that watches have cost the program
  double now_s() const;          // since the tracker began
  const process::Watcher& watcher() const { return watcher_; }
  Context& context() { return context_; }

 private:
  // What is watched for one case: length words of a few victims and parts of the bytes that change.
  struct Session {
    Case* of = nullptr;
    std::vector<usize> candidates;
    std::vector<TargetAddr> words;
    u64 since_ns = 0;  // on the samples' clock: what was sampled before is about an earlier session
    u64 lost_before = 0;
    u64 late_before = 0;
    int rank = 0;
    u64 accesses = 0;  // to its words
    // The destination as it was read between two moments of the samples' clock, right before the
    // samples were taken out.
    struct Bytes {
      std::vector<u8> bytes;
      u64 from_ns = 0, until_ns = 0;
    };
    Bytes now;
    // Read a while ago, so that every write which shows in it is among the samples by now: one is
    // made right after its write, but not at once.
    Bytes settled;
    Bytes waiting;  // to become the next `settled`
  };

  void on_event(process::RawEvent raw);
  bool fits_site(const abi::Event& event) const;
  bool is_tired_of(u64 context) const;
  std::unique_ptr<Case> open_case(process::RawEvent& raw);
  void add_heap_views(Case& c);
  void drop_garbage(const Case& c, std::vector<View>& views);
  void print_before(Case& c);
  void add_view(Case& c, View view);
  void note_owner(Case& c);
  bool is_write_cursor(const Append& append);
  bool is_refill(const sites::AppendSite& site, u32 depth);
  void note_goroutines(Case& c);
  std::string find_goroutine(const Case& c, const Access& access) const;
  void keep_time_slices(TargetAddr g);
  void forget(Case& c);
  bool may_spend(double seconds) const;
  void hold_budget();
  void keep(std::unique_ptr<Case> c);

  void watch_best(Case& c);
  bool start_session(Case& c, const std::vector<usize>& by_rank, int rank);
  void give_way_to(const Case& c);
  void give_up_parts(const Case& c);
  void make_room(int rank);
  void record_stack_victim_in_use(const Case& c, usize index, const std::vector<u8>& bytes);
  static bool is_fair_stack_victim(const Case& c, const View& view);
  bool update_candidate(Session& session, usize candidate);
  static void note_changes(const Session& session, Candidate& candidate);
  static std::vector<u8> put_together(const Case& c, const Candidate& candidate,
                                      const std::vector<u8>& now);
  static std::optional<std::vector<u8>> find_source(const Case& c, const Access& access,
                                                    TargetAddr from, u64 size);
  static void note_copy(const Session& session, const Access& access);
  static bool changed_nothing(const Case& c, const Candidate& candidate);
  static bool was_changed_by_append(const Case& c, const View& view);
  void follow_copies(Session& session, Candidate& candidate);
  void replace_header_watch(Session& session, TargetAddr from, TargetAddr to, bool on_stack);
  bool is_handed_on(const Case& c, const View& view);
  bool is_left_alone(const Case& c, const View& view);
  bool is_moving(const View& view) const;
  // `waits`: the goroutine of the header's stack stands right behind the move.
  void follow_moved_header(Session& session, usize candidate, bool waits);
  void serve_stack_gates();
  void give_up_watches_of(TargetAddr g);
  void guard_stacks();
  bool runs_in_init(const abi::Event& event) const;
  void guard_copies();
  void serve_copy_gate();
  bool follow_copy(Session& session, usize candidate, TargetAddr header_word, bool keeps_source);
  bool make_room_for_copy(Session& session, usize source);
  bool takes_victims_pointer(const Case& c, const Access& access, const View& victim);
  bool shows_victim(const Case& c, const View& victim, const Access& access);
  std::function<RouteAnswer(const Access&)> make_route(const Case& c, const View& view);
  static HeaderTrust trust_in(const Case& c, const View& view);
  void end_session(usize index, bool early);
  void read_samples();
  void wait_for_settled_bytes();
  bool still_unchanged(const Case& c) const;

  void look_again();
  // A victim that may be a finding at a gate, with the bytes of the destination as they are.
  struct Open {
    Case* of;
    usize candidate;
    std::vector<u8> after;
    bool reachable = false;
    Candidate& victim() const { return of->candidates[candidate]; }
  };
  void settle(const u32* gate, bool main_returned);
  bool is_over(const Case& c) const;
  std::vector<Open> find_open() const;
  heap::StandingGoroutine at_main_gate() const;
  void mark_reachable(std::vector<Open>& open) const;
  void find_moved(std::vector<Open>& open) const;
  void settle_place(Open& open, const std::vector<Place>& in_use) const;
  std::optional<findings::Level> level_of(const Case& c, const Candidate& candidate, bool at_gate,
                                          bool reachable, bool main_returned) const;
  std::optional<TargetAddr> find_word_now(const View& view, TargetAddr word) const;
  bool header_is_unchanged(const View& view) const;
  std::vector<u8> read_destination(const Case& c) const;
  static bool shows_change(const Case& c, const View& view, const std::vector<u8>& bytes);
  static std::vector<u8> as_appended(const Case& c, const Candidate& candidate,
                                     const std::vector<u8>& now);
  std::optional<std::vector<u8>> changed_bytes(const Case& c, const Candidate& candidate) const;
  void record(const Case& c, usize candidate, findings::Level level, const std::vector<u8>& after);
  void serve_gates();

  Context& context_;
  process::ProbedProcess& process_;
  TrackerOptions options_;
  process::Watcher watcher_;
  AccessReader accesses_;
  Describer describer_;
  OpenCases cases_;
  std::vector<Session> sessions_;
  std::vector<TargetAddr> copied_words_;  // as the copy gate has them
  std::vector<Outcome> outcomes_;
  std::map<u64, u32> judged_of_context_;
  std::set<u64> confirmed_contexts_;
  double start_s_ = 0;
  double cpu_start_s_ = 0;
  bool keeps_time_slices_ = false;
  double last_scan_cost_s_ = 0.0005;
  double last_look_s_ = 0;
  double init_seconds_ = 0;           // spent on appends of package initialization
  TargetAddr init_begin_, init_end_;  // the code that calls it
  u64 damaged_ = 0, judged_ = 0, not_judged_ = 0, not_watched_ = 0, heap_not_scanned_ = 0,
      too_hot_to_watch_ = 0;
  u64 gates_left_ = 0, cases_given_up_ = 0, victims_left_out_ = 0, findings_left_out_ = 0;
  bool settled_at_end_ = false;
  u64 revision_ = 0;
};

}  // namespace geist::judge
