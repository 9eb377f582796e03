// One pass over everything that may hold a header, in chunks that stay in the cache.
//
//   data, bss, spans with pointers ─▶ regions (neighbours joined) ─▶ chunks
//                                  ─▶ words ─▶ candidates ─▶ hits
//
// Nearly all words are no candidates, so the loop over words only asks whether one lies between the
// first and the last array; a bitmap over that range and then a binary search follow. A candidate
// is taken when its span, read afresh, says that it is in an allocated object, and when ptr, len
// and cap were the same in two reads one after the other (the target writes them one by one).
#include "heap/views.h"

#include <algorithm>
#include <array>

namespace geist::heap {
namespace {

constexpr u64 kChunk = u64{256} << 10;
// A gap between spans that is cheaper to copy than another system call.
constexpr u64 kMaxGap = 4096;
constexpr int kMaxRereads = 4;
// So many candidates in a chunk are cheaper to read again together.
constexpr usize kManyHits = 32;

// Answers which array a word points into.
class ArrayIndex {
 public:
  explicit ArrayIndex(const std::vector<ArrayRange>& arrays) {
    for (u32 i = 0; i < arrays.size(); ++i) {
      if (arrays[i].begin < arrays[i].end) entries_.push_back({arrays[i], i});
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.range.begin < b.range.begin; });
    if (entries_.empty()) return;
    lo_ = entries_.front().range.begin.value;
    for (const Entry& entry : entries_) width_ = std::max(width_, entry.range.end.value - lo_);
    while ((width_ - 1) >> shift_ >= kBits) ++shift_;
    bits_.resize(((width_ - 1) >> shift_) + 1);
    for (const Entry& entry : entries_) {
      u64 last = (entry.range.end.value - 1 - lo_) >> shift_;
      for (u64 i = (entry.range.begin.value - lo_) >> shift_; i <= last; ++i) bits_[i] = true;
    }
  }

  u64 lo() const { return lo_; }
  u64 width() const { return width_; }
  bool empty() const { return entries_.empty(); }

  std::optional<u32> find(u64 word) const {
    if (word - lo_ >= width_ || !bits_[(word - lo_) >> shift_]) return std::nullopt;
    auto behind = std::upper_bound(
        entries_.begin(), entries_.end(), TargetAddr(word),
        [](TargetAddr value, const Entry& entry) { return value < entry.range.begin; });
    if (behind == entries_.begin() || TargetAddr(word) >= (behind - 1)->range.end) {
      return std::nullopt;
    }
    return (behind - 1)->index;
  }

 private:
  static constexpr u64 kBits = u64{1} << 18;  // 32 KiB
  struct Entry {
    ArrayRange range;
    u32 index;
  };
  std::vector<Entry> entries_;
  std::vector<bool> bits_;
  u64 lo_ = 0, width_ = 0;
  u32 shift_ = 3;
};

// Places of all words in [lo, lo + width). Eight words a step without a branch: the compiler keeps
// them in registers, and memory is the limit.
void find_candidates(const u64* words, u64 count, u64 lo, u64 width, std::vector<u32>& places) {
  places.clear();
  auto in = [&](u64 i) { return static_cast<u32>(words[i] - lo < width); };
  u64 i = 0;
  for (; i + 8 <= count; i += 8) {
    u32 any =
        in(i) | in(i + 1) | in(i + 2) | in(i + 3) | in(i + 4) | in(i + 5) | in(i + 6) | in(i + 7);
    if (any == 0) [[likely]]
      continue;
    for (u64 j = i; j < i + 8; ++j) {
      if (in(j) != 0) places.push_back(static_cast<u32>(j));
    }
  }
  for (; i < count; ++i) {
    if (in(i) != 0) places.push_back(static_cast<u32>(i));
  }
}

// Memory to scan in one go. Spans of the region begin at first_span; none: globals.
struct Region {
  TargetAddr begin, end;
  std::optional<usize> first_span;
};

bool may_hold_pointers(const Span& span) {
  return span.is_heap() && !span.noscan;
}

std::vector<Region> find_regions(const std::vector<Span>& spans) {
  std::vector<Region> regions;
  for (usize i = 0; i < spans.size(); ++i) {
    const Span& span = spans[i];
    bool is_near = !regions.empty() && span.start - regions.back().end <= kMaxGap;
    if (is_near) {
      regions.back().end = span.limit;
    } else {
      regions.push_back({span.start, span.limit, i});
    }
  }
  return regions;
}

}  // namespace

