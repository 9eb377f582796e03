// Case: one event on its way to a finding, as the desk (desk.h) sees it: what it wants to be
// watched, what it makes of accesses, of later looks, and of the program's end. Each detector that
// asks for events has a kind of its own.
//
//   event ─▶ Clerk::open ─▶ Case ─▶ watch ─▶ on_access, after_samples ┐
//                             └───▶ look_again, settle ───────────────┴─▶ Outcomes::record
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "abi/event.h"
#include "judge/access.h"
#include "judge/moves.h"
#include "process/shared_ring.h"

namespace geist::judge {

class Registers;

// What a case is made of.
struct Opening {
  u64 number = 0;   // of the run
  double at_s = 0;  // since the start of the run
  std::unique_ptr<abi::Event> event;
};

// What may have gone unseen since a case's watch began.
struct Unseen {
  bool lost = false;     // samples are missing
  bool late = false;     // threads began, and what they did first was not seen
  bool saw_all = false;  // nothing is missing behind the last samples
};

// A watched word of a slice header, whose place the desk keeps an eye on: headers move.
struct WatchedHeader {
  TargetAddr word;
  TargetAddr g;  // whose stack it is on; 0: in the heap or in globals
};

// A gate at which the program stands still: main.main returns, or the process exits.
struct Gate {
  const u32* word = nullptr;
  bool main_returned = false;
};

// What a case asks about memory at a gate, and the answer. One walk answers for all cases.
struct Question {
  TargetAddr object;            // is it in use? Of a heap object, or a word of globals
  const View* header = nullptr;  // not null: and where else in use does the same header stand?
  bool is_reachable = false;
  std::vector<Place> elsewhere;
};

class Case {
 public:
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;
  virtual ~Case() = default;

  u64 number() const { return opening_.number; }
  double at_s() const { return opening_.at_s; }
  const abi::Event& event() const { return *opening_.event; }

  // The memory that its event is about to write. A later event that writes there shows the change
  // of this one no longer.
  struct Range {
    TargetAddr begin, end;
    bool overlaps(const Range& other) const { return begin < other.end && other.begin < end; }
  };
  virtual Range written() const = 0;

  // How much a watch of it promises, on a scale that all detectors share (registers.h); nothing: it
  // wants none.
  virtual std::optional<int> rank() = 0;
  // `next`, whose rank was asked for, is about to write there again, and its thread waits. True: a
  // watch of it would watch what is watched for this case, which takes that change for its own.
  virtual bool goes_on_with(const Case&) { return false; }
  // Takes registers for words of its own, while the thread of the event waits. False: it got none.
  virtual bool watch(Registers& registers) = 0;
  // Gives up one of its words that it can do without, for another case; false: there is none.
  virtual bool give_up_word(Registers&) { return false; }
  // `to` is about to be written: gives up the words there, and says whether what is left can still
  // tell something.
  virtual bool give_way(Registers&, const Range&) { return false; }
  // Nothing has happened to what it watches, so that a watch of another case is worth more.
  virtual bool is_idle() const = 0;
  // Its words are watched no more. `early`: for another's sake, or the budget's. `held_ns`: how
  // long they were.
  virtual void on_watch_end(bool early, u64 held_ns) = 0;

  // A turn with samples: right before they are taken out, each access (also those to words of
  // others), and after all of them. The last says whether watching it longer would tell nothing
  // more.
  virtual void before_samples() {}
  virtual void on_access(const Access& access) = 0;
  virtual bool after_samples(const Unseen& unseen) = 0;
  // Something went unseen after those samples.
  virtual void on_unseen() = 0;
  // A sample or a moment more may still decide about it.
  virtual bool is_undecided() const { return false; }

  // Its watched headers that may move.
  virtual std::vector<WatchedHeader> headers() const { return {}; }
  // Does any of what it watches stand on the stack of `g`, watched or not?
  virtual bool stands_on(TargetAddr) const { return false; }
  // That stack has moved, and its goroutine waits.
  virtual void on_stack_move(TargetAddr) {}
  // Headers in [from, from + bytes) are about to be copied, and the thread waits.
  virtual void on_copy(const process::SharedRing::Copy&) {}
  // It did not wait long enough: what on_copy() did came late.
  virtual void on_copy_missed() {}

  // After the event's thread went on: what can be found out without it.
  virtual void on_kept() {}
  // Some time later, and again.
  virtual void look_again() = 0;
  // Watching it would tell nothing more.
  virtual bool is_seen_through() const = 0;
  // Nothing of it can become a finding any more, or a stronger one, unless it is still watched.
  virtual bool is_over() const = 0;
  // The program stands at a gate: what it must know, and, after that was answered, its findings.
  // Questions are the case's, and stay where they are between the two.
  virtual std::span<Question> ask() { return {}; }
  virtual void settle(const Gate& gate) = 0;

 protected:
  explicit Case(Opening opening) : opening_(std::move(opening)) {}

 private:
  Opening opening_;
};

// What a detector brings to the desk: it is handed its events, and makes cases of them.
struct Clerk {
  u32 detector = 0;  // abi::Detector
  u32 share = 1;     // of the judge's time, beside the shares of the others
  // Does the event fit what the code says? The records lie where the program can write.
  std::function<bool(const abi::Event&)> fits;
  // Called while the event's thread waits.
  std::function<std::unique_ptr<Case>(Opening)> open;
  // Seconds of processor time that the next event will take, at least.
  std::function<double()> next_cost_s;
};

}  // namespace geist::judge
