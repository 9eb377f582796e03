// See graph_scan.h. Each worker takes a run of spans, so its slots are a run of all slots; what the
// workers share are the states of objects, which they change atomically.
#include "heap/graph_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/parallel.h"
#include "heap/flow.h"

namespace geist::heap {
namespace {

constexpr u64 kWindow = u64{256} << 10;
constexpr u64 kArenaBytes = u64{64} << 20;
constexpr u64 kMaxItabs = u64{1} << 20;
constexpr usize kPart = usize{1} << 18;

// A list of slots that grows without copying, and gives its memory back piece by piece.
class SlotList {
 public:
  void push(u32 slot) {
    if (parts_.empty() || parts_.back().size() == kPart) {
      parts_.emplace_back();
      if (parts_.size() > 1) parts_.back().reserve(kPart);  // the first may be all of a small heap
    }
    parts_.back().push_back(slot);
  }
  u64 size() const {
    return parts_.empty() ? 0 : (parts_.size() - 1) * kPart + parts_.back().size();
  }
  void move_to(std::vector<u32>& out) {
    for (std::vector<u32>& part : parts_) {
      out.insert(out.end(), part.begin(), part.end());
      std::vector<u32>().swap(part);
    }
  }

 private:
  std::vector<std::vector<u32>> parts_;
};

}  // namespace

// Scans spans [first, behind), all with pointers.
class GraphScan::Worker {
 public:
  Worker(const GraphScan& scan, usize first, usize behind)
      : scan_(scan), graph_(scan.graph_), first_(first), behind_(behind) {}

  void run() {
    for (usize s = first_; s < behind_; ++s) {
      const Span& span = graph_.spans_[s];
      if (span.size_class == 0) {
        scan_large(s);
      } else if (ByteView bytes = find_bytes(s); !bytes.empty()) {
        scan_small(s, bytes);
      } else {
        bytes_unreadable += span.end() - span.start;
      }
    }
  }

  SlotList slots;
  u64 bytes_unreadable = 0;
  u64 types_unreadable = 0;

 private:
  // The bytes of a small span, read together with those of its neighbours.
  ByteView find_bytes(usize s) {
    const Span& span = graph_.spans_[s];
    u64 size = span.end() - span.start;
    if (span.start < window_begin_ ||
        span.start.value + size > window_begin_.value + window_size_) {
      u64 wanted = size;
      for (usize next = s + 1; next < behind_; ++next) {
        const Span& neighbour = graph_.spans_[next];
        u64 end = neighbour.end().value - span.start.value;
        if (neighbour.size_class == 0 || end > kWindow) break;
        if (neighbour.start.value - graph_.spans_[next - 1].end().value > 4096) break;
        wanted = end;
      }
      if (window_.size() < wanted) window_.resize(wanted);
      window_begin_ = span.start;
      window_size_ = graph_.image_.memory->read_some(span.start, {window_.data(), wanted});
      if (window_size_ < size) return {};
    }
    return ByteView(window_).subspan(span.start - window_begin_, size);
  }

  void scan_small(usize s, ByteView bytes) {
    const Span& span = graph_.spans_[s];
    const read::Layout& layout = graph_.image_.binary->layout();
    const std::optional<u64> heap_bits = find_heap_bits(layout, span.elem_size, bytes.size());
    if (!layout.has_malloc_headers) {
      load_arena_bits(span.start, bytes.size());
    } else if (heap_bits) {
      ByteView bits = bytes.subspan(*heap_bits, kHeapBitsBytes);
      bits_.assign(bytes.size() / 512 + 1, 0);
      std::memcpy(bits_.data(), bits.data(), bits.size());
    }
    const u64 first = graph_.first_ids_[s];
    graph_.for_each_allocated(first, first + span.nelems, [&](ObjectId id) {
      u64 i = id - first;
      ByteView object = bytes.subspan(i * span.elem_size, span.elem_size);
      u64 before = slots.size();
      if (!layout.has_malloc_headers) {
        scan_arena_object(object, i * span.elem_size / 8, id);
      } else if (heap_bits) {
        scan_bits(object, i * span.elem_size / 8, id);
      } else {
        scan_header_object(object, id);
      }
      graph_.slot_begin_[id] = static_cast<u32>(slots.size() - before);
    });
  }