ViewScanner::ViewScanner(const process::Memory& memory, const read::GoBinary& binary,
                         const RuntimeSymbols& symbols, LoadBias bias)
    : memory_(&memory),
      binary_(&binary),
      symbols_(symbols),
      bias_(bias),
      spans_(memory, binary.layout(), bias.to_target(symbols.mheap)) {}

// The state of one scan.
class ViewScanner::Scan {
 public:
  Scan(const ViewScanner& scanner, const std::vector<ArrayRange>& arrays, u64 max_bytes,
       ScanStats* stats)
      : scanner_(scanner), arrays_(arrays), max_bytes_(max_bytes), stats_(stats) {}

  std::vector<HeaderHit> run() {
    if (arrays_.empty()) return {};
    const read::ModuleData& module = scanner_.binary_->module();
    scan_globals(module.data, module.edata);
    scan_globals(module.bss, module.ebss);
    all_spans_ = scanner_.spans_.read_all(&stats_->spans_damaged);
    std::erase_if(all_spans_, [](const Span& span) { return !may_hold_pointers(span); });
    stats_->spans = all_spans_.size();
    for (const Region& region : find_regions(all_spans_)) scan(region);
    return std::move(hits_);
  }

 private:
  void scan_globals(ImageAddr begin, ImageAddr end) {
    begin.value = (begin.value + 7) & ~u64{7};
    if (begin >= end) return;
    scan({scanner_.bias_.to_target(begin), scanner_.bias_.to_target(end), std::nullopt});
  }

  void scan(const Region& region) {
    span_ = region.first_span.value_or(0);
    is_span_fresh_ = false;
    for (TargetAddr at = region.begin; at < region.end; at += kChunk) {
      u64 size = std::min(kChunk, region.end - at);
      if (size > max_bytes_ - asked_) {
        stats_->bytes_unreadable += region.end - at;
        return;
      }
      asked_ += size;
      u64 got = scanner_.memory_->read_some(at, {reinterpret_cast<u8*>(words_.data()), size});
      stats_->bytes_read += got;
      stats_->bytes_unreadable += size - got;
      find_candidates(words_.data(), got / 8, arrays_.lo(), arrays_.width(), places_);
      if (!places_.empty()) take_candidates(region, at, got / 8);
    }
  }

  void take_candidates(const Region& region, TargetAddr chunk, u64 word_count) {
    std::erase_if(places_, [&](u32 place) { return !arrays_.find(words_[place]); });
    if (places_.size() > kManyHits) read_chunk_again(chunk, word_count);
    for (u32 place : places_) {
      TargetAddr at = chunk + u64{place} * 8;
      HeaderHit hit{.at = at, .ptr = {}, .holder = {}};
      u64 room = region.end - at;
      if (region.first_span) {
        std::optional<Object> object = find_holder(at);
        if (!object || at < object->user) continue;  // a malloc header is a type, not a view
        hit.holder = object->user;
        hit.holder_size = object->size_bytes;
        room = object->user + object->size_bytes - at;
      }
      hit.in_globals = !region.first_span;
      if (hits_.size() == kMaxHits) {
        ++stats_->hits_dropped;
        continue;
      }
      Reads reads{.word_count = std::min<u64>(room / 8, 3)};
      bool is_whole = place + reads.word_count <= word_count;
      if (is_whole) reads.first = &words_[place];
      if (is_whole && places_.size() > kManyHits) reads.second = &again_[place];
      take(hit, reads);
    }
  }

