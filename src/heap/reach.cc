// ViewScanner::is_reachable: a mark over a heap that changes while we walk it, conservative where
// Go's pointer bits are not beside the objects.
//
//   roots (data, bss, stacks) ─▶ words ─▶ span, slot ─▶ mark bit ─▶ queue ─▶ its words ─▶ ...
//
// Each span of small objects is copied once, on the first object of it that is walked; a large
// object is streamed, as it is walked once only. The bytes read are bounded by max_bytes, the mark
// bits by the bytes of the heap / 64 (the smallest object has 8 bytes). The wanted objects are
// ordinary marks with a note; the walk ends when the last one was marked.
#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <unordered_map>

#include "heap/global_words.h"
#include "heap/goroutines.h"
#include "heap/span_index.h"
#include "heap/stack_roots.h"
#include "heap/views.h"

namespace geist::heap {
namespace {

constexpr u64 kChunk = u64{256} << 10;
// A stack beyond this is taken word by word.
constexpr u64 kMaxStackBytes = u64{16} << 20;
constexpr u32 kMaxFrames = 100000;
constexpr int kMaxTries = 3;
constexpr u64 kMaxMarkBits = u64{1} << 34;  // 2 GiB of bits: a heap of 128 GiB

class Marker {
 public:
  Marker(const process::Memory& memory, const read::Layout& layout, const SpanTable& table,
         std::vector<Span> spans, u64 max_bytes)
      : memory_(memory),
        layout_(layout),
        table_(table),
        spans_(std::move(spans)),
        entries_(make_entries(spans_)),
        lookup_(entries_),
        max_bytes_(max_bytes) {
    u64 bits = entries_.empty() ? 0 : entries_.back().first_bit + spans_.back().nelems;
    is_complete_ = bits <= kMaxMarkBits;
    if (!is_complete_) entries_.clear();
    if (is_complete_) marks_.resize(bits / 64 + 1);
    copies_.resize(entries_.size());
  }

  // An address that is in no allocated heap object is never found.
  void want(TargetAddr addr, usize note) {
    std::optional<u32> number = find_span(addr.value);
    if (!number) return;
    SpanEntry& entry = entries_[*number];
    u64 bit = entry.first_bit + entry.slot_of(addr.value);
    if (is_marked(bit)) return;
    entry.has_wanted = true;
    wanted_.emplace(bit, note);
    ++missing_;
  }

