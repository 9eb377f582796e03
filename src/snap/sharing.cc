// Arrays that several slices look into. The question behind it: whose append would hit whom?
//
//   a  [0..3) cap 4   ###.      an append through a writes element 3 ...
//   b  [0..4) cap 4   ####      ... which b has
//
// That is a ghost write which has not happened yet: latent. Equal headers are copies of one slice;
// what one of them appends the others do not see, so equal views are one row, and an array with
// nothing else is only counted.
#include <algorithm>
#include <map>

#include "snap/answers.h"
#include "snap/views.h"

namespace geist::snap {

using heap::HeapGraph;
using heap::ObjectId;

namespace {

// Views of one array, equal ones together.
struct Group {
  std::vector<ArrayView> views;
  std::vector<u64> copies;
};

Group fold_equal(const std::vector<ArrayView>& views) {
  Group group;
  for (const ArrayView& view : views) {
    auto same = std::ranges::find_if(group.views, [&](const ArrayView& other) {
      return other.same_range(view) && other.is_string == view.is_string;
    });
    if (same != group.views.end()) {
      ++group.copies[static_cast<usize>(same - group.views.begin())];
    } else if (group.views.size() < 64) {
      group.views.push_back(view);
      group.copies.push_back(1);
    }
  }
  return group;
}

// The view whose elements an append through `view` would overwrite; null when there is none.
const ArrayView* find_hit(const ArrayView& view, const std::vector<ArrayView>& others) {
  if (view.is_string || view.cap <= view.len) return nullptr;
  const ArrayView* hit = nullptr;
  for (const ArrayView& other : others) {
    bool covers = &other != &view && other.begin < view.cap_end() && other.end() > view.end();
    if (covers && (hit == nullptr || other.begin < hit->begin)) hit = &other;
  }
  return hit;
}

bool do_overlap(const std::vector<ArrayView>& views) {
  for (usize i = 0; i < views.size(); ++i) {
    for (usize j = 0; j < i; ++j) {
      if (views[i].begin < views[j].end() && views[j].begin < views[i].end()) return true;
    }
  }
  return false;
}

std::string path_of(const Snapshot& snapshot, const ArrayView& view) {
  if (view.holder != heap::kNoObject) return snapshot.paths.path_to(view.holder, view.offset);
  return snapshot.paths.path_of_root(snapshot.graph.roots()[view.root]);
}

void add_holder(const Snapshot& snapshot, const ArrayView& view, ViewRow& row) {
  if (view.holder != heap::kNoObject) {
    row.is_named = snapshot.paths.is_named(view.holder);
    row.place = snapshot.graph.type_name(view.holder) +
                snapshot.graph.types().place(snapshot.graph.type(view.holder), view.offset);
    return;
  }
  const heap::RootHolder& holder =
      snapshot.graph.holders()[snapshot.graph.roots()[view.root].holder];
  bool is_global = holder.kind == heap::RootHolder::Kind::kGlobal;
  row.holder = is_global ? ViewRow::Holder::kGlobal : ViewRow::Holder::kStack;
  row.is_named = !holder.name.empty();
  row.place = snapshot.paths.path_of(snapshot.graph.roots()[view.root]);
}

// All of its views are the runtime's: nobody can append there.
bool is_of_runtime(const Snapshot& snapshot, const std::vector<ArrayView>& views) {
  return std::ranges::all_of(views, [&](const ArrayView& view) {
    if (view.holder != heap::kNoObject) {
      return snapshot.graph.type_name(view.holder).starts_with("runtime.");
    }
    const heap::Root& root = snapshot.graph.roots()[view.root];
    return snapshot.graph.holders()[root.holder].name.starts_with("runtime.");
  });
}

SharingRow make_row(const Snapshot& snapshot, ObjectId array, const Group& group) {
  const HeapGraph& graph = snapshot.graph;
  SharingRow row{.addr = graph.addr(array), .type = graph.type_name(array)};
  row.elem_size = group.views.front().elem_size;
  row.length = graph.size(array) / row.elem_size;
  row.bytes = graph.slot_size(array);
  row.overlaps = do_overlap(group.views);
  for (usize i = 0; i < group.views.size(); ++i) {
    const ArrayView& view = group.views[i];
    ViewRow shown{.path = path_of(snapshot, view), .type = view.is_string ? "string" : row.type};
    add_holder(snapshot, view, shown);
    shown.begin = view.begin / view.elem_size;
    shown.len = view.len;
    shown.cap = view.cap;
    shown.is_string = view.is_string;
    shown.copies = group.copies[i];
    if (const ArrayView* hit = find_hit(view, group.views)) {
      shown.is_latent = row.is_latent = true;
      shown.overwrites = std::max(view.end(), hit->begin) / view.elem_size;
      shown.overwrites_of = path_of(snapshot, *hit);
    }
    row.views.push_back(std::move(shown));
  }
  std::ranges::stable_sort(row.views, [](const ViewRow& a, const ViewRow& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.len < b.len;
  });
  return row;
}

}  // namespace

SharingAnswer find_sharing(const Snapshot& snapshot, u64 most) {
  const HeapGraph& graph = snapshot.graph;
  ReferenceCounts counts = count_references(graph);
  Views views = collect_views(graph, [&](ObjectId id) { return counts.slices[id] >= 2; });
  SharingAnswer answer;
  answer.damaged_headers = views.damaged;
  struct Candidate {
    bool is_latent;
    u64 bytes;
    ObjectId array;
  };
  std::vector<Candidate> candidates;
  for (const auto& [array, list] : views.by_array) {
    Group group = fold_equal(list);
    if (list.size() < 2) continue;
    if (group.views.size() < 2) {
      ++answer.equal_only;
      continue;
    }
    if (is_of_runtime(snapshot, list)) {
      ++answer.of_runtime;
      continue;
    }
    ++answer.shared_arrays;
    bool is_latent = std::ranges::any_of(
        group.views, [&](const ArrayView& view) { return find_hit(view, group.views) != nullptr; });
    answer.latent_arrays += is_latent;
    candidates.push_back({is_latent, graph.slot_size(array), array});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    if (a.is_latent != b.is_latent) return a.is_latent;
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.array < b.array;
  });
  for (const Candidate& candidate : candidates) {
    if (answer.rows.size() == most) break;
    Group group = fold_equal(views.by_array[candidate.array]);
    answer.rows.push_back(make_row(snapshot, candidate.array, group));
  }
  return answer;
}

}  // namespace geist::snap
