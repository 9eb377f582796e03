// Objects are taken in an order in which what dominates comes first, so each finds the node of its
// holder made already.
#include "snap/hold_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/go_symbol.h"
#include "base/text.h"
#include "snap/text.h"

namespace geist::snap {

using heap::HeapGraph;
using heap::kNoObject;
using heap::ObjectId;
using heap::Root;
using heap::RootHolder;

namespace {

constexpr usize kMaxNodes = 200000;
constexpr usize kMaxHoldDepth = 64;

class TreeMaker {
 public:
  explicit TreeMaker(const Snapshot& snapshot) : snapshot_(snapshot), graph_(snapshot.graph) {}

  HoldTree run() {
    tree_.nodes.push_back({.parent = 0, .label = "all"});
    depth_.push_back(0);
    node_of_.assign(u64{graph_.last_id()} + 1, 0);
    name_roots();
    for (ObjectId id : snapshot_.dominators.order()) take(id);
    // Leaves have no place in that order: what holds them was taken before.
    graph_.for_each_reached([&](ObjectId id, u64) {
      if (node_of_[id] == 0) take(id);
    });
    for (HoldNode& node : tree_.nodes) node.retained = node.bytes;
    for (usize i = tree_.nodes.size() - 1; i > 0; --i) {
      tree_.nodes[tree_.nodes[i].parent].retained += tree_.nodes[i].retained;
    }
    return std::move(tree_);
  }

 private:
  // A name for what only roots hold: that of the variable, globals first.
  void name_roots() {
    for (const Root& root : graph_.roots()) {
      const RootHolder& holder = graph_.holders()[root.holder];
      auto [it, is_new] = root_of_.try_emplace(HeapGraph::target(root.slot), &root);
      if (!is_new && holder.kind == RootHolder::Kind::kGlobal) it->second = &root;
    }
  }

  std::string root_label(ObjectId id) const {
    auto found = root_of_.find(id);
    if (found == root_of_.end()) return "several";
    const RootHolder& holder = graph_.holders()[found->second->holder];
    std::string name = snapshot_.paths.path_of(*found->second);
    if (holder.kind != RootHolder::Kind::kStack) return name;
    return name +
           (holder.function.empty() ? " on a stack" : " in " + short_function(holder.function));
  }

  u32 child(u32 parent, const std::string& label) {
    auto [it, is_new] = children_.try_emplace({parent, label}, 0);
    if (!is_new) return it->second;
    if (tree_.nodes.size() >= kMaxNodes || depth_[parent] >= kMaxHoldDepth) {
      ++tree_.folded;
      return it->second = parent;
    }
    it->second = static_cast<u32>(tree_.nodes.size());
    tree_.nodes.push_back({.parent = parent, .label = label});
    depth_.push_back(depth_[parent] + 1);
    return it->second;
  }

  void take(ObjectId id) {
    ObjectId above = snapshot_.dominators.idom(id);
    u32 parent = above == kNoObject ? child(0, root_label(id)) : node_of_[above];
    std::string type = graph_.type_name(id);
    u32 node = tree_.nodes[parent].label == type ? parent : child(parent, type);
    node_of_[id] = node;
    tree_.nodes[node].bytes += graph_.slot_size(id);
    ++tree_.nodes[node].objects;
  }

  const Snapshot& snapshot_;
  const HeapGraph& graph_;
  HoldTree tree_;
  std::vector<usize> depth_;
  std::vector<u32> node_of_;
  std::map<std::pair<u32, std::string>, u32> children_;
  std::unordered_map<ObjectId, const Root*> root_of_;
};

void add_side(std::map<std::string, DiffRow>& rows, const std::string& name, u64 bytes, u64 objects,
              bool is_after) {
  DiffRow& row = rows[name];
  row.name = name;
  (is_after ? row.bytes_after : row.bytes_before) += bytes;
  (is_after ? row.objects_after : row.objects_before) += objects;
}

std::vector<DiffRow> changed(std::map<std::string, DiffRow> rows) {
  std::vector<DiffRow> out;
  for (auto& [name, row] : rows) {
    bool is_same = row.bytes_before == row.bytes_after && row.objects_before == row.objects_after;
    if (!is_same) out.push_back(std::move(row));
  }
  std::ranges::stable_sort(out, std::greater(), &DiffRow::growth);
  return out;
}

std::string signed_size(i64 bytes) {
  u64 size = static_cast<u64>(bytes < 0 ? -bytes : bytes);
  return (bytes < 0 ? "-" : "+") + human_size(size);
}

}  // namespace

HoldTree make_hold_tree(const Snapshot& snapshot) {
  return TreeMaker(snapshot).run();
}

std::string hold_path(const HoldTree& tree, u32 node) {
  std::string path = tree.nodes[node].label;
  for (u32 at = tree.nodes[node].parent; at != 0; at = tree.nodes[at].parent) {
    path = tree.nodes[at].label + " > " + path;
  }
  return path;
}

DiffAnswer compare(const DiffSide& before, const DiffSide& after) {
  std::map<std::string, DiffRow> types, paths;
  for (const DiffSide* side : {&before, &after}) {
    bool is_after = side == &after;
    for (const TypeRow& row : side->types) {
      add_side(types, row.name, row.bytes, row.objects, is_after);
    }
    for (u32 i = 1; i < side->tree.nodes.size(); ++i) {
      const HoldNode& node = side->tree.nodes[i];
      add_side(paths, hold_path(side->tree, i), node.bytes, node.objects, is_after);
    }
  }
  return {.types = changed(std::move(types)), .paths = changed(std::move(paths))};
}

std::string emit_diff(const DiffAnswer& answer, u64 most) {
  std::string out;
  auto table = [&](const char* title, const std::vector<DiffRow>& rows) {
    out += fmt::format("{:>11}  {:>10}  {:>10}  {:>9}   {}\n", "growth", "before", "after",
                       "objects", title);
    for (usize i = 0; i < rows.size() && i < most; ++i) {
      const DiffRow& row = rows[i];
      i64 objects = static_cast<i64>(row.objects_after) - static_cast<i64>(row.objects_before);
      out += fmt::format("{:>11}  {:>10}  {:>10}  {:>+9}   {}\n", signed_size(row.growth()),
                         human_size(row.bytes_before), human_size(row.bytes_after), objects,
                         clip(printable(row.name), 50));
    }
    if (rows.size() > most) out += fmt::format("  and {} more that changed\n", rows.size() - most);
    out += "\n";
  };
  table("type", answer.types);
  table("held by", answer.paths);
  return out;
}

}  // namespace geist::snap
