// What the accesses to watched words mean for the victims, turn by turn.
#include <algorithm>

#include "detect/append/append_case.h"
#include "judge/clock.h"

namespace geist::detect::append {

using judge::kSampleDelayNs;
using judge::nanoseconds;

bool AppendCase::is_idle() const {
  std::vector<u8> now(event().old_size);
  if (!context_.memory.read(TargetAddr(event().append.dest), now)) return false;
  return std::equal(now.begin(), now.end(), event().old_bytes);
}

void AppendCase::before_samples() {
  const u64 from_ns = nanoseconds(CLOCK_MONOTONIC);
  now_ = {read_destination(), from_ns, nanoseconds(CLOCK_MONOTONIC)};
  if (waiting_.until_ns == 0) waiting_ = now_;
  settled_ = {};
  if (waiting_.until_ns + kSampleDelayNs <= from_ns) settled_ = std::exchange(waiting_, now_);
}

void AppendCase::on_access(const Access& access) {
  for (usize index : watched_) {
    Candidate& candidate = write_.candidates[index];
    if (grows_in_place(candidate.view, access)) {
      lengthen(candidate, access.stored.value);
      continue;
    }
    const bool walks = is_walk(candidate.view, access);
    candidate.view.is_walked |= walks;
    for (Evidence& evidence : candidate.evidence) {
      if (walks)
        evidence.follow_walk(make_route(candidate.view));
      else
        evidence.add(access);
    }
  }
  if (access.copied_from) note_copy(access);
}

bool AppendCase::after_samples(const Unseen& unseen) {
  bool over = true;
  for (usize index : watched_) {
    follow_moved_header(index, false);
    over &= update_candidate(index, unseen);
  }
  return over;
}

void AppendCase::on_unseen() {
  for (usize index : watched_) write_.candidates[index].watched_throughout = false;
}

bool AppendCase::is_undecided() const {
  return std::ranges::any_of(watched_, [&](usize index) {
    return std::ranges::any_of(write_.candidates[index].evidence, &Evidence::is_undecided);
  });
}

// What the accesses so far mean for one victim; true when watching it longer would tell nothing
// more. A thread that began meanwhile may have replaced the header unseen, unless all went on in
// the appending thread.
bool AppendCase::update_candidate(usize index, const Unseen& unseen) {
  const bool lost = unseen.lost, late = unseen.late;
  Candidate& candidate = write_.candidates[index];
  const bool changed = shows_change(candidate.view, now_.bytes);
  bool taken = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                           [](const Evidence& e) { return e.header_was_taken(); });
  if (lost || taken) candidate.watched_throughout = false;
  // Where samples are missing, others may have written.
  if (!lost && unseen.saw_all) note_changes(candidate);
  // A part that was overwritten again tells nothing more; others may.
  bool any_void = false, is_over = !candidate.evidence.empty();
  for (const Evidence& evidence : candidate.evidence) {
    Verdict verdict = evidence.verdict();
    any_void |= verdict == Verdict::kVoidHeader || verdict == Verdict::kVoidElement;
    is_over &= verdict == Verdict::kVoidElement || evidence.is_unclear();
    if (verdict == Verdict::kVoidHeader) candidate.closed = true;
    if (verdict != Verdict::kConfirmed || candidate.confirmed) continue;
    // What was not seen may have replaced the header, or have written the element again: whose
    // bytes were read is not known then.
    if (lost) continue;
    if (late && static_cast<u64>(evidence.read()->tid) != event().procid) continue;
    if (evidence.is_unclear() && changed)
      record(index, findings::Level::kSuspect, now_.bytes);
    any_void |= evidence.is_unclear();
    if (evidence.change() != Change::kMade) continue;
    if (candidate.appended.empty())
      candidate.appended = as_appended(candidate, now_.bytes);
    candidate.confirmed = true;
    candidate.reader = *evidence.read();
    candidate.reader_goroutine = find_goroutine(*candidate.reader);
    record(index, findings::Level::kConfirmed, candidate.appended);
  }
  // Its own append copied it to a larger array, the changed bytes with it.
  const bool is_taken_along = std::any_of(
      candidate.evidence.begin(), candidate.evidence.end(),
      [](const Evidence& e) { return e.was_taken_along() && e.change() == Change::kMade; });
  if (is_taken_along && !candidate.confirmed && !lost && !late)
    record(index, findings::Level::kLikely, as_appended(candidate, now_.bytes));
  if (changed && !candidate.confirmed && !any_void && !lost && !late &&
      was_changed_by_append(candidate.view))
    record_stack_victim_in_use(index, now_.bytes);
  if (is_over || changed_nothing(candidate)) candidate.closed = true;
  if (!candidate.closed && !candidate.confirmed && candidate.watched_throughout)
    follow_copies(candidate);
  return candidate.closed || candidate.confirmed;
}

// The destination as the append left it: as it was read when the append had written all that is
// watched and nobody else had written yet, or, in the watched parts, as its own stores say.
void AppendCase::note_changes(Candidate& candidate) {
  const auto& [bytes, from_ns, until_ns] = settled_;
  if (bytes.empty()) return;
  bool is_as_left = !candidate.evidence.empty();
  for (Evidence& evidence : candidate.evidence) {
    const std::optional<ByteView> part =
        find_part(bytes, evidence.element_word() - TargetAddr(write_.append.dest()),
                  evidence.part_size());
    if (part) evidence.note_bytes(*part, from_ns, until_ns + kSampleDelayNs);
    is_as_left &= evidence.shows_append(from_ns, until_ns + kSampleDelayNs);
  }
  if (candidate.appended.empty() && is_as_left) candidate.appended = bytes;
}

