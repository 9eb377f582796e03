// Which parts of the changed bytes to watch: a debug register covers 1, 2, 4 or 8 aligned bytes,
// there are four of them, and which bytes will really change is not known before the write.
#pragma once

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

// Up to `limit` chunks of the destination that the views cover, of each view the most telling
// first: of elements the first, the second and the last, and of those of pointers and strings the
// pointer, of interfaces the data word, of structs the words that were not zero; of bytes the
// start, middle and end.
std::vector<Chunk> choose_chunks(Context& context, const Append& append,
                                 const std::vector<const View*>& views, usize limit);

// Do the bytes of the chunk at `word` differ between the event's old bytes and `after` (both from
// the destination's start)?
bool chunk_changed(const abi::Event& event, TargetAddr word, ByteView after);

}  // namespace geist::detect::append
