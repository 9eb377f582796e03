// What happens to the two arrays after the growth.
#include "detect/stale/stale_case.h"

#include <algorithm>
#include <cstring>

#include "detect/append/describe.h"
#include "heap/gc.h"
#include "heap/goroutines.h"
#include "judge/heap_views.h"
#include "judge/route.h"

namespace geist::detect::stale {

using append::access_stack;

namespace {

constexpr u32 kMaxFrames = 64;
// An array that is copied all the time would make the program wait all the time.
constexpr u32 kMostCopies = 24;

}  // namespace

StaleCase::StaleCase(judge::Desk& desk, judge::Opening opening, const Place& place)
    : Case(std::move(opening)), desk_(desk), context_(desk.context()), place_(place) {
  sweepgen_ = context_.spans.sweepgen().value_or(0);
  append_.event = &event();
  append_.site = &place.site;
  const read::Function function = context_.binary.pclntab().function(place.site.site.function);
  const read::SourceFrame source =
      context_.binary.pclntab().source_frames(function, place.site.site.call)[0];
  append_.file = source.file;
  append_.line = source.line;
  append_.array = find_array(context_, event(), place.site.site.type_addr);
  append_.stack = {TargetAddr(event().regs[x86::kRsp]), {event().stack, event().stack_size}};
  append_.frames = heap::unwind(context_.binary, context_.bias(), place.site.site.branch,
                                append_.stack, kMaxFrames)
                       .frames;
}

bool StaleCase::fits(const abi::Event& event, const Place& place) {
  const abi::AppendFacts& facts = event.append;
  const u64 size = place.site.site.elem_size;
  return facts.old_ptr == facts.dest && facts.new_len == facts.num && facts.num <= facts.cap &&
         facts.num != 0 && facts.elem_size > 1 && (size == 0 || size == facts.elem_size) &&
         facts.dest_size == facts.num * facts.elem_size;
}

void StaleCase::prepare(abi::Event& event) {
  constexpr u32 kReturnAddress = 8;
  event.regs[x86::kRsp] += kReturnAddress;
  event.stack_size -= std::min(event.stack_size, kReturnAddress);
  std::memmove(event.stack, event.stack + kReturnAddress, event.stack_size);
}

std::optional<int> StaleCase::rank() {
  constexpr int kBase = 8, kSlice = 3, kPointer = 7;  // as refills
  if (holders_.empty()) return std::nullopt;
  return kBase + (holders_[0].is_pointer ? kPointer : kSlice);
}

bool StaleCase::watch(judge::Registers& registers) {
  choose_words(std::max<usize>(registers.free_words() / 2, 1));
  std::erase_if(watched_, [&](const Watched& w) {
    return !registers.add(*this, w.pair.word(Side::kOld), w.pair.size_bytes(), false);
  });
  is_watched_ = !watched_.empty();
  return is_watched_;
}

void StaleCase::on_watch_end(bool early, u64) {
  is_watched_ = false;
  has_lost_ |= early;
}

// The thread waits before it copies what is watched.
std::vector<judge::WatchedHeader> StaleCase::headers() const {
  std::vector<judge::WatchedHeader> headers;
  if (copies_ >= kMostCopies || is_closed_) return headers;
  for (const Watched& w : watched_)
    headers.push_back({w.pair.word(w.pair.has_moved() ? Side::kNew : Side::kOld), {}});
  return headers;
}

void StaleCase::on_copy(const process::SharedRing::Copy& copy) {
  const TargetAddr array = new_array_ ? new_array_ : TargetAddr(event().append.old_ptr);
  const bool is_ours = array >= copy.from && array - copy.from < copy.bytes;
  if (!is_ours) return;
  ++copies_;
  if (copy.keeps_source) return;
  new_array_ = copy.to + (array - copy.from);
  put_new_words(desk_.registers());
}

bool StaleCase::put_new_words(judge::Registers& registers) {
  bool all = true;
  for (Watched& w : watched_) {
    const TargetAddr there = new_array_ + w.offset;
    const bool has_moved = w.pair.has_moved();
    all &= has_moved ? registers.move(*this, w.pair.word(Side::kNew), there, w.pair.size_bytes(), false)
                     : registers.add(*this, there, w.pair.size_bytes(), false);
    w.pair.move_to(there);
  }
  has_lost_ |= !all;
  return all;
}

// Nobody waited: the result is what stands in the operand's place.
void StaleCase::find_new_array() {
  for (const judge::LoadedWord& word : operand_words_) {
    const std::optional<u64> now = context_.memory.find<u64>(word.at);
    if (!now || *now == event().append.old_ptr) continue;
    const std::optional<heap::Object> object = context_.spans.find_object(TargetAddr(*now));
    std::vector<u8> bytes(old_bytes_.size());
    const bool is_it = object && !object->is_stack && *now % 8 == 0 &&
                       context_.memory.read(TargetAddr(*now), bytes) && bytes == old_bytes_;
    if (!is_it) continue;
    new_array_ = TargetAddr(*now);
    if (is_watched_) put_new_words(desk_.registers());
    return;
  }
}

void StaleCase::before_samples() {
  if (!new_array_) find_new_array();
  if (!new_array_) return;
  if (!operand_was_replaced_) operand_was_replaced_ = operand() == Operand::kReplaced;
  for (Holder& holder : holders_) {
    const bool may_be = holder.view.holder == findings::Holder::kStack && holder.view.len_known;
    if (!may_be || holder.was_operand) continue;
    const std::optional<TargetAddr> word = find_word_now(holder.view);
    const std::optional<u64> now = word ? context_.memory.find<u64>(*word) : std::nullopt;
    holder.was_operand = now == new_array_.value && holder.view.ptr == event().append.old_ptr;
    operand_was_replaced_ |= holder.was_operand;
  }
}

// Stacks move.
std::optional<TargetAddr> StaleCase::find_word_now(const View& view) const {
  const std::optional<heap::Goroutine> g =
      heap::read_goroutine(context_.memory, context_.binary.layout(), view.g);
  if (!g || g->goid != view.goid) return std::nullopt;
  return g->stack_hi - (view.stack_hi - view.ptr_word);
}

// Who covers the element, and is not the slice that was appended to.
std::optional<usize> StaleCase::find_holder_of(const Watched& watched) const {
  const u64 size = event().append.elem_size;
  const u64 begin = event().append.old_ptr + watched.element * size;
  auto covers = [&](const Holder& h) {
    const bool is_in = h.is_pointer ? h.element == watched.element
                                    : h.view.ptr < begin + size && h.view.end(size) > begin;
    return !h.was_operand && is_in && is_unchanged(h);
  };
  const auto first = std::ranges::find_if(holders_, covers);
  if (first == holders_.end()) return std::nullopt;
  return static_cast<usize>(first - holders_.begin());
}

Operand StaleCase::operand() const {
  if (operand_was_replaced_) return Operand::kReplaced;
  if (!is_operand_known_ || !new_array_) return Operand::kUnknown;
  bool is_in_memory = false;
  for (const judge::LoadedWord& word : operand_words_) {
    const std::optional<u64> now = context_.memory.find<u64>(word.at);
    if (now && *now == new_array_.value) return Operand::kReplaced;
    if (word.is_variable) continue;
    is_in_memory = true;
    if (now && *now == event().append.old_ptr) return Operand::kLives;
  }
  if (is_in_memory || is_operand_on_stack_) return Operand::kUnknown;
  return Operand::kDead;
}

bool StaleCase::was_collected() const {
  return context_.spans.sweepgen().value_or(0) != sweepgen_;
}

// Is the new array still the one that the operand's place has?
bool StaleCase::is_new_there() const {
  if (!was_collected()) return true;
  return std::ranges::any_of(operand_words_, [&](const judge::LoadedWord& word) {
    return context_.memory.find<u64>(word.at) == new_array_.value;
  });
}

// Is the holder as it was?
bool StaleCase::is_unchanged(const Holder& holder) const {
  const View& view = holder.view;
  const bool on_stack = view.holder == findings::Holder::kStack;
  const std::optional<TargetAddr> word = on_stack ? find_word_now(view) : view.ptr_word;
  if (!word || context_.memory.find<u64>(*word) != view.ptr) return false;
  if (view.holder != findings::Holder::kHeap) return true;
  const std::optional<heap::Object> object = context_.spans.find_object(view.object);
  return object && object->user == view.object && object->size_bytes == view.object_size;
}

// What it looked into is there until a collection has ended, whatever became of it.
bool StaleCase::is_there(const Holder& holder) const {
  return !was_collected() || is_unchanged(holder);
}

// A write by an append is no assignment: a buffer that is filled again writes into its new array.
bool StaleCase::is_append_line(const Access& access) const {
  if (access.actor >= access.frames.size()) return true;
  const read::Function& function = access.frames[access.actor].function;
  for (const sites::AppendSite& site : context_.sites.sites) {
    if (site.function != function.index) continue;
    const read::SourceFrame line =
        context_.binary.pclntab().source_frames(function, site.call).front();
    if (line.line == access.line && line.file == access.file) return true;
  }
  return false;
}

bool StaleCase::take_write(Watched& watched, Side side, const Access& access) {
  Pair& pair = watched.pair;
  const TargetAddr word = pair.word(side);
  u64 value = pair.value(side);
  const Access::Stored& stored = access.stored;
  if (stored.size_bytes != 0) {
    for (u32 i = 0; i < stored.size_bytes; ++i) {
      const u64 at = stored.at.value + i - word.value;
      if (at >= pair.size_bytes()) continue;
      value &= ~(u64{0xff} << (8 * at));
      value |= ((stored.value >> (8 * i)) & 0xff) << (8 * at);
    }
  } else {
    u64 now = 0;
    std::vector<u8> bytes(pair.size_bytes());
    if (!context_.memory.read(word, bytes)) return false;
    std::memcpy(&now, bytes.data(), bytes.size());
    value = now;
  }
  const bool is_whole = stored.size_bytes == 0 || stored.size_bytes >= event().append.elem_size;
  return pair.write(side, value, is_whole);
}

// By the code's word, which holder an access to the old array went through.
StaleCase::Way StaleCase::find_way(const Watched& watched, const Access& access) const {
  Way way;
  usize others = 0;
  for (usize i = 0; i < holders_.size(); ++i) {
    const judge::Route route =
        judge::find_route(context_, append_, holders_[i].view, access).route;
    if (route == judge::Route::kVictim && !way.holder) way.holder = i;
    others += route == judge::Route::kOther ? 1 : 0;
  }
  way.is_others = !way.holder && others == holders_.size();
  if (!way.holder && !way.is_others) way.perhaps = find_holder_of(watched);
  return way;
}

void StaleCase::on_access(const Access& access) {
  if (access.kind == Access::Kind::kIgnored || access.by_growth || access.frames.empty()) return;
  for (usize i = 0; i < watched_.size(); ++i) {
    Watched& w = watched_[i];
    const bool is_old = access.word == w.pair.word(Side::kOld);
    // What was done to the old one before the growth was done to both.
    if (!w.pair.has_moved() || (!is_old && access.word != w.pair.word(Side::kNew))) continue;
    const Side side = is_old ? Side::kOld : Side::kNew;
    is_touched_ = true;
    if (access.reads()) {
      if (const std::optional<Loss> loss = w.pair.read(side)) {
        if (is_old) w.way = find_way(w, access);
        sightings_.push_back({i, *loss, access_stack(context_, access)});
      }
    }
    const bool writes = access.writes() && !is_append_line(access);
    if (!writes || !take_write(w, side, access)) continue;
    if (is_old) w.way = find_way(w, access);
    w.written_by = access_stack(context_, access);
  }
}

bool StaleCase::after_samples(const judge::Unseen& unseen) {
  judge_sightings(unseen.lost);
  has_lost_ |= unseen.lost;
  const bool all_over =
      !watched_.empty() &&
      std::ranges::all_of(watched_, [](const Watched& w) { return w.pair.is_over(); });
  return is_closed_ || all_over;
}

void StaleCase::judge_sightings(bool lost) {
  for (Sighting& sighting : std::exchange(sightings_, {})) {
    const Watched& w = watched_[sighting.watched];
    const Operand operand = this->operand();
    is_closed_ |= operand == Operand::kLives;
    const std::optional<usize> holder = w.way.holder ? w.way.holder : w.way.perhaps;
    if (is_closed_ || !holder || !is_there(holders_[*holder]) || !is_new_there()) continue;
    const bool is_known = operand != Operand::kUnknown && !holders_[*holder].was_operand;
    const findings::Level level =
        is_known ? level_of(w, sighting.loss, lost || has_lost_) : findings::Level::kSuspect;
    const Side changed = sighting.loss == Loss::kUpdate ? Side::kOld : Side::kNew;
    record({*holder, w.element, changed, w.written_by, std::move(sighting.read_by)}, level);
    is_closed_ = level != findings::Level::kSuspect;
  }
}

// What was replaced as a whole, by a sort for example, is another element in the same place, and the
// pointer means the one that was there.
findings::Level StaleCase::level_of(const Watched& w, Loss loss, bool lost) const {
  const bool may_be_another = loss == Loss::kStale && w.pair.was_written_whole();
  const bool is_sure = w.way.holder && holders_[*w.way.holder].is_pointer;
  return is_sure && !may_be_another && !lost ? findings::Level::kConfirmed
                                             : findings::Level::kLikely;
}

void StaleCase::look_again() {
  before_samples();
  if (operand() == Operand::kLives) is_closed_ = true;
}

std::span<judge::Question> StaleCase::ask() {
  questions_.clear();
  asked_.clear();
  before_samples();
  if (is_closed_ || !operand_was_replaced_) return questions_;
  for (usize i = 0; i < holders_.size(); ++i) {
    const View& view = holders_[i].view;
    if (view.holder == findings::Holder::kStack) continue;
    judge::Question question;
    question.object = view.holder == findings::Holder::kHeap ? view.object : view.ptr_word;
    questions_.push_back(question);
    asked_.push_back(i);
  }
  return questions_;
}

// At the end: a pointer that is in use still looks into the old array, and one side differs from
// what both were.
void StaleCase::settle(const judge::Gate&) {
  for (usize i = 0; i < asked_.size() && !is_closed_; ++i) {
    const Holder& holder = holders_[asked_[i]];
    const u64 at = holder.element * event().append.elem_size;
    const std::optional<ByteView> before = find_part(old_bytes_, at, event().append.elem_size);
    if (!questions_[i].is_reachable || !before || !is_there(holder)) continue;
    if (context_.memory.find<u64>(holder.view.ptr_word) != holder.view.ptr) continue;
    const std::vector<u8> old = element_on(Side::kOld, holder.element);
    const std::vector<u8> now = element_on(Side::kNew, holder.element);
    const bool old_differs = !std::ranges::equal(old, *before);
    const bool new_differs = !std::ranges::equal(now, *before);
    if (old.empty() || now.empty() || old_differs == new_differs) continue;
    const Side changed = old_differs ? Side::kOld : Side::kNew;
    record({asked_[i], holder.element, changed, {}, {}}, findings::Level::kSuspect);
  }
}

}  // namespace geist::detect::stale
