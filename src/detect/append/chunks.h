// Which parts of the changed bytes to watch: a debug register covers 1, 2, 4 or 8 aligned bytes,
// there are four of them, and which bytes will really change is not known before the write.
#pragma once

#include <map>
#include <vector>

#include "judge/append.h"

namespace geist::detect::append {

using judge::Append;
using judge::Context;
using judge::View;

struct Chunk {
  TargetAddr at;
  u32 size = 0;
};

// Which words of its elements an append changes, as far as its events tell. What stands in a slot that
// is written over was put there by the same append as a rule. So a word in which two such elements
// differ is likely to change the next time, and one in which they agree is not: of
// option{"tenant", name} the name.
class WordHabits {
 public:
  // Of each event of a site, in their order.
  void note(const abi::Event& event);
  // Offsets in an element of that site, ascending. Empty where nothing is known.
  const std::vector<u64>& varying(u32 site) const;

 private:
  struct Habit {
    u64 elem_size = 0;
    std::vector<u8> last;  // what stood there when it wrote last
    std::vector<u64> varying;
  };
  std::map<u32, Habit> habits_;  // by site; at most as many as there are
};

// Up to `limit` chunks of the destination that the views cover, of each view the most telling
// first: of elements the first, the second and the last, and of those the words that the append
// changes as a rule, else of pointers and strings the pointer, of interfaces the data word, of
// structs the words that were not zero; of bytes the start, middle and end.
std::vector<Chunk> choose_chunks(Context& context, const Append& append, const WordHabits& habits,
                                 const std::vector<const View*>& views, usize limit);

// Do the bytes of the chunk at `word` differ between the event's old bytes and `after` (both from
// the destination's start)?
bool chunk_changed(const abi::Event& event, TargetAddr word, ByteView after);

}  // namespace geist::detect::append
