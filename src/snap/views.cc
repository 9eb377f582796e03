// Headers are found through the types of their holders, in the order of the holders, so that their
// words can be read with few reads.
#include "snap/views.h"

#include "heap/bulk_read.h"

namespace geist::snap {

using heap::Flow;
using heap::HeapGraph;
using heap::HeapType;
using heap::ObjectId;
using heap::PointerWord;
using heap::Root;

namespace {

// Calls visit(id, k, slot, word) for the pointers of reached objects, objects ascending.
template <typename Visit>
void for_each_pointer(const HeapGraph& graph, Visit visit) {
  graph.for_each_allocated(1, u64{graph.last_scan_id()} + 1, [&](ObjectId id) {
    if (!graph.is_reached(id)) return;
    const HeapType& type = graph.types().at(graph.type(id));
    std::span<const u32> slots = graph.slots(id);
    usize words = type.words.size();
    bool repeats = type.form == heap::Form::kArray && !type.is_prefix;
    bool has_headers = type.form == heap::Form::kValue || type.form == heap::Form::kArray ||
                       type.form == heap::Form::kClosure;
    for (usize k = 0; k < slots.size(); ++k) {
      if (slots[k] == 0) continue;
      if (words == 0 || (k >= words && !repeats)) {
        visit(id, slots[k], PointerWord());
        continue;
      }
      PointerWord word = type.words[k % words];
      // Maps and channels lead to their tables without a header.
      if (!has_headers && word.flow == Flow::kSlice) word.flow = Flow::kPointer;
      word.offset += k / words * type.size_bytes;
      visit(id, slots[k], word);
    }
  });
}

class Collector {
 public:
  Collector(const HeapGraph& graph, const std::function<bool(ObjectId)>& is_wanted)
      : graph_(graph), reader_(*graph.image().memory), is_wanted_(is_wanted) {}

  Views run() {
    for_each_pointer(graph_, [&](ObjectId id, u32 slot, const PointerWord& word) {
      if (!is_header(word)) return;
      ObjectId array = HeapGraph::target(slot);
      if (!is_wanted_(array)) return;
      if (id != holder_) {
        holder_ = id;
        holder_addr_ = graph_.addr(id);
      }
      TargetAddr at = holder_addr_ + word.offset;
      ArrayView view{.holder = id, .offset = word.offset, .array = array};
      add(view, word, at, at + 8, at + 16);
    });
    for (u32 i = 0; i < graph_.roots().size(); ++i) {
      const Root& root = graph_.roots()[i];
      ObjectId array = HeapGraph::target(root.slot);
      if (!is_header(root.word) || !root.len_at || !is_wanted_(array)) continue;
      ArrayView view{.root = i, .offset = root.word.offset, .array = array};
      add(view, root.word, root.at, root.len_at, root.cap_at);
    }
    return std::move(views_);
  }

 private:
  static bool is_header(const PointerWord& word) {
    return word.flow == Flow::kString ||
           (word.flow == Flow::kSlice && word.target != heap::kUnknownType);
  }

  void add(ArrayView view, const PointerWord& word, TargetAddr at, TargetAddr len_at,
           TargetAddr cap_at) {
    const HeapType& array = graph_.types().at(word.target);
    view.is_string = word.flow == Flow::kString;
    view.elem_size = std::max<u64>(array.size_bytes, 1);
    view.elem = array.elem;
    std::optional<u64> ptr = reader_.find_word(at), len = reader_.find_word(len_at);
    std::optional<u64> cap = view.is_string ? len
                             : cap_at       ? reader_.find_word(cap_at)
                                            : std::nullopt;
    if (!cap && len) cap = len;  // the compiler dropped it: nobody will use it
    if (!ptr || !len || !cap) {
      ++views_.damaged;
      return;
    }
    view.begin = *ptr - graph_.addr(view.array).value;
    view.len = *len;
    view.cap = *cap;
    u64 size = graph_.size(view.array);
    bool fits = *len <= *cap && view.begin <= size && *cap <= (size - view.begin) / view.elem_size;
    if (!fits) {
      ++views_.damaged;
      return;
    }
    views_.by_array[view.array].push_back(view);
  }

  const HeapGraph& graph_;
  heap::AscendingReader reader_;
  const std::function<bool(ObjectId)>& is_wanted_;
  Views views_;
  ObjectId holder_ = heap::kNoObject;
  TargetAddr holder_addr_;
};

}  // namespace

Views collect_views(const HeapGraph& graph, const std::function<bool(ObjectId)>& is_wanted) {
  return Collector(graph, is_wanted).run();
}

ReferenceCounts count_references(const HeapGraph& graph) {
  ReferenceCounts counts;
  counts.all.assign(u64{graph.last_id()} + 1, 0);
  counts.slices.assign(u64{graph.last_id()} + 1, 0);
  auto count = [&](u32 slot, const PointerWord& word) {
    ObjectId id = HeapGraph::target(slot);
    if (counts.all[id] < 255) ++counts.all[id];
    if (word.flow == Flow::kSlice && counts.slices[id] < 255) ++counts.slices[id];
  };
  for (const Root& root : graph.roots()) count(root.slot, root.word);
  for_each_pointer(graph, [&](ObjectId, u32 slot, const PointerWord& word) { count(slot, word); });
  return counts;
}

}  // namespace geist::snap
