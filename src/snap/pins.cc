// Memory that is kept although nothing can get at it any more: an array is kept whole by a view of
// any part, and the pointers in the rest keep what they point to.
//
//   array    [ x x x x x x . . ]      x: not nil
//   view             [ . . ]          s = s[1:] without clearing: four slots are stale
//
// Only arrays all of whose pointers are slices or strings are judged; a pointer to an element or
// into the array from code we do not understand may lead anywhere in it. Of what stale slots point
// to, only what the array alone keeps is counted.
#include <algorithm>
#include <map>

#include "snap/answers.h"
#include "snap/views.h"

namespace geist::snap {

using heap::Form;
using heap::HeapField;
using heap::HeapGraph;
using heap::HeapType;
using heap::kNoObject;
using heap::ObjectId;
using read::Kind;

namespace {

struct Interval {
  u64 begin, end;
};

// Disjoint, ascending.
std::vector<Interval> cover(const std::vector<ArrayView>& views) {
  std::vector<Interval> intervals;
  for (const ArrayView& view : views) {
    if (view.end() > view.begin) intervals.push_back({view.begin, view.end()});
  }
  std::ranges::sort(intervals, {}, &Interval::begin);
  std::vector<Interval> joined;
  for (const Interval& one : intervals) {
    if (!joined.empty() && one.begin <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, one.end);
    } else {
      joined.push_back(one);
    }
  }
  return joined;
}

// Integer fields beside a slice that say how many of its elements count: a field of -1 says that no
// element is meant, one called a count says how many.
struct RingState {
  bool is_ring = false;
  u64 live = 0;
};

class PinFinder {
 public:
  PinFinder(const Snapshot& snapshot, u64 min_bytes, u32 share_percent)
      : snapshot_(snapshot),
        graph_(snapshot.graph),
        min_bytes_(min_bytes),
        share_percent_(share_percent) {}

  std::vector<PinRow> run() {
    ReferenceCounts counts = count_references(graph_);
    Views views = collect_views(graph_, [&](ObjectId id) {
      return graph_.slot_size(id) >= min_bytes_ || snapshot_.dominators.retained(id) >= min_bytes_;
    });
    for (const auto& [array, list] : views.by_array) {
      if (list.size() != counts.all[array] && counts.all[array] < 255) continue;
      judge(array, list);
    }
    std::ranges::sort(rows_, [](const PinRow& a, const PinRow& b) {
      bool a_last = a.kind == PinRow::Kind::kSpare, b_last = b.kind == PinRow::Kind::kSpare;
      if (a_last != b_last) return b_last;
      return a.held != b.held ? a.held > b.held : a.addr < b.addr;
    });
    return std::move(rows_);
  }

 private:
  void judge(ObjectId array, const std::vector<ArrayView>& views) {
    std::vector<Interval> covered = cover(views);
    PinRow row{.addr = graph_.addr(array), .type = graph_.type_name(array)};
    row.bytes = graph_.slot_size(array);
    row.views = views.size();
    for (const Interval& one : covered) row.covered += one.end - one.begin;
    u64 first = covered.empty() ? views.front().begin : covered.front().begin;
    bool is_before = count_stale(array, covered, first, row);
    if (row.stale_slots > 0) {
      row.kind = is_before ? PinRow::Kind::kPopped : PinRow::Kind::kBehind;
    } else if (row.covered * 100 < row.bytes * share_percent_ && !is_empty_buffer(views)) {
      row.kind = views.front().is_string ? PinRow::Kind::kSubstring
                 : has_room(views, row)  ? PinRow::Kind::kSpare
                                         : PinRow::Kind::kPart;
      row.held = row.bytes - row.covered;
    } else {
      judge_ring(array, views, row);
    }
    if (row.held < min_bytes_) return;
    row.path = path_of(views.front());
    rows_.push_back(std::move(row));
  }

  // Slices of length 0 at the begin: an empty buffer that will be filled again.
  static bool is_empty_buffer(const std::vector<ArrayView>& views) {
    return std::ranges::all_of(
        views, [](const ArrayView& view) { return view.len == 0 && view.begin == 0; });
  }

  // A view from the array's begin may grow over all of it.
  bool has_room(const std::vector<ArrayView>& views, const PinRow& row) const {
    return std::ranges::any_of(views, [&](const ArrayView& view) {
      return view.begin == 0 && !view.is_string &&
             view.cap_end() * 100 >= row.bytes * share_percent_;
    });
  }

