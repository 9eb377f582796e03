// A cached span's uncounted objects are allocCount - allocCountBeforeCache; the span that stands
// for an empty cache (runtime.emptymspan) has 0 of both. Sums are unsigned and wrap as in the
// runtime, so what one ring took back of another comes out right.
#include "heap/runtime_counts.h"

#include <array>
#include <cstring>

namespace geist::heap {
namespace {

constexpr std::array<u64, 68> kClassBytes = {
#define GEIST_SIZE_CLASS(bytes, pages) bytes,
#include "heap/size_classes.inc"
#undef GEIST_SIZE_CLASS
};
constexpr u64 kClasses = kClassBytes.size();
constexpr u64 kRings = 3;        // consistentHeapStats.stats
constexpr u64 kMaxPs = 1 << 16;  // runtime/proc.go: GOMAXPROCS is at most some thousands

using read::DebugType;

// Reads fields of runtime structs by name. After a field that is not there or cannot be read, or
// has another size, nothing of what it said counts.
class RuntimeReader {
 public:
  explicit RuntimeReader(const HeapImage& image) : image_(image) {}

  TargetAddr variable(std::string_view name) {
    std::optional<read::Symbol> symbol = image_.binary->image().find_symbol(name);
    failed_ |= !symbol;
    return symbol ? image_.bias.to_target(symbol->addr) : TargetAddr();
  }
  const DebugType* type(const char* name) {
    const DebugType* found = image_.debug->find_type_named(name);
    failed_ |= found == nullptr;
    return found;
  }
  u64 offset(const DebugType* type, std::string_view name, u64 size_bytes) {
    const DebugType::Field* field = type == nullptr ? nullptr : type->find_field(name);
    bool is_there =
        field != nullptr && field->type != nullptr && field->type->size_bytes == size_bytes;
    failed_ |= !is_there;
    return is_there ? field->offset : 0;
  }
  template <typename T>
  T read(TargetAddr at) {
    std::optional<T> value = failed_ ? std::nullopt : image_.memory->find<T>(at);
    failed_ |= !value;
    return value.value_or(T{});
  }
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }

 private:
  const HeapImage& image_;
  bool failed_ = false;
};

using ClassCounts = std::array<u64, kClasses>;

// Wraps like the runtime's own sums: a count may be taken back in another ring than it was made in.
void add_heap_stats(RuntimeReader& reader, RuntimeCounts& counts) {
  const DebugType* stats = reader.type("runtime.heapStatsDelta");
  const DebugType* ring = reader.type("runtime.consistentHeapStats");
  const DebugType* memstats = reader.type("runtime.mstats");
  if (reader.failed()) return;
  TargetAddr at = reader.variable("runtime.memstats") +
                  reader.offset(memstats, "heapStats", ring->size_bytes) +
                  reader.offset(ring, "stats", kRings * stats->size_bytes);
  u64 large_bytes = reader.offset(stats, "largeAlloc", 8),
      large_count = reader.offset(stats, "largeAllocCount", 8);
  u64 freed_bytes = reader.offset(stats, "largeFree", 8),
      freed_count = reader.offset(stats, "largeFreeCount", 8);
  u64 small = reader.offset(stats, "smallAllocCount", sizeof(ClassCounts));
  u64 small_freed = reader.offset(stats, "smallFreeCount", sizeof(ClassCounts));
  for (u64 i = 0; i < kRings && !reader.failed(); ++i, at += stats->size_bytes) {
    counts.bytes += reader.read<u64>(at + large_bytes) - reader.read<u64>(at + freed_bytes);
    counts.objects += reader.read<u64>(at + large_count) - reader.read<u64>(at + freed_count);
    auto made = reader.read<ClassCounts>(at + small),
         freed = reader.read<ClassCounts>(at + small_freed);
    for (u64 c = 0; c < kClasses; ++c) {
      counts.objects += made[c] - freed[c];
      counts.bytes += (made[c] - freed[c]) * kClassBytes[c];
    }
  }
}

// Objects handed out of a cached span are counted when the span leaves the cache. A P that looks
// for its next span, and sweeps for it, still has the one it gave back and has counted: that one is
// swept (sweepgen), a cached one is ahead of the heap by 1 or 3 (runtime/mcache.go refill).
void add_cached(RuntimeReader& reader, const read::Layout& layout, RuntimeCounts& counts) {
  const DebugType* p = reader.type("runtime.p");
  const DebugType* mcache = reader.type("runtime.mcache");
  const DebugType* mspan = reader.type("runtime.mspan");
  u64 cache_at = reader.offset(p, "mcache", 8);
  u64 spans_at = reader.offset(mcache, "alloc", 2 * kClasses * 8);
  u64 before_at = reader.offset(mspan, "allocCountBeforeCache", 2);
  TargetAddr allp = reader.variable("runtime.allp");
  TargetAddr array(reader.read<u64>(allp));
  u64 count = reader.read<u64>(allp + 8);
  u32 sweepgen = reader.read<u32>(reader.variable("runtime.mheap_") + layout.mheap_sweepgen);
  if (count > kMaxPs) reader.fail();
  for (u64 i = 0; i < count && !reader.failed(); ++i) {
    TargetAddr cache(reader.read<u64>(TargetAddr(reader.read<u64>(array + i * 8)) + cache_at));
    if (!cache) continue;  // of a P that is not in use
    auto spans = reader.read<std::array<u64, 2 * kClasses>>(cache + spans_at);
    for (u64 c = 0; c < spans.size() && !reader.failed(); ++c) {
      TargetAddr span(spans[c]);
      if (reader.read<u32>(span + layout.mspan_sweepgen) == sweepgen) continue;
      u64 used = static_cast<u64>(reader.read<u16>(span + layout.mspan_alloc_count)) -
                 reader.read<u16>(span + before_at);
      counts.objects += used;
      counts.bytes += used * kClassBytes[c / 2];
    }
  }
}

}  // namespace

std::optional<RuntimeCounts> read_runtime_counts(const HeapImage& image) {
  if (image.debug == nullptr) return std::nullopt;
  RuntimeReader reader(image);
  RuntimeCounts counts;
  add_heap_stats(reader, counts);
  if (!reader.failed()) add_cached(reader, image.binary->layout(), counts);
  if (reader.failed()) return std::nullopt;
  return counts;
}

}  // namespace geist::heap
