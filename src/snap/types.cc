// Types, the dominator tree, and paths: what follows from graph and dominators alone.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "snap/answers.h"

namespace geist::snap {

using heap::Dominators;
using heap::HeapGraph;
using heap::kNoObject;
using heap::ObjectId;
using heap::TypeId;

std::vector<TypeRow> list_types(const Snapshot& snapshot) {
  std::vector<Dominators::OfType> types = snapshot.dominators.count_types();
  std::map<std::string, TypeRow> rows;
  for (TypeId id = 0; id < types.size(); ++id) {
    if (types[id].objects == 0) continue;
    std::string name = id == heap::kUnknownType ? "?" : snapshot.graph.types().name(id);
    TypeRow& row = rows[name];
    row.name = name;
    row.objects += types[id].objects;
    row.bytes += types[id].bytes;
    row.retained += types[id].retained;
  }
  std::vector<TypeRow> sorted;
  for (auto& [name, row] : rows) sorted.push_back(std::move(row));
  std::ranges::stable_sort(sorted, std::greater(), &TypeRow::bytes);
  return sorted;
}

namespace {

// Children in the dominator tree, for walks from the top.
class Tree {
 public:
  explicit Tree(const Snapshot& snapshot, u64 min_bytes) : snapshot_(snapshot) {
    snapshot.graph.for_each_reached([&](ObjectId id, u64) {
      if (snapshot.dominators.retained(id) < min_bytes) return;
      children_[snapshot.dominators.idom(id)].push_back(id);
    });
  }

  void list(ObjectId above, u32 depth, u32 max_depth, std::vector<TreeRow>& rows) {
    auto found = children_.find(above);
    if (found == children_.end() || depth > max_depth) return;
    std::vector<ObjectId> ids = found->second;
    std::ranges::stable_sort(ids, std::greater(),
                             [&](ObjectId id) { return snapshot_.dominators.retained(id); });
    // Many siblings of one type are one row.
    std::map<TypeId, std::vector<ObjectId>> by_type;
    for (ObjectId id : ids) by_type[snapshot_.graph.type(id)].push_back(id);
    for (ObjectId id : ids) {
      std::vector<ObjectId>& same = by_type[snapshot_.graph.type(id)];
      if (same.size() > kFold) {
        if (same.front() != id) continue;
        TreeRow row{.depth = depth, .name = snapshot_.graph.type_name(id), .path = "", .addr = {}};
        row.objects = same.size();
        for (ObjectId one : same) row.retained += snapshot_.dominators.retained(one);
        rows.push_back(std::move(row));
        continue;
      }
      rows.push_back({.depth = depth,
                      .name = snapshot_.graph.type_name(id),
                      .path = snapshot_.paths.path_to(id),
                      .retained = snapshot_.dominators.retained(id),
                      .addr = snapshot_.graph.addr(id)});
      ObjectId last = end_of_chain(id, &rows.back().chain);
      list(last, depth + 1, max_depth, rows);
    }
  }

 private:
  // Follows objects of one type that each keep the next, as in a list.
  ObjectId end_of_chain(ObjectId id, u64* length) const {
    for (;;) {
      auto found = children_.find(id);
      bool is_chain = found != children_.end() && found->second.size() == 1 &&
                      snapshot_.graph.type(found->second[0]) == snapshot_.graph.type(id);
      if (!is_chain) return id;
      id = found->second[0];
      ++*length;
    }
  }

  static constexpr usize kFold = 8;
  const Snapshot& snapshot_;
  std::unordered_map<ObjectId, std::vector<ObjectId>> children_;
};

std::optional<u64> parse_address(const std::string& text) {
  if (!text.starts_with("0x")) return std::nullopt;
  u64 value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data() + 2, end, value, 16);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

PathRow path_row(const Snapshot& snapshot, ObjectId id) {
  return {.addr = snapshot.graph.addr(id),
          .type = snapshot.graph.type_name(id),
          .path = snapshot.paths.path_to(id),
          .bytes = snapshot.graph.slot_size(id),
          .retained = snapshot.dominators.retained(id)};
}

}  // namespace

std::vector<TreeRow> list_tree(const Snapshot& snapshot, u64 min_bytes, u32 max_depth) {
  std::vector<TreeRow> rows;
  Tree(snapshot, min_bytes).list(kNoObject, 0, max_depth, rows);
  return rows;
}

Result<std::vector<PathRow>> find_paths(const Snapshot& snapshot, const std::string& what,
                                        u64 most) {
  const HeapGraph& graph = snapshot.graph;
  if (std::optional<u64> addr = parse_address(what)) {
    ObjectId id = graph.find_object(TargetAddr(*addr));
    if (id == kNoObject) return Error(fmt::format("{}: no object of the heap lies there", what));
    if (!graph.is_reached(id)) {
      return Error(fmt::format("{}: an object of {} bytes that nothing reaches: garbage", what,
                               graph.slot_size(id)));
    }
    return std::vector<PathRow>{path_row(snapshot, id)};
  }
  std::vector<ObjectId> ids;
  std::vector<bool> is_wanted(graph.types().count());
  for (TypeId id = 0; id < is_wanted.size(); ++id) is_wanted[id] = graph.types().name(id) == what;
  graph.for_each_reached([&](ObjectId id, u64) {
    if (is_wanted[graph.type(id)]) ids.push_back(id);
  });
  if (ids.empty()) {
    return Error(fmt::format("{}: no object of this type", what))
        .with_hint(
            "Give an address as 0xc000123456, or a type as `geist snap PID types` writes it.");
  }
  std::ranges::stable_sort(ids, std::greater(),
                           [&](ObjectId id) { return snapshot.dominators.retained(id); });
  std::vector<PathRow> rows;
  for (ObjectId id : ids) {
    if (rows.size() == most) break;
    rows.push_back(path_row(snapshot, id));
  }
  return rows;
}

}  // namespace geist::snap