  u64 word_at(ByteView bytes, u64 word) const {
    u64 value;
    std::memcpy(&value, bytes.data() + word * 8, 8);
    return value;
  }

  void emit(u64 value) { slots.push(value == 0 ? 0 : graph_.find_slot(value)); }

  bool bit_at(u64 word) const { return (bits_[word / 64] >> (word % 64) & 1) != 0; }

  // bits_ of the object from `first` on say which of its words are pointers.
  void scan_bits(ByteView object, u64 first, ObjectId id) {
    u64 words = object.size() / 8;
    if (words > 0 && !bit_at(first)) note_closure(id, word_at(object, 0));
    for (u64 done = 0; done < words;) {
      u64 at = first + done;
      u64 count = std::min<u64>(64 - at % 64, words - done);
      u64 mask = bits_[at / 64] >> (at % 64);
      if (count < 64) mask &= (u64{1} << count) - 1;
      for (; mask != 0; mask &= mask - 1) {
        u64 word = done + static_cast<u64>(std::countr_zero(mask));
        u64 value = word_at(object, word);
        emit(value);
        if (value != 0 && word > 0 && !bit_at(first + word - 1)) {
          note_interface(word_at(object, word - 1), value);
        }
      }
      done += count;
    }
  }

  // go1.21: the bits behind a bitmap word with noMorePtrs set are not the object's.
  void scan_arena_object(ByteView object, u64 first, ObjectId id) {
    u64 words = object.size() / 8;
    u64 end = words;
    for (u64 at = first / 64; at * 64 < first + words; ++at) {
      if (no_more_[at] == 0) continue;
      end = std::min(end, (at + 1) * 64 - first);
      break;
    }
    scan_bits(object.first(end * 8), first, id);
  }

  // bits_ and no_more_ of a run of pages (runtime/mheap.go heapArena.bitmap).
  void load_arena_bits(TargetAddr begin, u64 size) {
    size = (size + 511) & ~u64{511};  // whole words of the bitmap
    const read::Layout& layout = graph_.image_.binary->layout();
    bits_.assign(size / 512 + 1, 0);
    no_more_.assign(size / 512 + 1, 0);
    for (u64 done = 0; done < size;) {
      TargetAddr at = begin + done;
      u64 in_arena = at.value % kArenaBytes;
      u64 part = std::min(size - done, kArenaBytes - in_arena);
      std::optional<TargetAddr> arena = graph_.table_->find_arena(at);
      std::vector<u8> no_more((part / 512 + 7) / 8 + 1);
      u64 first = in_arena / 512;
      bool is_read =
          arena &&
          read(*arena + first * 8, {reinterpret_cast<u8*>(&bits_[done / 512]), part / 64}) &&
          read(*arena + layout.heap_arena_no_more_ptrs + first / 8, no_more);
      if (!is_read) {
        bytes_unreadable += part;
      } else {
        for (u64 i = 0; i < part / 512; ++i) {
          u64 bit = first % 8 + i;
          no_more_[done / 512 + i] = no_more[bit / 8] >> (bit % 8) & 1;
        }
      }
      done += part;
    }
  }

  bool read(TargetAddr at, std::span<u8> out) const { return graph_.image_.memory->read(at, out); }

  TypeId type_of_header(u64 word) {
    auto [it, is_new] = header_types_.try_emplace(word, kUnknownType);
    if (is_new) {
      ImageAddr addr = graph_.image_.bias.to_image(TargetAddr(word));
      it->second = graph_.types_->of_runtime_type(addr);
    }
    return it->second;
  }

  // The object is of this type, once or several times.
  void note_header(ObjectId id, const HeapType& type, TypeId id_of_type, u64 user_bytes) {
    bool is_array = user_bytes >= 2 * type.size_bytes;
    TypeId seen = is_array ? graph_.types_->array_of(id_of_type) : id_of_type;
    TypeFlow::propose(graph_, id, {seen, Rank::kHeader});
  }

