// AppendCase: an overwriting append as a case at the desk. Its victims are the views that cover
// what it writes; the most promising are watched, the rest looked at again later, at gates and at
// the end.
//
//   append_case.cc  the victims, while the append waits      owner.cc    whose slice it is
//   watch.cc        which words are watched, and what for    samples.cc  what accesses mean
//   stack_moves.cc, copy_moves.cc  headers that move         settle.cc   which are findings
//   own_growth.cc   headers that grow in place
#pragma once

#include "detect/append/chunks.h"
#include "detect/append/describe.h"
#include "detect/append/overwrite.h"
#include "judge/case.h"
#include "judge/desk.h"

namespace geist::detect::append {

using judge::Case;
using judge::Clerk;
using judge::Desk;
using judge::Gate;
using judge::Opening;
using judge::Question;
using judge::Registers;
using judge::Unseen;
using judge::WatchedHeader;

// Other writes that overwrite what somebody has a view of are cases of the same kind
// (detect/refill): they say which views are victims, and how much can be known of them.
class AppendCase : public Case {
 public:
  // `site` is where the event comes from; it and `habits` outlive the case.
  AppendCase(Desk& desk, Opening opening, const probe::ProbedSite& site, const WordHabits& habits);
  // All that is to be found out while the append waits. Gives the processor time that the search of
  // the heap took.
  double find_victims();

  Range written() const override;
  std::optional<int> rank() override;
  bool goes_on_with(const Case& next) override;
  bool watch(Registers& registers) override;
  bool give_up_word(Registers& registers) override;
  bool give_way(Registers& registers, const Range& to) override;
  bool is_idle() const override;
  void on_watch_end(bool early, u64 held_ns) override;
  void before_samples() override;
  void on_access(const Access& access) override;
  bool after_samples(const Unseen& unseen) override;
  void on_unseen() override;
  bool is_undecided() const override;
  std::vector<WatchedHeader> headers() const override;
  bool stands_on(TargetAddr g) const override;
  void on_stack_move(TargetAddr g) override;
  void on_copy(const process::SharedRing::Copy& copy) override;
  void on_copy_missed() override;
  void on_kept() override;
  void look_again() override;
  bool is_seen_through() const override;
  bool is_over() const override;
  std::span<Question> ask() override;
  void settle(const Gate& gate) override;

 protected:
  // Finds views, by their holders' words; gives the processor time that the search of the heap took.
  virtual double find_views();
  // Takes out of the victims whose views the write is meant for.
  virtual void leave_out_owners();
  // No finding of this victim gets a higher level.
  virtual findings::Level strongest(const View&) { return findings::Level::kProved; }
  // Added to the ranks of its victims.
  virtual int rank_bonus() const;
  // When its event was told, the write had been made; else its thread waits before it.
  virtual bool is_written() const { return false; }
  // The call that writes there again and again, as long as that makes no difference to the victims.
  virtual std::optional<judge::Activation> refiller() const { return std::nullopt; }

  void add_view(View view);
  double add_heap_views();
  Context& context() { return context_; }
  Overwrite& overwrite() { return write_; }
  const Overwrite& overwrite() const { return write_; }

 private:
  // The destination as it was read between two moments of the samples' clock, right before the
  // samples were taken out.
  struct Bytes {
    std::vector<u8> bytes;
    u64 from_ns = 0, until_ns = 0;
  };
  // A victim that may be a finding at a gate, with the bytes of the destination as they are.
  struct Open {
    usize candidate = 0;
    std::vector<u8> after;
  };

  void drop_garbage(std::vector<View>& views);
  void print_before();
  void note_cut();
  // Of the slice that the operand was cut from: whether it is a candidate, whether that is known to
  // reach as far as the append writes, and whether there is no other that it may be meant for.
  struct Owners {
    bool has_owner = false;  // in memory
    bool is_cut = false;     // likewise, or in a caller's frame
    bool has_aim = false;
  };
  Owners note_owners();
  void note_goroutines();
  std::string find_goroutine(const Access& access) const;

  int rank_of(const View& view) const;
  bool is_repeated_by(const AppendCase& next) const;
  bool watches_as(usize index, const View& view) const;
  void leave_out_unchanged();
  void begin_evidence(const std::vector<Chunk>& chunks);
  bool is_fair_stack_victim(const View& view) const;
  void record_stack_victim_in_use(usize index, const std::vector<u8>& bytes);
  bool update_candidate(usize index, const Unseen& unseen);
  void note_changes(Candidate& candidate);
  std::vector<u8> put_together(const Candidate& candidate, const std::vector<u8>& now) const;
  std::optional<std::vector<u8>> find_source(const Access& access, TargetAddr from, u64 size) const;
  void note_copy(const Access& access);
  bool changed_nothing(const Candidate& candidate) const;
  bool was_changed_by_append(const View& view) const;
  void follow_copies(Candidate& candidate);
  bool move_header_watch(TargetAddr from, TargetAddr to, bool on_stack);
  bool is_handed_on(const View& view) const;
  bool is_left_alone(const View& view) const;
  bool is_moving(const View& view) const;
  bool grows_in_place(const View& view, const Access& access) const;
  void lengthen(Candidate& candidate, u64 len);
  // `waits`: the goroutine of the header's stack stands right behind the move.
  bool is_walk(const View& view, const Access& access) const;
  void follow_moved_header(usize candidate, bool waits);
  bool follow_copy(usize candidate, TargetAddr header_word, bool keeps_source);
  bool make_room_for_copy(usize source);
  bool takes_victims_pointer(const Access& access, const View& victim) const;
  bool shows_victim(const View& victim, const Access& access) const;
  std::function<RouteAnswer(const Access&)> make_route(const View& view) const;
  HeaderTrust trust_in(const View& view) const;

  void settle_place(usize candidate, Question& question);
  std::optional<findings::Level> level_of(const Candidate& candidate, bool at_gate, bool reachable,
                                          bool main_returned) const;
  std::optional<TargetAddr> find_word_now(const View& view, TargetAddr word) const;
  bool header_is_unchanged(const View& view) const;
  std::vector<u8> read_destination() const;
  bool shows_change(const View& view, const std::vector<u8>& bytes) const;
  std::vector<u8> as_appended(const Candidate& candidate, const std::vector<u8>& now) const;
  std::optional<std::vector<u8>> changed_bytes(const Candidate& candidate) const;
  void record(usize candidate, findings::Level level, const std::vector<u8>& after);

  Desk& desk_;
  Context& context_;
  const WordHabits& habits_;
  Overwrite write_;
  std::vector<usize> by_rank_;  // candidates, those first whose watch promises most
  std::vector<usize> watched_;  // candidates, while the case is watched
  Bytes now_;
  // Read a while ago, so that every write which shows in it is among the samples by now: one is
  // made right after its write, but not at once.
  Bytes settled_;
  Bytes waiting_;                    // to become the next `settled_`
  std::vector<usize> copied_;        // candidates that the last on_copy() put elsewhere
  std::vector<Open> open_;           // at this gate
  std::vector<Question> questions_;  // one for each of open_
};

// Makes the cases of a session's appends.
Clerk append_clerk(Desk& desk);

}  // namespace geist::detect::append
