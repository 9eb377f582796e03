// ViewScanner::is_reachable: a conservative mark over a heap that changes while we walk it.
//
//   roots (data, bss, stacks) ─▶ words ─▶ object = span + slot ─▶ mark bit ─▶ queue ─▶ its words ─▶
//   ...
//
// Each span of small objects is copied once, on the first object of it that is walked; a large
// object is streamed, as it is walked once only. The bytes read are bounded by max_bytes, the mark
// bits by the bytes of the heap / 64 (the smallest object has 8 bytes). The wanted objects are
// ordinary marks with a note; the walk ends when the last one was marked.
#include <algorithm>
#include <memory>
#include <unordered_map>

#include "heap/goroutines.h"
#include "heap/stack_roots.h"
#include "heap/views.h"

namespace geist::heap {
namespace {

constexpr u64 kChunk = u64{256} << 10;
// A stack beyond this is taken word by word.
constexpr u64 kMaxStackBytes = u64{16} << 20;
constexpr u32 kMaxFrames = 100000;
constexpr u64 kMaxMarkBits = u64{1} << 34;  // 2 GiB of bits: a heap of 128 GiB

// From an address to the span in use that holds it: a table of buckets over the heap's range, each
// naming the first span that ends behind the bucket's begin.
class SpanLookup {
 public:
  explicit SpanLookup(const std::vector<Span>& spans) : spans_(spans) {
    if (spans.empty()) return;
    lo_ = spans.front().start.value;
    width_ = spans.back().limit.value - lo_;
    while (width_ >> shift_ >= kMaxBuckets) ++shift_;
    buckets_.reserve((width_ >> shift_) + 2);
    u32 first = 0;
    for (u64 begin = 0; begin <= width_; begin += u64{1} << shift_) {
      while (first < spans.size() && spans[first].limit.value - lo_ <= begin) ++first;
      buckets_.push_back(first);
    }
    buckets_.push_back(static_cast<u32>(spans.size()));
  }

  std::optional<u32> find(u64 word) const {
    if (word - lo_ >= width_) return std::nullopt;
    u64 bucket = (word - lo_) >> shift_;
    // The span that holds the word begins at or before it: the last such one of the bucket.
    auto first = spans_.begin() + buckets_[bucket];
    auto last = spans_.begin() + std::min<u64>(u64{buckets_[bucket + 1]} + 1, spans_.size());
    auto behind = std::upper_bound(first, last, TargetAddr(word),
                                   [](TargetAddr at, const Span& span) { return at < span.start; });
    if (behind == first || !(behind - 1)->holds(TargetAddr(word))) return std::nullopt;
    return static_cast<u32>(behind - 1 - spans_.begin());
  }

 private:
  static constexpr u64 kMaxBuckets = u64{1} << 20;
  const std::vector<Span>& spans_;
  std::vector<u32> buckets_;
  u64 lo_ = 0, width_ = 0;
  u32 shift_ = 13;  // a page
};

class Marker {
 public:
  Marker(const target::Memory& memory, const SpanTable& table, std::vector<Span> spans,
         u64 max_bytes)
      : memory_(memory),
        table_(table),
        spans_(std::move(spans)),
        lookup_(spans_),
        max_bytes_(max_bytes) {
    first_bit_.reserve(spans_.size());
    u64 bits = 0;
    for (const Span& span : spans_) {
      first_bit_.push_back(bits);
      bits += span.nelems;
    }
    is_complete_ = bits <= kMaxMarkBits;
    if (!is_complete_) return;
    marks_.resize(bits);
    states_.resize(spans_.size());
  }

  // Marks of an address that is no allocated heap object are never found.
  void want(TargetAddr addr, usize note) {
    if (std::optional<u64> bit = find_object(addr.value)) {
      wanted_.emplace(*bit, note);
      ++missing_;
    }
  }

  // Walk all that hangs on a root: the words of a range, or these words.
  void add_root(TargetAddr begin, TargetAddr end) {
    stream(begin, end);
    drain();
  }
  void add_root(const std::vector<u64>& words) {
    for (u64 word : words) visit(word);
    drain();
  }

  bool is_done() const { return missing_ == 0 || !is_complete_; }
  // False: something could not be read or was too much; what was not marked is not known.
  bool is_complete() const { return is_complete_; }
  const std::vector<usize>& found() const { return found_; }

 private:
  struct Item {
    u32 span;
    u32 slot;
  };
  struct SpanState {
    std::vector<u8> alloc_bits;
    std::unique_ptr<u64[]> words;  // the copy
    bool has_alloc_bits = false;
  };

  // The mark bit of the allocated object at this address.
  std::optional<u64> find_object(u64 word) {
    std::optional<u32> number = lookup_.find(word);
    if (!number || states_.empty()) return std::nullopt;
    const Span& span = spans_[*number];
    u64 slot = span.index_of(TargetAddr(word));
    SpanState& state = states_[*number];
    if (slot >= span.freeindex && !state.has_alloc_bits) {
      state.has_alloc_bits = true;
      std::optional<std::vector<u8>> bits = table_.read_alloc_bits(span);
      is_complete_ &= bits.has_value();
      if (bits) state.alloc_bits = std::move(*bits);
    }
    if (!heap::is_allocated(span, state.alloc_bits, slot)) return std::nullopt;
    return first_bit_[*number] + slot;
  }

