// Reading mspans and answering for addresses, from memory that changes while we look.
//
//   addr ─▶ arena index = (addr + 2^47) >> 26 ─▶ arenas[0][index]
//        ─▶ heapArena.spans[(addr >> 13) & 8191] ─▶ mspan
//
// Invariant: a Span that leaves this file holds together: pages inside the address space, the
// element size is that of its size class, the counts fit the pages, addr asked for is inside.
// Everything else is "no span" (or damaged, in read_all). So the rest of the project may divide by
// elem_size and index by nelems without thinking. Source: runtime/mheap.go (spanOf, initSpan,
// arenaIndex), runtime/mbitmap.go (findObject, isFree), runtime/mcache.go (allocLarge), go1.21 to
// go1.27.
#include "heap/spans.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "heap/bulk_read.h"

namespace geist::heap {
namespace {

constexpr u64 kPageShift = 13;        // runtime/sizeclasses.go _PageShift
constexpr u64 kPagesPerArena = 8192;  // runtime/malloc.go heapArenaBytes 64 MiB
constexpr u64 kArenaShift = 26;
constexpr u64 kArenaCount = u64{1} << 22;    // 48 bits
constexpr u64 kArenaBase = u64{1} << 47;     // minus arenaBaseOffset
constexpr u64 kUserSpaceEnd = u64{1} << 47;  // user addresses of linux/amd64
// 8 Mi spans of a page are 64 GiB; above, the slice header is not believed.
constexpr int kMaxRereads = 8;
constexpr u64 kMaxSpans = u64{1} << 23;

struct SizeClass {
  u32 bytes;
  u32 pages;
};
constexpr std::array kSizeClasses = {
#define GEIST_SIZE_CLASS(bytes, pages) SizeClass{bytes, pages},
#include "heap/size_classes.inc"
#undef GEIST_SIZE_CLASS
};

// Objects above 512 bytes carry their type in the first word (runtime/mbitmap.go heapBitsInSpan).
constexpr u64 kMaxHeaderless = 512;
constexpr u64 kMallocHeader = 8;

bool is_small_span_sane(const Span& span) {
  if (span.size_class >= kSizeClasses.size()) return false;
  const SizeClass& size_class = kSizeClasses[span.size_class];
  // class_to_divmagic: ^uint32(0)/size + 1
  return span.elem_size == size_class.bytes && span.npages == size_class.pages &&
         span.div_mul == 0xffffffffu / size_class.bytes + 1 && span.nelems >= 1 &&
         span.nelems <= (span.npages << kPageShift) / span.elem_size &&
         span.limit >= span.slot(span.nelems) && span.limit <= span.end();
}

bool is_large_span_sane(const Span& span) {
  return span.nelems == 1 && span.div_mul == 0 && span.elem_size > 0 &&
         span.elem_size <= span.npages << kPageShift && span.limit > span.start &&
         span.limit <= span.end();
}

bool are_pages_sane(const Span& span) {
  return span.start.value != 0 && span.start.value % (1 << kPageShift) == 0 &&
         span.start.value < kUserSpaceEnd && span.npages > 0 &&
         span.npages <= (kUserSpaceEnd - span.start.value) >> kPageShift;
}

}  // namespace

std::optional<u64> find_heap_bits(const read::Layout& layout, u64 elem_size, u64 span_bytes) {
  constexpr u64 kInlineMarkBytes = 128;
  constexpr u64 kMostWithBits = 512, kLeastWithInlineMarks = 16;
  if (!layout.has_malloc_headers || elem_size > kMostWithBits) return std::nullopt;
  const bool has_marks = layout.has_inline_mark_bits && elem_size >= kLeastWithInlineMarks;
  const u64 tail = kHeapBitsBytes + (has_marks ? kInlineMarkBytes : 0);
  if (span_bytes < tail) return std::nullopt;
  return span_bytes - tail;
}

bool is_allocated(const Span& span, ByteView alloc_bits, u64 index) {
  if (index >= span.nelems) return false;
  if (index < span.freeindex) return true;
  return index / 8 < alloc_bits.size() && ((alloc_bits[index / 8] >> (index % 8)) & 1) != 0;
}

SpanTable::Health SpanTable::parse_span(TargetAddr mspan, ByteView bytes, Span* span) const {
  const read::Layout& at = *layout_;
  auto word = [&](u32 offset) { return find_int<u64>(bytes, offset).value_or(0); };
  auto half = [&](u32 offset) { return find_int<u16>(bytes, offset).value_or(0); };
  u8 state = find_int<u8>(bytes, at.mspan_state).value_or(0);
  if (bytes.empty() || state > static_cast<u8>(SpanState::kManual)) return Health::kDamaged;
  span->mspan = mspan;
  span->state = static_cast<SpanState>(state);
  if (span->state == SpanState::kDead) return Health::kDead;
  span->start = TargetAddr(word(at.mspan_start_addr));
  span->npages = word(at.mspan_npages);
  if (!are_pages_sane(*span)) return Health::kDamaged;
  span->limit = span->end();
  // The element fields of a manual span are its user's business.
  if (span->state == SpanState::kManual) return Health::kGood;
  span->limit = TargetAddr(word(at.mspan_limit));
  span->elem_size = word(at.mspan_elemsize);
  span->nelems = at.mspan_wide_counts ? word(at.mspan_nelems) : half(at.mspan_nelems);
  span->freeindex = at.mspan_wide_counts ? word(at.mspan_freeindex) : half(at.mspan_freeindex);
  span->div_mul = find_int<u32>(bytes, at.mspan_div_mul).value_or(0);
  span->sweepgen = find_int<u32>(bytes, at.mspan_sweepgen).value_or(0);
  span->alloc_count = half(at.mspan_alloc_count);
  u8 span_class = find_int<u8>(bytes, at.mspan_spanclass).value_or(0);
  span->noscan = (span_class & 1) != 0;
  span->size_class = span_class >> 1;
  span->alloc_bits = TargetAddr(word(at.mspan_alloc_bits));
  span->gcmark_bits = TargetAddr(word(at.mspan_gcmark_bits));
  span->specials = TargetAddr(word(at.mspan_specials));
  if (at.mspan_large_type != read::kAbsent && (span_class >> 1) == 0) {
    span->large_type = TargetAddr(word(at.mspan_large_type));
  }
  bool is_large = span->size_class == 0;
  bool is_sane = is_large ? is_large_span_sane(*span) : is_small_span_sane(*span);
  // go1.22 (mcentral.grow) counts the heap bitmap at the span's end as objects.
  // A large one may end before its only slot does: behind the bytes that were asked for.
  if (is_sane) {
    TargetAddr slots_end = span->slot(span->nelems);
    span->limit = is_large ? std::min(span->limit, slots_end) : slots_end;
  }
  return is_sane && span->freeindex <= span->nelems ? Health::kGood : Health::kDamaged;
}

std::optional<Span> SpanTable::read_span(TargetAddr mspan) const {
  std::array<u8, 256> bytes;
  GEIST_CHECK(layout_->mspan_size <= bytes.size());
  if (!memory_->read(mspan, {bytes.data(), layout_->mspan_size})) return std::nullopt;
  Span span;
  if (parse_span(mspan, {bytes.data(), layout_->mspan_size}, &span) != Health::kGood) {
    return std::nullopt;
  }
  return span;
}

std::optional<Span> SpanTable::reread(const Span& span) const {
  std::optional<Span> now = read_span(span.mspan);
  bool is_same = now && now->start == span.start && now->npages == span.npages;
  return is_same ? now : std::nullopt;
}

std::optional<TargetAddr> SpanTable::find_arena(TargetAddr addr) const {
  if (addr.value >= kUserSpaceEnd) return std::nullopt;
  u64 arena_index = (addr.value + kArenaBase) >> kArenaShift;
  std::optional<u64> arenas = memory_->find<u64>(mheap_ + layout_->mheap_arenas);
  if (!arenas || *arenas == 0 || arena_index >= kArenaCount) return std::nullopt;
  std::optional<u64> arena = memory_->find<u64>(TargetAddr(*arenas + arena_index * 8));
  if (!arena || *arena == 0) return std::nullopt;
  return TargetAddr(*arena);
}

std::optional<Span> SpanTable::find_span(TargetAddr addr) const {
  std::optional<TargetAddr> arena = find_arena(addr);
  if (!arena) return std::nullopt;
  u64 page = (addr.value >> kPageShift) % kPagesPerArena;
  TargetAddr entry = *arena + layout_->heap_arena_spans + page * 8;
  std::optional<u64> mspan = memory_->find<u64>(entry);
  if (!mspan || *mspan == 0) return std::nullopt;
  std::optional<Span> span = read_span(TargetAddr(*mspan));
  // Entries of freed spans go stale, so the span itself has the last word.
  if (!span || !span->holds(addr)) return std::nullopt;
  return span;
}

std::optional<Object> SpanTable::find_object(TargetAddr addr) const {
  std::optional<Span> span = find_span(addr);
  if (!span) return std::nullopt;
  return find_object_in(*span, addr);
}

std::optional<Object> SpanTable::find_object_in(const Span& span, TargetAddr addr) const {
  if (!span.holds(addr)) return std::nullopt;
  if (!span.is_heap()) {
    return Object{.base = span.start,
                  .user = span.start,
                  .size_bytes = span.limit - span.start,
                  .noscan = false,
                  .is_stack = true};
  }
  u64 index = span.index_of(addr);
  if (!is_allocated(span, index)) return std::nullopt;
  return object_in_slot(span, index);
}

Object SpanTable::object_in_slot(const Span& span, u64 index) const {
  TargetAddr base = span.slot(index);
  Object object{.base = base, .user = base, .noscan = span.noscan};
  object.size_bytes = std::min(span.elem_size, span.limit - base);
  bool has_header = layout_->has_malloc_headers && !span.noscan && span.size_class != 0 &&
                    span.elem_size > kMaxHeaderless;
  if (has_header) {
    object.user += kMallocHeader;
    object.size_bytes -= kMallocHeader;
  }
  return object;
}

bool SpanTable::is_allocated(const Span& span, u64 index) const {
  if (!span.is_heap() || index >= span.nelems) return false;
  if (index < span.freeindex) return true;
  std::optional<SpanBits> bits = read_bits(span);
  return bits && bits->is_allocated(index);
}

std::optional<SpanTable::SpanBits> SpanTable::read_bits(const Span& span) const {
  if (!span.is_heap()) return std::nullopt;
  SpanBits bits{.span = span, .alloc_bits = std::vector<u8>((span.nelems + 7) / 8)};
  for (int i = 0; i < kMaxRereads; ++i) {
    bool is_read = memory_->read(bits.span.alloc_bits, bits.alloc_bits);
    std::optional<Span> now = reread(span);
    bool is_same_kind = now && now->elem_size == span.elem_size && now->nelems == span.nelems &&
                        now->noscan == span.noscan;
    if (!is_same_kind) return std::nullopt;
    // An odd sweepgen may say that the span is being swept (mheap_.sweepgen - 1): freeindex is then
    // new and allocBits old, for a moment.
    bool is_swept_now = now->sweepgen % 2 == 1 && sweepgen() == now->sweepgen + 1;
    bool has_stayed = is_read && !is_swept_now && now->alloc_bits == bits.span.alloc_bits &&
                      now->sweepgen == bits.span.sweepgen;
    // A slot that was handed out since has no bit; the later freeindex knows it.
    bits.span = *now;
    if (has_stayed) return bits;
  }
  return std::nullopt;
}

std::vector<Span> SpanTable::read_all(u64* damaged) const {
  u64 bad = 0;
  std::vector<Span> spans;
  std::optional<u64> array = memory_->find<u64>(mheap_ + layout_->mheap_allspans);
  std::optional<u64> count = memory_->find<u64>(mheap_ + layout_->mheap_allspans + 8);
  if (array && count && *count <= kMaxSpans) {
    std::vector<TargetAddr> mspans = read_pointers(*memory_, TargetAddr(*array), *count, kMaxSpans);
    bad += *count - mspans.size();
    bad += std::erase_if(mspans, [](TargetAddr mspan) {
      return mspan.value == 0 || mspan.value % 8 != 0 || mspan.value >= kUserSpaceEnd;
    });
    bad += drop_overlapping(mspans, layout_->mspan_size);
    read_records(*memory_, std::move(mspans), layout_->mspan_size,
                 [&](TargetAddr mspan, ByteView bytes) {
                   Span span;
                   Health health = parse_span(mspan, bytes, &span);
                   if (health == Health::kGood) spans.push_back(span);
                   if (health == Health::kDamaged) ++bad;
                 });
  } else {
    ++bad;
  }
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.start < b.start; });
  // Two spans over the same pages: one was freed and its pages reused while we read. Which one is
  // not known, so the second is left out.
  usize kept = 0;
  for (const Span& span : spans) {
    if (kept > 0 && span.start < spans[kept - 1].end()) {
      ++bad;
      continue;
    }
    spans[kept++] = span;
  }
  spans.resize(kept);
  if (damaged != nullptr) *damaged = bad;
  return spans;
}

std::optional<u32> SpanTable::sweepgen() const {
  return memory_->find<u32>(mheap_ + layout_->mheap_sweepgen);
}

}  // namespace geist::heap
