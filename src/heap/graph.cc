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

Result<std::unique_ptr<HeapGraph>> HeapGraph::make(const HeapImage& image, u32 threads) {
  std::unique_ptr<HeapGraph> graph(new HeapGraph(image));
  GEIST_TRY_STATUS(graph->read_spans());
  GraphScan scan(*graph);
  GEIST_TRY_STATUS(scan.run(std::max(threads, 1u)));
  GraphRoots(*graph, scan).run();
  TypeFlow(*graph).run();
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

  entries_ = make_entries(spans_);
  for (usize i = 0; i < entries_.size(); ++i) {
    entries_[i].first_bit = first_ids_[i];
    entries_[i].header_bytes = has_malloc_header(image_.binary->layout(), spans_[i]) ? 8 : 0;
  }
  std::ranges::sort(entries_, {}, &SpanEntry::start);
  lookup_.emplace(entries_);
  allocated_.resize(last_id_ / 64 + 1);
  states_.resize(u64{last_id_} + 1);
  read_allocated();
  return Done{};
}

void HeapGraph::read_allocated() {
  u32 sweepgen = table_->sweepgen().value_or(0);
  for (u32 s = 0; s < spans_.size(); ++s) {
    const Span& span = spans_[s];
    bool has_inline_marks = image_.binary->layout().has_inline_mark_bits && span.size_class != 0 &&
                            span.elem_size >= 16 && span.elem_size <= 512;
    u64 from = 0, marked = 0;
    TargetAddr bits = has_inline_marks ? span.end() - kInlineMarks : span.gcmark_bits;
    bool is_waiting = is_unswept(span, sweepgen);
    if (!is_waiting) {
      bits = span.alloc_bits;
      from = span.freeindex;
      marked = set_allocated(s, 0, from);
    }
    std::array<u8, kBitsBytes> bytes{};
    u64 size = std::min<u64>((span.nelems + 7) / 8, bytes.size());
    bool is_read = from == span.nelems || image_.memory->read(bits, {bytes.data(), size});
    if (!is_read) stats_.bytes_unreadable += size;
    for (u64 i = from; is_read && i < std::min(span.nelems, size * 8); ++i) {
      if ((bytes[i / 8] >> (i % 8) & 1) != 0) marked += set_allocated(s, i, i + 1);
    }
    // What died in a span that waits is allocated until it is swept.
    u64 allocated =
        is_waiting ? std::max<u64>(marked, std::min(u64{span.alloc_count}, span.nelems)) : marked;
    stats_.allocated_objects += allocated;
    stats_.allocated_bytes += allocated * span.elem_size;
  }
}

u64 HeapGraph::set_allocated(usize span, u64 from, u64 to) {
  for (u64 i = from; i < to; ++i) {
    u64 id = first_ids_[span] + i;
    allocated_[id / 64] |= u64{1} << (id % 64);
  }
  return to - from;
}

usize HeapGraph::span_number(ObjectId id) const {
  GEIST_CHECK(id != kNoObject && id <= last_id_);
  auto behind = std::ranges::upper_bound(first_ids_, id);
  return static_cast<usize>(behind - first_ids_.begin()) - 1;
}

const Span& HeapGraph::span_of(ObjectId id) const {
  return spans_[span_number(id)];
}

TargetAddr HeapGraph::addr(ObjectId id) const {
  usize s = span_number(id);
  return table_->object_in_slot(spans_[s], id - first_ids_[s]).user;
}

u64 HeapGraph::size(ObjectId id) const {
  usize s = span_number(id);
  return table_->object_in_slot(spans_[s], id - first_ids_[s]).size_bytes;
}

u64 HeapGraph::slot_size(ObjectId id) const {
  return span_of(id).elem_size;
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