  void visit(u64 word) {
    std::optional<u64> bit = find_object(word);
    if (!bit || marks_[*bit]) return;
    marks_[*bit] = true;
    auto [first, last] = wanted_.equal_range(*bit);
    for (auto it = first; it != last; ++it) {
      found_.push_back(it->second);
      --missing_;
    }
    u32 number = *lookup_.find(word);
    if (spans_[number].noscan) return;
    queue_.push_back({number, static_cast<u32>(*bit - first_bit_[number])});
  }

  void drain() {
    while (!queue_.empty() && !is_done()) {
      Item item = queue_.back();
      queue_.pop_back();
      walk(item);
    }
  }

  void walk(const Item& item) {
    const Span& span = spans_[item.span];
    Object object = table_.object_in_slot(span, item.slot);
    if (span.size_class == 0) return stream(object.user, object.user + object.size_bytes);
    SpanState& state = states_[item.span];
    if (state.words == nullptr) {
      u64 size = span.limit - span.start;
      if (!take(size)) return;
      state.words = std::make_unique<u64[]>(size / 8);
      u8* bytes = reinterpret_cast<u8*>(state.words.get());
      if (!memory_.read(span.start, {bytes, size})) is_complete_ = false;
    }
    const u64* words = state.words.get() + (object.user - span.start) / 8;
    for (u64 i = 0; i < object.size_bytes / 8; ++i) visit(words[i]);
  }

  void stream(TargetAddr begin, TargetAddr end) {
    begin.value = (begin.value + 7) & ~u64{7};
    if (begin >= end) return;
    std::vector<u64> chunk(std::min(kChunk, end - begin) / 8);
    for (TargetAddr at = begin; at < end && !is_done(); at += kChunk) {
      u64 size = std::min(kChunk, end - at) & ~u64{7};
      if (!take(size)) return;
      if (!memory_.read(at, {reinterpret_cast<u8*>(chunk.data()), size})) is_complete_ = false;
      for (u64 i = 0; i < size / 8 && is_complete_; ++i) visit(chunk[i]);
    }
  }

  bool take(u64 bytes) {
    is_complete_ &= bytes <= max_bytes_;
    if (is_complete_) max_bytes_ -= bytes;
    return is_complete_;
  }

  const target::Memory& memory_;
  const SpanTable& table_;
  std::vector<Span> spans_;  // heap spans in use, ascending, disjoint
  SpanLookup lookup_;
  u64 max_bytes_;
  std::vector<u64> first_bit_;  // by span
  std::vector<bool> marks_;     // by first_bit_ + slot
  std::vector<SpanState> states_;
  std::vector<Item> queue_;
  std::unordered_multimap<u64, usize> wanted_;  // by mark bit
  std::vector<usize> found_;
  usize missing_ = 0;
  bool is_complete_ = true;
};

bool is_on_stack(const Goroutine& g, TargetAddr addr) {
  TargetAddr low = g.pc.value != 0 ? g.sp : g.stack_lo;
  return addr >= low && addr < g.stack_hi;
}

}  // namespace

std::optional<bool> ViewScanner::is_reachable(const std::vector<TargetAddr>& objects, u64 max_bytes,
                                              std::vector<bool>* out) const {
  std::vector<bool> reached(objects.size());
  u64 damaged_spans = 0, damaged_gs = 0;
  std::vector<Span> spans = spans_.read_all(&damaged_spans);
  std::erase_if(spans, [](const Span& span) { return !span.is_heap(); });
  std::vector<Goroutine> goroutines =
      read_goroutines(*memory_, binary_->layout(), symbols_, bias_, &damaged_gs);

  const read::ModuleData& module = binary_->module();
  TargetAddr globals_begin = bias_.to_target(module.noptrdata);
  TargetAddr globals_end = bias_.to_target(module.enoptrbss);
  Marker marker(*memory_, spans_, std::move(spans), max_bytes);
  for (usize i = 0; i < objects.size(); ++i) {
    TargetAddr addr = objects[i];
    reached[i] = addr >= globals_begin && addr < globals_end;
    for (const Goroutine& g : goroutines) reached[i] = reached[i] || is_on_stack(g, addr);
    if (!reached[i]) marker.want(addr, i);
  }
  marker.add_root(bias_.to_target(module.data), bias_.to_target(module.edata));
  marker.add_root(bias_.to_target(module.bss), bias_.to_target(module.ebss));
  for (const Goroutine& g : goroutines) {
    std::optional<ParkedStack> stack =
        unwind_parked(*memory_, *binary_, bias_, g, kMaxStackBytes, kMaxFrames);
    if (stack) {
      marker.add_root(find_stack_roots(*memory_, *binary_, g, *stack));
    } else {
      marker.add_root(g.stack_lo, g.stack_hi);
    }
    if (marker.is_done()) break;
  }
  for (usize i : marker.found()) reached[i] = true;
  bool are_all = std::find(reached.begin(), reached.end(), false) == reached.end();
  if (out != nullptr) *out = reached;
  if (are_all) return true;
  if (!marker.is_complete() || damaged_spans != 0 || damaged_gs != 0) return std::nullopt;
  return false;
}

}  // namespace geist::heap