  // Pointers outside of the covered bytes; true when most of them are in front of it.
  bool count_stale(ObjectId array, const std::vector<Interval>& covered, u64 first, PinRow& row) {
    std::span<const u32> slots = graph_.slots(array);
    u64 before = 0;
    for (usize k = 0; k < slots.size(); ++k) {
      std::optional<u64> offset = slots[k] == 0 ? std::nullopt : graph_.find_slot_offset(array, k);
      if (!offset) continue;
      bool is_covered = std::ranges::any_of(
          covered, [&](const Interval& one) { return *offset >= one.begin && *offset < one.end; });
      if (is_covered) continue;
      before += *offset < first;
      add_stale(array, HeapGraph::target(slots[k]), row);
    }
    return before * 2 > row.stale_slots;
  }

  void add_stale(ObjectId array, ObjectId target, PinRow& row) {
    ++row.stale_slots;
    if (snapshot_.dominators.idom(target) != array) return;
    row.held += snapshot_.dominators.retained(target);
    std::string type = graph_.type_name(target);
    row.held_type = row.held_type.empty() || row.held_type == type ? type : "…";
  }

  // A struct that uses its slice as a ring: all slots are covered, but fewer are meant.
  void judge_ring(ObjectId array, const std::vector<ArrayView>& views, PinRow& row) {
    std::span<const u32> slots = graph_.slots(array);
    u64 filled = static_cast<u64>(std::ranges::count_if(slots, [](u32 slot) { return slot != 0; }));
    if (filled == 0 || views.size() != 1) return;
    RingState ring = find_ring_state(views[0]);
    if (!ring.is_ring || ring.live >= filled) return;
    row.kind = PinRow::Kind::kRing;
    for (u32 slot : slots) {
      if (slot != 0) add_stale(array, HeapGraph::target(slot), row);
    }
    // Which of them are meant is not known, so the smallest share is taken.
    row.held = row.held / filled * (filled - ring.live);
    row.stale_slots = filled - ring.live;
  }

  // The innermost struct that has the slice as a field.
  struct Struct {
    const HeapType* type = nullptr;
    TargetAddr addr;
  };
  Struct find_struct(const ArrayView& view) {
    heap::TypeId id;
    TargetAddr addr;
    if (view.holder != kNoObject) {
      id = graph_.type(view.holder);
      addr = graph_.addr(view.holder);
    } else {
      const heap::RootHolder& holder = graph_.holders()[graph_.roots()[view.root].holder];
      id = holder.type;
      addr = holder.addr;
    }
    Struct found;
    u64 offset = view.offset;
    while (id != heap::kUnknownType) {
      const HeapType& type = graph_.types().at(id);
      if (type.form != Form::kValue || type.kind != Kind::kStruct) return found;
      found = {&type, addr};
      const HeapField* inside = nullptr;
      for (const HeapField& field : type.fields) {
        if (field.offset <= offset) inside = &field;
      }
      if (inside == nullptr) return found;
      id = inside->type;
      addr += inside->offset;
      offset -= inside->offset;
    }
    return found;
  }

  RingState find_ring_state(const ArrayView& view) {
    Struct holder = find_struct(view);
    if (holder.type == nullptr) return {};
    const HeapType& type = *holder.type;
    u64 slices = 0;
    std::vector<std::pair<const HeapField*, i64>> numbers;
    for (const HeapField& field : type.fields) {
      const HeapType& field_type = graph_.types().at(field.type);
      slices += field_type.kind == Kind::kSlice;
      if (field_type.kind != Kind::kInt && field_type.kind != Kind::kUint) continue;
      std::optional<u64> value = graph_.image().memory->find<u64>(holder.addr + field.offset);
      if (value) numbers.emplace_back(&field, static_cast<i64>(*value));
    }
    // Two indices at least, all of them indices of this slice.
    bool are_indices =
        slices == 1 && numbers.size() >= 2 && std::ranges::all_of(numbers, [&](const auto& number) {
          return number.second >= -1 && number.second <= static_cast<i64>(view.cap);
        });
    if (!are_indices) return {};
    for (const auto& [field, value] : numbers) {
      if (value == -1) return {.is_ring = true, .live = 0};
    }
    for (const auto& [field, value] : numbers) {
      if (is_count(field->name)) return {.is_ring = true, .live = static_cast<u64>(value)};
    }
    return {};
  }

  static bool is_count(const std::string& name) {
    for (const char* known : {"count", "size", "len", "length", "n", "num", "used"}) {
      if (name == known) return true;
    }
    return false;
  }

  std::string path_of(const ArrayView& view) {
    if (view.holder != kNoObject) return snapshot_.paths.path_to(view.holder, view.offset);
    return snapshot_.paths.path_of_root(graph_.roots()[view.root]);
  }

  const Snapshot& snapshot_;
  const HeapGraph& graph_;
  u64 min_bytes_;
  u32 share_percent_;
  std::vector<PinRow> rows_;
};

}  // namespace

std::vector<PinRow> find_pins(const Snapshot& snapshot, u64 min_bytes, u32 share_percent) {
  return PinFinder(snapshot, min_bytes, share_percent).run();
}

}  // namespace geist::snap
