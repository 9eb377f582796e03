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
  std::optional<std::vector<u8>> bits;
  if (span && span->is_heap()) bits = spans.read_alloc_bits(*span);
  // What was read belongs together only if nothing was swept meanwhile.
  std::optional<Span> again = spans.find_span(object);
  std::optional<u32> after = spans.sweepgen();
  bool has_stayed = after == before && span.has_value() == again.has_value();
  if (!has_stayed) return std::nullopt;
  if (!span || !span->is_heap()) return false;
  has_stayed = span->start == again->start && span->sweepgen == again->sweepgen &&
               span->alloc_bits == again->alloc_bits && span->elem_size == again->elem_size;
  bool is_swept = span->sweepgen == *before || span->sweepgen == *before + 3;
  if (!has_stayed || !is_swept || !bits) return std::nullopt;
  u64 index = span->index_of(object);
  if (index / 8 >= bits->size()) return std::nullopt;
  return (((*bits)[index / 8] >> (index % 8)) & 1) != 0;
}

}  // namespace geist::heap
