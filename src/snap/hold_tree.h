// Who holds how much, summed up: the dominator tree with objects of one type under one parent as
// one node. What flame graphs, treemaps and comparisons of two heaps are made from.
//
//   main.sessions ─▶ map[string]*main.Session (entries) ─▶ main.Session x 200 ─▶ []byte x 200
//
// A type below itself (the next node of a list) is the same node, or lists would be as deep as
// long.
#pragma once

#include <string>
#include <vector>

#include "snap/answers.h"

namespace geist::snap {

struct HoldNode {
  u32 parent = 0;              // node 0 is above all roots
  std::string label;           // a variable at the top, a type below
  u64 bytes = 0, objects = 0;  // of its own
  u64 retained = 0;            // with all below
};

struct HoldTree {
  std::vector<HoldNode> nodes;  // parents before children
  u64 folded = 0;               // objects whose node would have been too many; in their parent's
};
HoldTree make_hold_tree(const Snapshot& snapshot);

// "main.sessions > map[string]*main.Session (entries) > main.Session"
std::string hold_path(const HoldTree& tree, u32 node);

// What has changed between two heaps.
struct DiffRow {
  std::string name;
  u64 bytes_before = 0, bytes_after = 0, objects_before = 0, objects_after = 0;
  i64 growth() const { return static_cast<i64>(bytes_after) - static_cast<i64>(bytes_before); }
};
struct DiffAnswer {
  std::vector<DiffRow> types, paths;  // those that changed, the largest growth first
};
struct DiffSide {
  std::vector<TypeRow> types;
  HoldTree tree;
};
DiffAnswer compare(const DiffSide& before, const DiffSide& after);
std::string emit_diff(const DiffAnswer& answer, u64 most);

// profile.proto, uncompressed, as `go tool pprof` reads it: inuse_objects and inuse_space.
std::string emit_pprof(const HoldTree& tree);
std::string emit_dot(const HoldTree& tree);
std::string emit_heap_json(const HoldTree& tree);
// One file that works offline: a treemap, search, and the path of each box.
std::string emit_html(const HoldTree& tree, const std::string& title);

}  // namespace geist::snap
