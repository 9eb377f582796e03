#include "heap/gc.h"

namespace geist::heap {
namespace {

// Twice the step of a cycle; see the header.
constexpr u32 kTwoCycles = 4;
// A difference that counts as "in the past": the counter wraps around in unsigned arithmetic.
constexpr u32 kHalf = u32{1} << 31;

}  // namespace

std::optional<bool> survived_gc(const SpanTable& spans, TargetAddr object, u32 sweepgen_at_moment) {
  std::optional<u32> before = spans.sweepgen();
  if (!before || *before - sweepgen_at_moment < kTwoCycles ||
      *before - sweepgen_at_moment >= kHalf) {
    return std::nullopt;
  }
  std::optional<Span> span = spans.find_span(object);
  std::optional<SpanTable::SpanBits> bits;
  if (span && span->is_heap()) bits = spans.read_bits(*span);
  // A span that was caught in the middle of a change looks like none; so none must be so twice.
  bool is_gone = !span || !span->is_heap();
  if (is_gone) span = spans.find_span(object);
  bool is_back = is_gone && span && span->is_heap();
  // What was read belongs together only if no cycle ended meanwhile.
  if (is_back || spans.sweepgen() != before) return std::nullopt;
  if (is_gone) return false;
  bool is_swept = bits && (bits->span.sweepgen == *before || bits->span.sweepgen == *before + 3);
  if (!is_swept) return std::nullopt;
  u64 index = span->index_of(object);
  return ((bits->alloc_bits[index / 8] >> (index % 8)) & 1) != 0;
}

}  // namespace geist::heap
