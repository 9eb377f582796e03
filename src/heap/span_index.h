// From an address to the heap slot that holds it, for walks that ask millions of times.
//
//   word ─▶ bucket of the heap's range ─▶ span ─▶ slot = offset * div_mul >> 32
//
// Made from spans that hold together (heap/spans.h), ascending and disjoint.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/ints.h"
#include "heap/spans.h"

namespace geist::heap {

// A span as a walk over the heap needs it; the table of them should stay in the cache.
struct SpanEntry {
  u64 start = 0;
  u64 size_bytes = 0;    // to the limit
  u64 first_bit = 0;     // of its slots among the mark bits
  u32 div_mul = 0;       // slot = offset * div_mul >> 32; 0 (slot 0) in large spans
  u32 elem_size = 0;     // of small ones
  u32 header_bytes = 0;  // of a malloc header in front of each object, when the walk asks
  bool noscan = false;
  bool is_large = false;
  // Notes of the walk in reach.cc.
  bool is_prepared = false;  // the mark bits of free slots are set
  bool has_wanted = false;

  // Of the slot that holds `word`, which must be in the span.
  u64 slot_of(u64 word) const { return (word - start) * div_mul >> 32; }
};

// One entry a span, numbered in the order given.
std::vector<SpanEntry> make_entries(const std::vector<Span>& spans);

// From an address to the span in use that holds it: a table of buckets over the heap's range, each
// naming the first span that ends behind the bucket's begin. Up to 8 GiB a bucket is a page, which
// belongs to one span.
class SpanLookup {
 public:
  explicit SpanLookup(const std::vector<SpanEntry>& spans) : spans_(spans) {
    if (spans.empty()) return;
    lo_ = spans.front().start;
    width_ = spans.back().start + spans.back().size_bytes - lo_;
    while (width_ >> shift_ >= kMaxBuckets) ++shift_;
    buckets_.reserve((width_ >> shift_) + 2);
    u32 first = 0;
    for (u64 begin = 0; begin <= width_; begin += u64{1} << shift_) {
      while (first < spans.size() && spans[first].start + spans[first].size_bytes - lo_ <= begin) {
        ++first;
      }
      buckets_.push_back(first);
    }
    buckets_.push_back(static_cast<u32>(spans.size()));
  }

  std::optional<u32> find(u64 word) const {
    if (word - lo_ >= width_) return std::nullopt;
    u64 bucket = (word - lo_) >> shift_;
    u32 number = buckets_[bucket];
    if (shift_ > kPageShift) {
      // The span that holds the word is the last of the bucket that begins at or before it.
      auto first = spans_.begin() + number;
      auto last = spans_.begin() + std::min<u64>(u64{buckets_[bucket + 1]} + 1, spans_.size());
      auto behind = std::upper_bound(first, last, word,
                                     [](u64 at, const SpanEntry& span) { return at < span.start; });
      if (behind == first) return std::nullopt;
      number = static_cast<u32>(behind - 1 - spans_.begin());
    }
    bool is_inside = number < spans_.size() && word >= spans_[number].start &&
                     word - spans_[number].start < spans_[number].size_bytes;
    return is_inside ? std::optional<u32>(number) : std::nullopt;
  }

 private:
  static constexpr u64 kMaxBuckets = u64{1} << 20;
  static constexpr u32 kPageShift = 13;
  const std::vector<SpanEntry>& spans_;
  std::vector<u32> buckets_;
  u64 lo_ = 0, width_ = 0;
  u32 shift_ = kPageShift;
};

}  // namespace geist::heap