  // One system call for all candidates of a chunk instead of one each.
  void read_chunk_again(TargetAddr chunk, u64 word_count) {
    again_.resize(words_.size());
    u64 wanted = word_count * 8;
    u64 got = scanner_.memory_->read_some(chunk, {reinterpret_cast<u8*>(again_.data()), wanted});
    // What is unreadable by now differs from what was read first, so it is read once more and
    // fails.
    for (u64 i = got / 8; i < word_count; ++i) again_[i] = ~words_[i];
  }

  // The object of all_spans_[span_...] that holds at. Its span is read afresh, once: the list of
  // spans may be seconds old by now.
  std::optional<Object> find_holder(TargetAddr at) {
    while (span_ < all_spans_.size() && all_spans_[span_].limit <= at) {
      ++span_;
      is_span_fresh_ = false;
    }
    if (span_ == all_spans_.size() || at < all_spans_[span_].start) return std::nullopt;
    if (!is_span_fresh_) {
      is_span_fresh_ = true;
      fresh_ = scanner_.spans_.read_bits(all_spans_[span_]);
      stats_->spans_changed += !fresh_;
    }
    if (!fresh_ || !fresh_->span.holds(at)) return std::nullopt;
    u64 index = fresh_->span.index_of(at);
    if (!fresh_->is_allocated(index)) return std::nullopt;
    return scanner_.spans_.object_in_slot(fresh_->span, index);
  }

  // What was read of a header so far; null where it was not read whole.
  struct Reads {
    u64 word_count = 0;  // up to three, as many as the holder has
    const u64* first = nullptr;
    const u64* second = nullptr;
  };

  // Reads the header until two reads one after the other agree, and takes it if it still points
  // into a wanted array.
  void take(HeaderHit& hit, const Reads& reads) {
    std::array<u64, 3> last{}, now{};
    bool is_stable = false;
    if (reads.first != nullptr) std::copy_n(reads.first, reads.word_count, last.begin());
    if (reads.second != nullptr) std::copy_n(reads.second, reads.word_count, now.begin());
    if (reads.second != nullptr) is_stable = now == last;
    bool has_last = reads.first != nullptr;
    for (int i = 0; i < kMaxRereads && !is_stable; ++i) {
      std::span<u8> bytes(reinterpret_cast<u8*>(now.data()), reads.word_count * 8);
      if (!scanner_.memory_->read(hit.at, bytes)) break;
      is_stable = has_last && now == last;
      last = now;
      has_last = true;
    }
    if (!is_stable) {
      ++stats_->hits_torn;
      return;
    }
    std::optional<u32> array = arrays_.find(now[0]);
    if (!array) return;  // it was overwritten since
    hit.ptr = TargetAddr(now[0]);
    hit.len = now[1];
    hit.cap = now[2];
    hit.array = *array;
    hits_.push_back(hit);
  }

  const ViewScanner& scanner_;
  ArrayIndex arrays_;
  u64 max_bytes_;
  ScanStats* stats_;
  u64 asked_ = 0;
  std::vector<u64> words_ = std::vector<u64>(kChunk / 8);
  std::vector<u64> again_;  // the chunk read once more
  std::vector<u32> places_;
  std::vector<HeaderHit> hits_;
  std::vector<Span> all_spans_;
  usize span_ = 0;              // in all_spans_: the one at or behind the current candidate
  bool is_span_fresh_ = false;  // fresh_ is of span_
  std::optional<SpanTable::SpanBits> fresh_;
};

std::vector<HeaderHit> ViewScanner::scan(const std::vector<ArrayRange>& arrays, u64 max_bytes,
                                         ScanStats* stats) const {
  ScanStats unused;
  return Scan(*this, arrays, max_bytes, stats != nullptr ? stats : &unused).run();
}

}  // namespace geist::heap