  // Walk all that hangs on a root: the words of a range, or these words.
  void add_root(TargetAddr begin, TargetAddr end) {
    stream(begin, end);
    drain();
  }
  void add_root(const std::vector<GlobalWord>& words) {
    for (const GlobalWord& word : words) visit(word.value);
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

  bool is_marked(u64 bit) const { return ((marks_[bit / 64] >> (bit % 64)) & 1) != 0; }
  void mark(u64 bit) { marks_[bit / 64] |= u64{1} << (bit % 64); }

  // The span of a word, its free slots out of the way.
  std::optional<u32> find_span(u64 word) {
    if (entries_.empty()) return std::nullopt;
    std::optional<u32> number = lookup_.find(word);
    if (number && !entries_[*number].is_prepared) prepare(*number);
    return number;
  }

  // A free slot counts as marked, so that one question serves both.
  void prepare(u32 number) {
    SpanEntry& entry = entries_[number];
    const Span& span = spans_[number];
    entry.is_prepared = true;
    if (span.freeindex >= span.nelems) return;
    std::optional<SpanTable::SpanBits> bits = table_.read_bits(span);
    is_complete_ &= bits.has_value();  // else the span is another one by now
    for (u64 slot = span.freeindex; slot < span.nelems; ++slot) {
      if (!bits || !bits->is_allocated(slot)) mark(entry.first_bit + slot);
    }
  }

  void visit(u64 word) {
    std::optional<u32> number = find_span(word);
    if (!number) return;
    const SpanEntry& entry = entries_[*number];
    u64 slot = entry.slot_of(word);
    u64 bit = entry.first_bit + slot;
    if (is_marked(bit)) return;
    mark(bit);
    if (entry.has_wanted) note_found(bit);
    if (!entry.noscan) queue_.push_back({*number, static_cast<u32>(slot)});
  }

  void note_found(u64 bit) {
    auto [first, last] = wanted_.equal_range(bit);
    for (auto it = first; it != last; ++it) {
      found_.push_back(it->second);
      --missing_;
    }
  }

  void drain() {
    while (!queue_.empty() && !is_done()) {
      Item item = queue_.back();
      queue_.pop_back();
      walk(item);
    }
  }

  void walk(const Item& item) {
    const SpanEntry& entry = entries_[item.span];
    if (entry.is_large) {
      return stream(TargetAddr(entry.start), TargetAddr(entry.start + entry.size_bytes));
    }
    std::unique_ptr<u64[]>& copy = copies_[item.span];
    const u64 span_bytes = spans_[item.span].end() - spans_[item.span].start;
    if (copy == nullptr) {
      if (!take(span_bytes)) return;
      copy = std::make_unique_for_overwrite<u64[]>(span_bytes / 8);
      u8* bytes = reinterpret_cast<u8*>(copy.get());
      if (!memory_.read(TargetAddr(entry.start), {bytes, span_bytes})) is_complete_ = false;
      if (!is_complete_) return;
    }
    const u64 first = u64{item.slot} * entry.elem_size / 8;
    const std::optional<u64> bits = find_heap_bits(layout_, entry.elem_size, span_bytes);
    if (!bits && layout_.has_malloc_headers)
      return walk_typed({copy.get() + first, entry.elem_size / 8});
    for (u64 i = first; i < first + entry.elem_size / 8; ++i) {
      const bool is_pointer = !bits || (copy[*bits / 8 + i / 64] >> (i % 64) & 1) != 0;
      if (is_pointer) visit(copy[i]);
    }
  }

  // An object behind a malloc header: its type says which words are pointers. The header is walked
  // too, for a type made by reflect is an object of the heap.
  void walk_typed(std::span<const u64> words) {
    visit(words[0]);
    const TypeMask& mask = mask_of(words[0]);
    for (u64 i = 1; i < words.size(); ++i) {
      const u64 at = mask.words == 0 ? 0 : (i - 1) % mask.words;
      const bool is_pointer = mask.words == 0 || (at / 8 < mask.bits.size() &&
                                                  (mask.bits[at / 8] >> (at % 8) & 1) != 0);
      if (is_pointer) visit(words[i]);
    }
  }

  // Of an element of the type. Without `words` it is not known: all may be pointers.
  struct TypeMask {
    u64 words = 0;
    std::vector<u8> bits;
  };

  // abi.Type begins with Size_, PtrBytes, Hash, TFlag (20), Align_, FieldAlign_, Kind_ (23), Equal,
  // GCData (32), the same in go1.22 to go1.27 (internal/abi/type.go). GCData is a mask but where
  // KindGCProg (until go1.23) or TFlagGCMaskOnDemand (since) says that it is none.
  const TypeMask& mask_of(u64 type) {
    constexpr u64 kTypeBytes = 40, kMaxMaskBytes = 2048;
    constexpr u8 kGcProg = 1u << 6, kMaskOnDemand = 1u << 4;
    auto [it, is_new] = masks_.try_emplace(type);
    TypeMask& mask = it->second;
    std::array<u8, kTypeBytes> header;
    if (!is_new || !memory_.read(TargetAddr(type), header)) return mask;
    const ByteView view(header);
    const u64 size = *find_int<u64>(view, 0), ptr_bytes = *find_int<u64>(view, 8);
    const bool has_mask = (header[20] & kMaskOnDemand) == 0 && (header[23] & kGcProg) == 0;
    const u64 mask_bytes = (ptr_bytes / 8 + 7) / 8;
    if (!has_mask || size == 0 || size % 8 != 0 || ptr_bytes > size || mask_bytes > kMaxMaskBytes)
      return mask;
    mask.bits.resize(mask_bytes);
    if (memory_.read(TargetAddr(*find_int<u64>(view, 32)), mask.bits)) mask.words = size / 8;
    return mask;
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

  const process::Memory& memory_;
  const read::Layout& layout_;
  const SpanTable& table_;
  std::vector<Span> spans_;  // heap spans in use, ascending, disjoint
  std::vector<SpanEntry> entries_;
  SpanLookup lookup_;
  u64 max_bytes_;
  std::vector<u64> marks_;
  std::vector<std::unique_ptr<u64[]>> copies_;  // of the small spans that were walked
  std::unordered_map<u64, TypeMask> masks_;     // by type
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

void add_running_stack(Marker& marker, const Goroutine& g, const StandingGoroutine& standing) {
  bool stands = g.g == standing.g && standing.sp >= g.stack_lo && standing.sp < g.stack_hi;
  if (stands && standing.roots != nullptr)
    marker.add_root(*standing.roots);
  else
    marker.add_root(stands ? standing.sp : g.stack_lo, g.stack_hi);
}

void add_globals(Marker& marker, const process::Memory& memory, const read::GoBinary& binary,
                 LoadBias bias) {
  for (GlobalSection section : {GlobalSection::kData, GlobalSection::kBss}) {
    std::optional<std::vector<GlobalWord>> words = read_global_words(memory, binary, bias, section);
    const TargetAddr begin = bias.to_target(begin_of(binary, section));
    if (words)
      marker.add_root(*words);
    else
      marker.add_root(begin, begin + size_of(binary, section));
  }
}

}  // namespace

std::optional<bool> ViewScanner::is_reachable(const std::vector<TargetAddr>& objects, u64 max_bytes,
                                              std::vector<bool>* out,
                                              StandingGoroutine standing) const {
  std::vector<bool> reached(objects.size());
  u64 damaged_spans = 0, damaged_gs = 0;
  std::vector<Span> spans;
  std::vector<Goroutine> goroutines;
  // A list that changed while it was read has damaged entries; it is whole at another time.
  for (int i = 0; i < kMaxTries && (i == 0 || damaged_spans != 0); ++i) {
    spans = spans_.read_all(&damaged_spans);
  }
  for (int i = 0; i < kMaxTries && (i == 0 || damaged_gs != 0); ++i) {
    goroutines = read_goroutines(*memory_, binary_->layout(), symbols_, bias_, &damaged_gs);
  }
  std::erase_if(spans, [](const Span& span) { return !span.is_heap(); });

  const read::ModuleData& module = binary_->module();
  TargetAddr globals_begin = bias_.to_target(module.noptrdata);
  TargetAddr globals_end = bias_.to_target(module.enoptrbss);
  Marker marker(*memory_, binary_->layout(), spans_, std::move(spans), max_bytes);
  for (usize i = 0; i < objects.size(); ++i) {
    TargetAddr addr = objects[i];
    reached[i] = addr >= globals_begin && addr < globals_end;
    for (const Goroutine& g : goroutines) reached[i] = reached[i] || is_on_stack(g, addr);
    if (!reached[i]) marker.want(addr, i);
  }
  // What is asked for mostly hangs on the stack of who stands, and nearly all of the heap on
  // globals: the walk ends sooner in this order.
  std::stable_partition(goroutines.begin(), goroutines.end(),
                        [&](const Goroutine& g) { return g.g == standing.g; });
  for (const Goroutine& g : goroutines) {
    if (marker.is_done()) break;
    std::optional<ParkedStack> stack =
        unwind_parked(*memory_, *binary_, bias_, g, kMaxStackBytes, kMaxFrames);
    if (stack)
      marker.add_root(find_stack_roots(*memory_, *binary_, g, *stack));
    else
      add_running_stack(marker, g, standing);
  }
  if (!marker.is_done()) add_globals(marker, *memory_, *binary_, bias_);
  for (usize i : marker.found()) reached[i] = true;
  bool are_all = std::find(reached.begin(), reached.end(), false) == reached.end();
  if (out != nullptr) *out = reached;
  if (are_all) return true;
  if (!marker.is_complete() || damaged_spans != 0 || damaged_gs != 0) return std::nullopt;
  return false;
}

}  // namespace geist::heap