  // The pointer words of a row of values of the type, of which bytes[overlap...] is the part from
  // byte `from` on. The overlap belongs to the part before it.
  void scan_typed(const HeapType& type, ByteView bytes, u64 from, u64 overlap) {
    if (type.words.empty() || type.size_bytes == 0) return;
    u64 begin = from - overlap;
    u64 end = begin + bytes.size();
    for (u64 value = from / type.size_bytes * type.size_bytes; value < end;
         value += type.size_bytes) {
      for (const PointerWord& word : type.words) {
        u64 at = value + word.offset;
        if (at < from) continue;
        if (at + 8 > end) return;
        u64 pointer = word_at(bytes, (at - begin) / 8);
        emit(pointer);
        if (word.flow == Flow::kInterface && pointer != 0) {
          note_interface(word_at(bytes, (at - begin) / 8 - 1), pointer);
        }
      }
    }
  }

  // A type that cannot be read (made by reflect, or damaged): every word may be a pointer.
  void scan_all(ByteView bytes) {
    ++types_unreadable;
    for (u64 word = 0; word < bytes.size() / 8; ++word) emit(word_at(bytes, word));
  }

  void scan_header_object(ByteView object, ObjectId id) {
    u64 header = word_at(object, 0);
    ByteView user = object.subspan(8);
    TypeId type = header == 0 ? kUnknownType : type_of_header(header);
    if (header == 0) return;  // not yet initialised
    if (type == kUnknownType) return scan_all(user);
    const HeapType& known = graph_.types_->at(type);
    if (known.is_prefix) return scan_all(user);
    note_header(id, known, type, user.size());
    scan_typed(known, user.first(whole_values(known, user.size())), 0, 0);
  }

  // Bytes of whole values in so many bytes: what is behind them is rounding.
  static u64 whole_values(const HeapType& type, u64 size_bytes) {
    return type.size_bytes == 0 ? 0 : size_bytes / type.size_bytes * type.size_bytes;
  }

  void scan_large(usize s) {
    const Span& span = graph_.spans_[s];
    ObjectId id = graph_.first_ids_[s];
    if (!graph_.is_allocated(id)) return;
    u64 before = slots.size();
    bool has_type = graph_.image_.binary->layout().has_malloc_headers;
    TypeId type =
        has_type && span.large_type ? type_of_header(span.large_type.value) : kUnknownType;
    const HeapType& known = graph_.types_->at(type);
    bool is_known = type != kUnknownType && !known.is_prefix;
    u64 size = std::min(span.elem_size, span.limit - span.start) & ~u64{7};
    if (is_known) {
      note_header(id, known, type, size);
      size = whole_values(known, size);
    }
    if (has_type && !span.large_type) size = 0;  // not yet initialised
    // One word of overlap, for the first word of an interface on the border.
    std::vector<u8> chunk(std::min(size, kWindow) + 8);
    bool is_over = false;
    for (u64 done = 0; done < size && !is_over; done += kWindow) {
      u64 part = std::min(kWindow, size - done);
      u64 overlap = done == 0 ? 0 : 8;
      std::span<u8> wanted(chunk.data(), part + overlap);
      if (!read(span.start + done - overlap, wanted)) {
        bytes_unreadable += size - done;
        break;
      }
      if (is_known) {
        scan_typed(known, wanted, done, overlap);
      } else if (has_type) {
        scan_all(ByteView(wanted).subspan(overlap));
      } else {
        load_arena_bits(span.start + done, part);
        scan_arena_object(ByteView(wanted).subspan(overlap), 0, id);
        is_over = std::ranges::find(no_more_, 1) != no_more_.end();
      }
    }
    graph_.slot_begin_[id] = static_cast<u32>(slots.size() - before);
  }

  void note_closure(ObjectId id, u64 code) {
    if (code < scan_.text_begin_ || code >= scan_.text_end_) return;
    auto [it, is_new] = closures_.try_emplace(code, kUnknownType);
    if (is_new) {
      it->second = graph_.types_->closure_of(graph_.image_.bias.to_image(TargetAddr(code)));
    }
    TypeFlow::propose(graph_, id, {it->second, Rank::kHint});
  }

  void note_interface(u64 first_word, u64 data) {
    if (!scan_.may_be_type(first_word)) return;
    auto [it, is_new] = boxes_.try_emplace(first_word);
    if (is_new) it->second = graph_.types_->boxed(scan_.find_dynamic_type(first_word));
    if (it->second.target == kUnknownType) return;
    u32 slot = graph_.find_slot(data);
    if (slot == 0) return;
    Evidence evidence = TypeFlow::judge(graph_, slot, it->second, false);
    if (evidence.rank > Rank::kHint) evidence.rank = Rank::kHint;
    TypeFlow::propose(graph_, HeapGraph::target(slot), evidence);
  }

