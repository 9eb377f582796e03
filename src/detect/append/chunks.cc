// Elements of words give a chunk for each word, bytes one for each end and the middle; what is
// chosen for several victims goes by turns.
#include "detect/append/chunks.h"

#include <algorithm>

namespace geist::detect::append {
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

// The words of the element at `at`: those first that the append changes as a rule, then those that
// were not zero, for a field that is zero in one element is likely zero in the next, too.
std::vector<Chunk> words_of(const abi::Event& event, u64 at, u64 telling,
                            const std::vector<u64>& varying) {
  constexpr u64 kMostWords = 4;
  const u64 size = event.append.elem_size;
  std::vector<u64> offsets{telling};
  for (u64 offset = 0; offset < size && offset < kMostWords * 8; offset += 8) {
    if (offset != telling) offsets.push_back(offset);
  }
  if (offsets.back() != size - 8 && size > kMostWords * 8) offsets.push_back(size - 8);
  auto was_zero = [&](u64 offset) {
    const std::optional<ByteView> old =
        find_part(ByteView{event.old_bytes, event.old_size}, at + offset - event.append.dest, 8);
    return old && std::all_of(old->begin(), old->end(), [](u8 b) { return b == 0; });
  };
  std::stable_partition(offsets.begin(), offsets.end(),
                        [&](u64 offset) { return !was_zero(offset); });
  for (usize i = varying.size(); i-- > 0;) {
    if (varying[i] != telling) std::erase(offsets, varying[i]);
    if (varying[i] != telling) offsets.insert(offsets.begin(), varying[i]);
  }
  if (std::ranges::count(varying, telling) != 0) {
    std::erase(offsets, telling);
    offsets.insert(offsets.begin(), telling);
  }
  std::vector<Chunk> words;
  for (u64 offset : offsets) words.push_back(chunk_at(at + offset, at + size));
  return words;
}

// Those of one view, the most telling first.
std::vector<Chunk> chunks_of(Context& context, const Append& append,
                             const std::vector<u64>& varying, const View& view) {
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
    const std::vector<Chunk> first = words_of(*append.event, begin, telling, varying);
    const std::vector<Chunk> last = words_of(*append.event, end - size, telling, varying);
    add(chunks, first[0]);
    // Who walks a list when element i is taken out of it looks at what is in place i + 1 next. Of a
    // struct he may read one field only, and perhaps not the first.
    const bool is_struct = type.ok() && type->kind == read::Kind::kStruct;
    if (begin + size < end) {
      const std::vector<Chunk> next = words_of(*append.event, begin + size, telling, varying);
      add(chunks, next[is_struct && next.size() > 1 ? 1 : 0]);
    }
    add(chunks, last[0]);
    if (first.size() > 1) add(chunks, first[1]);
    if (last.size() > 1) add(chunks, last[1]);
    const u64 middle = begin + ((end - begin) / size / 2) * size;
    add(chunks, words_of(*append.event, middle, telling, varying)[0]);
    for (usize i = 2; i < first.size(); ++i) add(chunks, first[i]);
  }
  return chunks;
}

}  // namespace

void WordHabits::note(const abi::Event& event) {
  constexpr usize kMostVarying = 8;
  const u64 size = event.append.elem_size;
  if (size < 8 || size % 8 != 0) return;
  Habit& habit = habits_[event.site];
  if (habit.elem_size != size) habit = {size, {}, {}};
  const usize both = std::min<usize>(habit.last.size(), event.old_size);
  for (usize at = 0; at + 8 <= both; at += 8) {
    const u64 offset = at % size;
    const bool is_known = std::ranges::binary_search(habit.varying, offset);
    if (is_known || habit.varying.size() == kMostVarying) continue;
    if (std::equal(event.old_bytes + at, event.old_bytes + at + 8,
                   habit.last.begin() + static_cast<i64>(at)))
      continue;
    habit.varying.insert(std::ranges::lower_bound(habit.varying, offset), offset);
  }
  habit.last.assign(event.old_bytes, event.old_bytes + event.old_size);
}

const std::vector<u64>& WordHabits::varying(u32 site) const {
  static const std::vector<u64> kNone;
  const auto habit = habits_.find(site);
  return habit == habits_.end() ? kNone : habit->second.varying;
}

std::vector<Chunk> choose_chunks(Context& context, const Append& append, const WordHabits& habits,
                                 const std::vector<const View*>& views, usize limit) {
  std::vector<std::vector<Chunk>> of_each;
  usize most = 0;
  for (const View* view : views) {
    of_each.push_back(chunks_of(context, append, habits.varying(append.event->site), *view));
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

}  // namespace geist::detect::append
