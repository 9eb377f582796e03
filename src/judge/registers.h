// Registers: which case has which of the four debug registers, and who gives way to whom.
//
//   rank 0 … 15   the standard library's     16 … 31   the program's
//
// A watch that promises more takes registers from one that promises less, at any time, and from its
// equals after a while.
#pragma once

#include <functional>
#include <vector>

#include "judge/case.h"
#include "process/watch.h"

namespace geist::judge {

class Registers {
 public:
  explicit Registers(process::Watcher& watcher) : watcher_(watcher) {}

  // For cases. A watch begins, with no words yet.
  void begin(Case& of, int rank);
  // See Watcher::add. A word of two cases takes one register.
  bool add(const Case& of, TargetAddr word, u32 size, bool on_stack);
  void remove(const Case& of, TargetAddr word);
  // The same register, at another place: false when it could not be set there, or was not set.
  bool move(const Case& of, TargetAddr from, TargetAddr to, u32 size, bool on_stack);
  usize free_words() const { return watcher_.free_words(); }
  bool watches(TargetAddr word) const { return watcher_.watches(word); }
  bool watches(const Case& of, TargetAddr word) const;
  // One more word for this case, at the cost of the youngest other watch of the same site: the same
  // bug seen through once is worth more than half seen twice. False when there is none.
  bool take_from_sibling(const Case& of);

  // For the desk.
  struct Watch {
    Case* of = nullptr;
    int rank = 0;
    std::vector<TargetAddr> words;
    u64 since_ns = 0;  // on the samples' clock: what was sampled before is about an earlier watch
    u64 lost_before = 0, late_before = 0;
    u64 accesses = 0;  // to its words
  };
  bool is_empty() const { return watches_.empty(); }
  std::vector<Watch>& all() { return watches_; }
  const std::vector<Watch>& all() const { return watches_; }
  bool has(const Case& of) const;
  Unseen unseen(const Watch& watch) const;
  // Is `c` seen through by another case's watch, which loses nothing (Case::goes_on_with)?
  bool go_on_with(const Case& c);
  // Watches of what `c` is about to write over: of those of a part of it the rest stays, as long as
  // there is room for `c`.
  void give_way_to(const Case& c);
  // Tries to have two registers free for a watch of this rank. `read_samples` is called before
  // anybody is sent away for that.
  void make_room(int rank, const std::function<void()>& read_samples);
  // More than one word of one case is worth less than another's only one.
  void give_up_words(const Case& c);
  void end(usize index, bool early);
  void end(const Case& of);
  // One that came to nothing: the case is not told.
  void drop(const Case& of);
  // The one whose words were accessed most; nothing when none was.
  std::optional<usize> hottest() const;

 private:
  Watch* find(const Case& of);

  process::Watcher& watcher_;
  std::vector<Watch> watches_;
};

}  // namespace geist::judge