  const GraphScan& scan_;
  HeapGraph& graph_;
  usize first_, behind_;
  std::vector<u8> window_;
  TargetAddr window_begin_;
  u64 window_size_ = 0;
  std::vector<u64> bits_;
  std::vector<u8> no_more_;
  std::unordered_map<u64, TypeId> header_types_, closures_;
  std::unordered_map<u64, PointerWord> boxes_;
};

GraphScan::GraphScan(HeapGraph& graph) : graph_(graph) {
  const read::ModuleData& module = graph.image_.binary->module();
  LoadBias bias = graph.image_.bias;
  types_begin_ = bias.to_target(module.types).value;
  types_end_ = bias.to_target(module.etypes).value;
  text_begin_ = bias.to_target(module.text).value;
  text_end_ = bias.to_target(module.etext).value;
  read_itabs();
}

// runtime/iface.go itabTable: a hash table of all itabs, those of the binary and those made since:
// size, count, entries.
void GraphScan::read_itabs() {
  const HeapImage& image = graph_.image_;
  std::optional<read::Symbol> symbol = image.binary->image().find_symbol("runtime.itabTable");
  if (!symbol) return;
  std::optional<u64> table = image.memory->find<u64>(image.bias.to_target(symbol->addr));
  if (!table) return;
  u64 size = image.memory->find<u64>(TargetAddr(*table)).value_or(0);
  if (size > kMaxItabs) return;
  for (u64 i = 0; i < size; ++i) {
    std::optional<u64> itab = image.memory->find<u64>(TargetAddr(*table + 16 + i * 8));
    if (!itab) return;
    if (*itab == 0) continue;
    std::optional<u64> type = image.memory->find<u64>(TargetAddr(*itab + 8));
    if (!type) continue;
    itabs_.emplace_back(*itab,
                        graph_.types_->of_runtime_type(image.bias.to_image(TargetAddr(*type))));
  }
  std::ranges::sort(itabs_);
}

bool GraphScan::may_be_type(u64 word) const {
  if (word % 8 != 0) return false;
  bool is_type = word >= types_begin_ && word < types_end_;
  return is_type ||
         (!itabs_.empty() && word >= itabs_.front().first && word <= itabs_.back().first);
}

TypeId GraphScan::find_dynamic_type(u64 word) const {
  auto it = std::ranges::lower_bound(itabs_, word, {}, &std::pair<u64, TypeId>::first);
  if (it != itabs_.end() && it->first == word) return it->second;
  if (word < types_begin_ || word >= types_end_) return kUnknownType;
  return graph_.types_->of_runtime_type(graph_.image_.bias.to_image(TargetAddr(word)));
}

Status GraphScan::run(u32 threads) {
  usize scan_spans = 0;
  u64 bytes = 0;
  for (const Span& span : graph_.spans_) {
    if (span.noscan) break;
    ++scan_spans;
    bytes += span.end() - span.start;
  }
  graph_.slot_begin_.assign(u64{graph_.last_scan_id_} + 2, 0);
  std::vector<Worker> workers;
  u64 taken = 0;
  for (usize s = 0, first = 0; s < scan_spans; ++s) {
    taken += graph_.spans_[s].end() - graph_.spans_[s].start;
    if (taken * threads < bytes * (workers.size() + 1) && s + 1 < scan_spans) continue;
    workers.emplace_back(*this, first, s + 1);
    first = s + 1;
  }
  for_each_part(workers.size(), threads, [&](usize i) { workers[i].run(); });

  u64 total = 0;
  for (const Worker& worker : workers) {
    total += worker.slots.size();
    graph_.stats_.bytes_unreadable += worker.bytes_unreadable;
    graph_.stats_.types_unreadable += worker.types_unreadable;
  }
  if (total > 0xffffffff)
    return Error(fmt::format("the heap has {} pointer words, more than 32 bits count", total));
  graph_.slots_.reserve(total);
  for (Worker& worker : workers) worker.slots.move_to(graph_.slots_);
  u32 next = 0;
  for (u32& begin : graph_.slot_begin_) next += std::exchange(begin, next);
  return Done{};
}

}  // namespace geist::heap