// What the append's own stores tell, before the bytes have settled or when somebody wrote there
// first. What they do not tell of an element (padding, words that were not watched) is taken from
// memory where the rest is as they say; the first changed element that is not whole ends it.
std::vector<u8> AppendCase::put_together(const Candidate& candidate,
                                         const std::vector<u8>& now) const {
  const abi::Event& e = event();
  std::vector<u8> bytes(e.old_bytes, e.old_bytes + e.old_size);
  std::vector<bool> is_known(bytes.size());
  usize changed = bytes.size();
  for (const Evidence& evidence : candidate.evidence) {
    for (const Access::Stored& stored : evidence.stores()) {
      for (u32 i = 0; i < stored.size_bytes; ++i) {
        const u64 offset = stored.at.value + i - e.append.dest;
        if (offset >= bytes.size()) continue;
        bytes[offset] = static_cast<u8>(stored.value >> (8 * i));
        is_known[offset] = true;
        if (bytes[offset] != e.old_bytes[offset]) changed = std::min<usize>(changed, offset);
      }
    }
  }
  const usize size = std::max<u64>(e.append.elem_size, 1);
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
std::optional<std::vector<u8>> AppendCase::find_source(const Access& access, TargetAddr from,
                                                       u64 size) const {
  const u64 old_ptr = event().append.old_ptr;
  std::optional<ByteView> found;
  if (from.value >= old_ptr) found = find_part(write_.array_before, from.value - old_ptr, size);
  const heap::StackCopy stack{TargetAddr(access.sample->regs[x86::kRsp]), access.sample->stack};
  const bool is_in_array = from >= write_.append.array.begin && from < write_.append.array.end;
  if (!found && !is_in_array && from >= stack.sp)
    found = find_part(stack.bytes, from - stack.sp, size);
  if (!found) return std::nullopt;
  return std::vector<u8>(found->begin(), found->end());
}

// Only parts of what is copied can be watched; the source tells the whole of it.
void AppendCase::note_copy(const Access& access) {
  const abi::Event& e = event();
  const u64 size = e.append.elem_size, offset = access.word.value - e.append.dest;
  if (size == 0 || offset >= e.old_size) return;
  const u64 first = access.copies_all ? 0 : offset / size * size;
  const u64 length = access.copies_all ? e.old_size : size;
  const std::optional<std::vector<u8>> source =
      find_source(access, access.copied_from - (offset - first), length);
  if (!source || first + length > e.old_size) return;
  for (usize index : watched_) {
    Candidate& candidate = write_.candidates[index];
    if (candidate.evidence.empty() || !candidate.evidence[0].is_the_append(access)) continue;
    for (Evidence& evidence : candidate.evidence) {
      const u64 at = evidence.element_word().value - write_.append.dest();
      if (at < first) continue;
      if (std::optional<ByteView> part = find_part(*source, at - first, evidence.part_size()))
        evidence.note_copied(*part);
    }
    std::vector<u8> bytes(e.old_bytes, e.old_bytes + e.old_size);
    std::copy(source->begin(), source->end(), bytes.begin() + static_cast<i64>(first));
    candidate.change_was_copied |= shows_change(candidate.view, bytes);
    if (length == e.old_size) candidate.appended = std::move(bytes);
  }
}

// The append wrote what stood there: whatever happens to those bytes later is not its doing.
bool AppendCase::changed_nothing(const Candidate& candidate) const {
  const bool is_seen = !candidate.evidence.empty() && !candidate.appended.empty();
  return is_seen && !shows_change(candidate.view, candidate.appended) &&
         std::all_of(candidate.evidence.begin(), candidate.evidence.end(),
                     [](const Evidence& e) { return e.change() == Change::kNone; });
}

// Of the parts that were watched for any victim of this append, some that this one covers.
bool AppendCase::was_changed_by_append(const View& view) const {
  for (const Candidate& candidate : write_.candidates) {
    if (candidate.change_was_copied && candidate.view.ptr == view.ptr &&
        candidate.view.len == view.len)
      return true;
    for (const Evidence& evidence : candidate.evidence) {
      const u64 at = evidence.element_word().value;
      const bool is_covered = at >= view.ptr && at < view.end(event().append.elem_size);
      if (is_covered && evidence.change() == Change::kMade) return true;
    }
  }
  return false;
}

// Copies of a header that was as it had been before the append are victims as much as the first.
// When it was copied because its holder grew, the first is garbage from then on, and the copy is
// what is watched.
void AppendCase::follow_copies(Candidate& candidate) {
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
    move_header_watch(candidate.view.header_word(), copies[i].header_word, false);
    put_view_at(candidate.view, *place);
    candidate.moved = true;
    candidate.copies_seen = 0;
    for (Evidence& evidence : candidate.evidence) evidence.follow(copies[i].header_word);
    return;
  }
}

// A victim in a stack frame does not wait for a later look: that its header was read after the
// change is the look. But for one whose front part the append fills: a scratch buffer is handed
// down to be filled, cut (scratch[m:]) and handed down again, and nobody reads what stood there.
void AppendCase::record_stack_victim_in_use(usize index, const std::vector<u8>& bytes) {
  const Candidate& candidate = write_.candidates[index];
  if (candidate.view.holder != findings::Holder::kStack || !is_fair_stack_victim(candidate.view))
    return;
  if (candidate.view.surrounds(event())) return;
  // Nor is a slice of the same frame that the operand was cut out of: buf[:n].
  if (candidate.view.same_frame && candidate.is_owner) return;
  bool in_use = std::any_of(candidate.evidence.begin(), candidate.evidence.end(),
                            [](const Evidence& e) { return e.header_was_used(); });
  if (in_use) record(index, findings::Level::kLikely, as_appended(candidate, bytes));
}

}  // namespace geist::detect::append
