#include "heap/span_index.h"

namespace geist::heap {

std::vector<SpanEntry> make_entries(const std::vector<Span>& spans) {
  std::vector<SpanEntry> entries;
  entries.reserve(spans.size());
  u64 bits = 0;
  for (const Span& span : spans) {
    bool is_large = span.size_class == 0;
    entries.push_back({.start = span.start.value,
                       .size_bytes = span.limit - span.start,
                       .first_bit = bits,
                       .div_mul = span.div_mul,
                       .elem_size = is_large ? 0 : static_cast<u32>(span.elem_size),
                       .noscan = span.noscan,
                       .is_large = is_large});
    bits += span.nelems;
  }
  return entries;
}

}  // namespace geist::heap
