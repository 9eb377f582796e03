#include "judge/chunks.h"

#include <algorithm>

namespace geist::judge {
namespace {

// The largest aligned chunk that begins at `at` and stays below `end`.
Chunk chunk_at(u64 at, u64 end) {
  u32 size = 8;
  while (size > 1 && (at % size != 0 || at + size > end)) size /= 2;
  return {TargetAddr(at), size};
}

void add(std::vector<Chunk>& chunks, const Chunk& chunk) {
  for (const Chunk& c : chunks) {
    if (chunk.at < c.at + c.size && c.at < chunk.at + chunk.size) return;
  }
  chunks.push_back(chunk);
}

void add_bytes(std::vector<Chunk>& chunks, u64 begin, u64 end) {
  const Chunk first = chunk_at(begin, end);
  add(chunks, first);
  u64 last = (end - 1) & ~u64{7};
  add(chunks, chunk_at(std::max(begin, last), end));
  add(chunks, chunk_at(std::max(begin, (begin + (end - begin) / 2) & ~u64{7}), end));
  const u64 next = first.at.value + first.size;
  if (next < end) add(chunks, chunk_at(next, end));
}

// Those of one view, the most telling first.
std::vector<Chunk> chunks_of(Context& context, const Append& append, const View& view) {
  u64 size = append.event->append.elem_size;
  u64 begin = std::max(append.dest(), view.ptr);
  u64 end = std::min(append.dest_end(), view.end(size));
  std::vector<Chunk> chunks;
  if (begin >= end) return chunks;
  if (size < 8 || size % 8 != 0) {
    add_bytes(chunks, begin, end);
  } else {
    ImageAddr type_addr = append.site->site.type_addr;
    Result<read::GoType> type =
        type_addr ? context.binary.types().read(type_addr) : Result<read::GoType>(Error("unknown"));
    u64 telling = type.ok() && type->kind == read::Kind::kInterface ? 8 : 0;
    u64 last = end - size;
    add(chunks, chunk_at(begin + telling, end));
    // Who walks a list when element i is taken out of it looks at what is in place i + 1 next.
    if (begin + size < end) add(chunks, chunk_at(begin + size + telling, end));
    add(chunks, chunk_at(last + telling, end));
    if (size > 16) add(chunks, chunk_at(begin + 8, end));
    if (size > 16) add(chunks, chunk_at(last + size - 8, end));
    add(chunks, chunk_at(begin + ((end - begin) / size / 2) * size + telling, end));
  }
  return chunks;
}

}  // namespace

std::vector<Chunk> choose_chunks(Context& context, const Append& append,
                                 const std::vector<const View*>& views, usize limit) {
  std::vector<std::vector<Chunk>> of_each;
  usize most = 0;
  for (const View* view : views) {
    of_each.push_back(chunks_of(context, append, *view));
    most = std::max(most, of_each.back().size());
  }
  std::vector<Chunk> chunks;
  for (usize i = 0; i < most; ++i) {
    for (const std::vector<Chunk>& own : of_each) {
      if (i < own.size() && chunks.size() < limit) add(chunks, own[i]);
    }
  }
  return chunks;
}

bool chunk_changed(const abi::Event& event, TargetAddr word, ByteView after) {
  u64 begin = word.value - event.append.dest;
  usize known = std::min<usize>(event.old_size, after.size());
  // What lies beyond the bytes that were kept cannot be compared.
  if (begin >= known) return false;
  usize end = std::min<usize>(known, begin + 8);
  return !std::equal(after.begin() + static_cast<i64>(begin), after.begin() + static_cast<i64>(end),
                     event.old_bytes + begin);
}

}  // namespace geist::judge
