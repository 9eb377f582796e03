// StaleCase: an append that found no room, while somebody else looks into the array that it moves
// away from.
//
//   p := &s[0]                     a holder: a pointer to an element, or another slice
//   s = append(s, x)               the elements are copied; p stays where it was
//   p.n = 1; use(s[0].n)           the update is lost
//   s[0].n = 1; use(p.n)           what p shows is stale
//
// The case watches words of elements that a holder covers, in the old array and, as soon as it is
// known, in the new one. Growth where no holder lives on is the normal case; so is one whose operand
// lives on, t := append(s, x): t is meant to be apart.
//
//   holders.cc   who they are, found while the append waits     words.cc    what is watched
//   stale_case.cc  what happens to both arrays since            finding.cc  what is told
//
// Whether two slices were meant to be apart cannot be seen: before := s; s = append(s, x) may be a
// snapshot of a full array. So slices give `likely` at most. Who keeps a pointer to an element means
// that element, so a pointer may be `confirmed` (docs/decisions/0024).
#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "detect/append/overwrite.h"
#include "detect/stale/pair.h"
#include "judge/case.h"
#include "judge/desk.h"
#include "judge/route.h"

namespace geist::detect::stale {

using judge::Access;
using judge::View;

// Where an append may move its array, as the place of an append to an empty slice there.
struct Place {
  probe::ProbedSite site;
  sites::AppendIdentity identity;
};

// Somebody who keeps the old array.
struct Holder {
  View view;
  bool is_pointer = false;  // to an element; else a slice
  u64 element = 0;          // the first one of the operand's that it covers
  bool was_operand = false;  // the result has taken its place
};

// What became of the slice that was appended to.
enum class Operand : u8 {
  kReplaced,  // the result has taken its place
  kDead,      // it was in no memory, and nobody has it any more
  kLives,     // it is as it was: the result is another slice
  kUnknown,
};

class StaleCase : public judge::Case {
 public:
  // `place` outlives the case.
  StaleCase(judge::Desk& desk, judge::Opening opening, const Place& place);
  static bool fits(const abi::Event& event, const Place& place);
  // The event with the machine as it was before the CALL. To be called once.
  static void prepare(abi::Event& event);
  // While the append waits. Gives the processor time that the search of the heap took.
  double find_holders();

  Range written() const override { return {}; }
  std::optional<int> rank() override;
  bool watch(judge::Registers& registers) override;
  bool is_idle() const override { return !is_touched_; }
  void on_watch_end(bool early, u64 held_ns) override;
  void before_samples() override;
  void on_access(const Access& access) override;
  bool after_samples(const judge::Unseen& unseen) override;
  void on_unseen() override { has_lost_ = true; }
  std::vector<judge::WatchedHeader> headers() const override;
  void on_copy(const process::SharedRing::Copy& copy) override;
  void look_again() override;
  bool is_seen_through() const override { return is_closed_; }
  bool is_over() const override { return is_closed_ || holders_.empty(); }
  std::span<judge::Question> ask() override;
  void settle(const judge::Gate& gate) override;

 private:
  // Through whom the old array was accessed.
  struct Way {
    std::optional<usize> holder;   // the code says so
    std::optional<usize> perhaps;  // the code does not tell
    bool is_others = false;        // through none of the holders
  };
  struct Watched {
    Pair pair;
    u64 element = 0;
    u64 offset = 0;  // of the word, from the array's begin
    Way way = {};
    std::vector<findings::Frame> written_by = {};
  };
  struct Sighting {
    usize watched = 0;
    Loss loss{};
    std::vector<findings::Frame> read_by;
  };
  // What a finding says.
  struct Shown {
    usize holder = 0;
    u64 element = 0;
    Side changed{};
    std::vector<findings::Frame> written_by, read_by;  // empty where that was not seen
  };
  struct Target {
    u64 element = 0, offset = 0;
    u32 size = 0;
  };

  void find_operand();
  double find_in_heap();
  void find_on_stacks();
  void find_pointers_of_own_frame();
  bool is_operands(const View& view) const;
  void add_holder(View view, bool is_pointer);
  bool is_pointer_variable(const View& view) const;
  std::vector<Target> targets_of(const Holder& holder) const;
  void choose_words(usize pairs);
  bool put_new_words(judge::Registers& registers);
  void find_new_array();
  Operand operand() const;
  bool was_collected() const;
  bool is_new_there() const;
  bool is_unchanged(const Holder& holder) const;
  bool is_there(const Holder& holder) const;
  std::optional<TargetAddr> find_word_now(const View& view) const;
  std::optional<usize> find_holder_of(const Watched& watched) const;
  bool is_append_line(const Access& access) const;
  Way find_way(const Watched& watched, const Access& access) const;
  bool take_write(Watched& watched, Side side, const Access& access);
  void judge_sightings(bool lost);
  findings::Level level_of(const Watched& watched, Loss loss, bool lost) const;
  findings::Finding describe(const Shown& shown, findings::Level level) const;
  void record(const Shown& shown, findings::Level level);
  std::vector<u8> element_on(Side side, u64 element) const;

  judge::Desk& desk_;
  judge::Context& context_;
  const Place& place_;
  judge::Append append_;
  std::vector<u8> old_bytes_;  // of the old array, as it was moved; bounded
  std::vector<judge::LoadedWord> operand_words_;
  bool is_operand_known_ = false, operand_was_replaced_ = false, is_operand_on_stack_ = false;
  std::vector<Holder> holders_;
  std::vector<Watched> watched_;
  std::vector<Sighting> sightings_;
  TargetAddr new_array_;
  bool is_watched_ = false, is_touched_ = false, has_lost_ = false, is_closed_ = false;
  u32 copies_ = 0, sweepgen_ = 0;
  std::vector<judge::Question> questions_;
  std::vector<usize> asked_;  // the holder of each
};

}  // namespace geist::detect::stale
