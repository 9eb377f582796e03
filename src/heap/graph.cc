// Numbers, addresses and bits: the part of the graph that follows from the span table alone.
//
// What is allocated, by a span's sweepgen (runtime/mheap.go at mspan.sweepgen): a span that waits
// to be swept has its new bits in gcmarkBits already, and nothing is allocated from it until then;
// all others have allocBits below which freeindex counts. Green Tea keeps the marks of small
// objects in the span itself until it is swept (runtime/mgcmark_greenteagc.go spanInlineMarkBits).
#include "heap/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/parallel.h"
#include "heap/bulk_read.h"
#include "heap/flow.h"
#include "heap/graph_roots.h"
#include "heap/graph_scan.h"
#include "heap/runtime_counts.h"

namespace geist::heap {
namespace {

constexpr u64 kMaxObjects = (u64{1} << 31) - 64;
// runtime/mgcmark_greenteagc.go: scans[63], owned, marks[63], class, at the end of the page.
constexpr u64 kInlineMarks = 64;
constexpr u64 kBitsBytes = 128;  // of the span with the most objects, 1024
constexpr u64 kPage = 8192;
constexpr std::array<u32, 68> kClassBytes = {
#define GEIST_SIZE_CLASS(bytes, pages) bytes,
#include "heap/size_classes.inc"
#undef GEIST_SIZE_CLASS
};

bool is_unswept(const Span& span, u32 sweepgen) {
  return span.sweepgen == sweepgen - 2 || span.sweepgen == sweepgen + 1;
}

bool has_malloc_header(const read::Layout& layout, const Span& span) {
  return layout.has_malloc_headers && !span.noscan && span.size_class != 0 && span.elem_size > 512;
}

}  // namespace

HeapGraph::HeapGraph(const HeapImage& image)
    : image_(image),
      types_(std::make_unique<HeapTypes>(*image.binary, image.debug)),
      table_(std::make_unique<SpanTable>(*image.memory, image.binary->layout(),
                                         image.bias.to_target(image.symbols.mheap))) {}

Result<std::unique_ptr<HeapGraph>> HeapGraph::make(const HeapImage& image, u32 threads,
                                                   const Beside& beside) {
  std::unique_ptr<HeapGraph> graph(new HeapGraph(image));
  GEIST_TRY_STATUS(graph->read_spans());
  GraphScan scan(*graph);
  GEIST_TRY_STATUS(scan.run(std::max(threads, 1u)));
  GraphRoots(*graph, scan).run();
  for_each_part(beside ? 2 : 1, threads, [&](usize part) {
    if (part == 0)
      TypeFlow(*graph).run();
    else
      beside(*graph);
  });
  graph->count();
  return graph;
}

Status HeapGraph::read_spans() {
  std::vector<Span> spans = table_->read_all(&stats_.spans_damaged);
  std::erase_if(spans, [](const Span& span) { return !span.is_heap(); });
  if (spans.empty()) {
    return Error("the table of the heap's spans cannot be read: no span of it holds together");
  }
  std::ranges::stable_partition(spans, [](const Span& span) { return !span.noscan; });
  spans_ = std::move(spans);
  stats_.spans = spans_.size();
  u64 next = 1;
  for (const Span& span : spans_) {
    first_ids_.push_back(static_cast<u32>(next));
    next += span.nelems;
    if (next > kMaxObjects) {
      return Error(fmt::format("the heap has room for more than {} objects", kMaxObjects));
    }
    if (!span.noscan) last_scan_id_ = static_cast<u32>(next - 1);
  }
  last_id_ = static_cast<u32>(next - 1);

  make_lookups();
  allocated_.resize(last_id_ / 64 + 2);
  states_.resize(u64{last_id_} + 1);
  read_allocated();
  return Done{};
}

void HeapGraph::make_lookups() {
  entries_ = make_entries(spans_);
  for (usize i = 0; i < entries_.size(); ++i) {
    entries_[i].first_bit = first_ids_[i];
    entries_[i].header_bytes = has_malloc_header(image_.binary->layout(), spans_[i]) ? 8 : 0;
    shapes_.push_back(make_shape(spans_[i]));
    while (id_blocks_.size() * kIdBlock < first_ids_[i] + spans_[i].nelems) {
      id_blocks_.push_back(static_cast<u32>(i));
    }
  }
  std::ranges::sort(entries_, {}, &SpanEntry::start);
  lookup_.emplace(entries_);
}

SlotShape HeapGraph::make_shape(const Span& span) const {
  Object first = table_->object_in_slot(span, 0);
  bool is_large = span.size_class == 0;
  u64 header = first.user - first.base;
  u64 below = is_large ? span.elem_size - std::min(span.elem_size, kPage)
                       : kClassBytes[span.size_class - 1u];
  return {.first_user = first.user.value,
          .slot_bytes = span.elem_size,
          .user_bytes = first.size_bytes,
          .smallest = below < header ? 1 : below - header + 1,
          .noscan = span.noscan,
          .is_tiny_class = span.noscan && span.elem_size == 16};
}

void HeapGraph::read_allocated() {
  u32 sweepgen = table_->sweepgen().value_or(0);
  struct Bits {
    TargetAddr at;
    u32 span = 0;
    u64 from = 0;
    bool are_inline = false;
  };
  std::vector<Bits> wanted;
  for (u32 s = 0; s < spans_.size(); ++s) {
    const Span& span = spans_[s];
    bool has_inline_marks = image_.binary->layout().has_inline_mark_bits && span.size_class != 0 &&
                            span.elem_size >= 16 && span.elem_size <= 512;
    if (!is_unswept(span, sweepgen)) {
      wanted.push_back({.at = span.alloc_bits, .span = s, .from = span.freeindex});
    } else if (has_inline_marks) {
      wanted.push_back({.at = span.end() - kInlineMarks, .span = s, .are_inline = true});
    } else {
      wanted.push_back({.at = span.gcmark_bits, .span = s});
    }
  }
  // The runtime keeps bits in blocks (runtime/mheap.go gcBitsArena), those of neighbours anywhere.
  std::ranges::sort(wanted, {}, &Bits::at);
  AscendingReader reader(*image_.memory);
  for (const Bits& one : wanted) {
    const Span& span = spans_[one.span];
    std::array<u8, kBitsBytes> bytes{};
    std::span<u8> bits(bytes.data(), std::min<u64>((span.nelems + 7) / 8, bytes.size()));
    bool is_read = one.from == span.nelems ||
                   (one.are_inline ? image_.memory->read(one.at, bits) : reader.read(one.at, bits));
    if (!is_read) {
      stats_.bytes_unreadable += bits.size();
      std::ranges::fill(bits, 0);
    }
    u64 marked = set_allocated(one.span, one.from, bits);
    // What died in a span that waits is allocated until it is swept.
    u64 allocated = is_unswept(span, sweepgen)
                        ? std::max(marked, std::min(u64{span.alloc_count}, span.nelems))
                        : marked;
    stats_.allocated_objects += allocated;
    stats_.allocated_bytes += allocated * span.elem_size;
  }
}

u64 HeapGraph::set_allocated(usize span, u64 from, ByteView bits) {
  const u64 count = spans_[span].nelems;
  u64 set = 0;
  for (u64 i = 0; i < count; i += 64) {
    u64 word = 0;
    if (i / 8 < bits.size()) {
      std::memcpy(&word, bits.data() + i / 8, std::min<u64>(8, bits.size() - i / 8));
    }
    if (from > i) word |= from - i >= 64 ? ~u64{0} : (u64{1} << (from - i)) - 1;
    if (count - i < 64) word &= (u64{1} << (count - i)) - 1;
    u64 bit = first_ids_[span] + i;
    allocated_[bit / 64] |= word << (bit % 64);
    if (bit % 64 != 0) allocated_[bit / 64 + 1] |= word >> (64 - bit % 64);
    set += static_cast<u64>(std::popcount(word));
  }
  return set;
}

usize HeapGraph::span_number(ObjectId id) const {
  GEIST_CHECK(id != kNoObject && id <= last_id_);
  // Large objects are a span each, so there may be many in a block.
  auto first = first_ids_.begin() + id_blocks_[id / kIdBlock];
  auto last = id / kIdBlock + 1 < id_blocks_.size()
                  ? first_ids_.begin() + id_blocks_[id / kIdBlock + 1] + 1
                  : first_ids_.end();
  return static_cast<usize>(std::upper_bound(first, last, id) - first_ids_.begin()) - 1;
}

TargetAddr HeapGraph::addr(ObjectId id) const {
  usize s = span_number(id);
  return TargetAddr(shapes_[s].first_user + (id - first_ids_[s]) * shapes_[s].slot_bytes);
}

u32 HeapGraph::find_slot(u64 word) const {
  std::optional<u32> number = lookup_->find(word);
  if (!number) return 0;
  const SpanEntry& entry = entries_[*number];
  u64 index = entry.slot_of(word);
  u32 id = static_cast<u32>(entry.first_bit + index);
  if (!is_allocated(id)) return 0;
  u64 base = entry.start + index * entry.elem_size + entry.header_bytes;
  return id << 1 | (word != base ? 1 : 0);
}

ObjectId HeapGraph::find_object(TargetAddr addr) const {
  return target(find_slot(addr.value));
}

u64 HeapGraph::value_count(ObjectId id) const {
  const HeapType& type = types_->at(this->type(id));
  if (type.form != Form::kArray || type.size_bytes == 0) return 1;
  return size(id) / type.size_bytes;
}

std::optional<u64> HeapGraph::find_slot_offset(ObjectId id, u64 k) const {
  const HeapType& type = types_->at(this->type(id));
  if (type.words.empty()) return std::nullopt;
  if (k < type.words.size()) return type.words[k].offset;
  if (type.form != Form::kArray || type.is_prefix) return std::nullopt;
  return k / type.words.size() * type.size_bytes + type.words[k % type.words.size()].offset;
}

PointerWord HeapGraph::find_slot_word(ObjectId id, u64 k) const {
  const HeapType& type = types_->at(this->type(id));
  std::optional<u64> offset = find_slot_offset(id, k);
  if (!offset) return {};
  PointerWord word = type.words[k % type.words.size()];
  word.offset = *offset;
  return word;
}

std::string HeapGraph::type_name(ObjectId id) const {
  return types_->name(type(id));
}

void HeapGraph::count() {
  stats_.runtime = read_runtime_counts(image_);
  for_each_reached([&](ObjectId id, u64 bytes) {
    ++stats_.reached_objects;
    stats_.reached_bytes += bytes;
    if (type(id) != kUnknownType) stats_.typed_bytes += bytes;
  });
}

}  // namespace geist::heap
