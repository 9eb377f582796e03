// The questions that `geist snap` answers, and their answers as plain data. Text and JSON are made
// from these alone (snap/text.h, snap/json.h).
#pragma once

#include <string>
#include <vector>

#include "heap/dominators.h"
#include "heap/graph.h"
#include "snap/paths.h"

namespace geist::snap {

// What the answers are taken from; made once.
struct Snapshot {
  const heap::HeapGraph& graph;
  const heap::Dominators& dominators;
  Paths& paths;
};

struct TypeRow {
  std::string name;
  u64 objects = 0, bytes = 0, retained = 0;
};
// By bytes, most first; types of one name are one row.
std::vector<TypeRow> list_types(const Snapshot& snapshot);

struct TreeRow {
  u32 depth = 0;
  std::string name;  // type, or of a root its path
  std::string path;
  u64 retained = 0, objects = 1;
  u64 chain = 0;  // objects of the type that follow, each kept by the one before
  TargetAddr addr;
};
// The dominator tree from the top: at each level the children that keep at least min_bytes,
// siblings of one type together when there are many.
std::vector<TreeRow> list_tree(const Snapshot& snapshot, u64 min_bytes, u32 max_depth);

struct PathRow {
  TargetAddr addr;
  std::string type, path;
  u64 bytes = 0, retained = 0;
};
// What a hexadecimal address or a type name means: the object there, or the largest `most` of the
// type.
Result<std::vector<PathRow>> find_paths(const Snapshot& snapshot, const std::string& what,
                                        u64 most);

struct ViewRow {
  // Of the header: in an object, a global variable, or on a stack.
  enum class Holder : u8 { kHeap, kGlobal, kStack };
  std::string path = {}, type = {};
  Holder holder = Holder::kHeap;
  bool is_named = true;             // false: the path begins at a temporary
  std::string place = {};           // the field it is, "main.route.chain", or the variable
  u64 begin = 0, len = 0, cap = 0;  // in elements
  bool is_string = false;
  u64 copies = 1;  // equal headers that this row stands for
  // An append through this view would overwrite elements that another one has.
  bool is_latent = false;
  u64 overwrites = 0;              // the first such element, from the array's begin
  std::string overwrites_of = {};  // and whose it is
};
struct SharingRow {
  TargetAddr addr;
  std::string type = {};  // of the array
  u64 elem_size = 1, length = 0, bytes = 0;
  bool is_latent = false, overlaps = false;
  std::vector<ViewRow> views = {};
};
struct SharingAnswer {
  std::vector<SharingRow> rows;  // latent first, then by bytes
  u64 shared_arrays = 0, latent_arrays = 0, equal_only = 0;
  u64 of_runtime = 0;  // arrays that Go's runtime shares with itself; not among the others
  u64 damaged_headers = 0;
};
// Arrays with several different views. Those with equal views only are counted. At most `most`
// rows.
SharingAnswer find_sharing(const Snapshot& snapshot, u64 most);

struct PinRow {
  // kSpare: a slice from the begin that may grow over the rest. Nothing tells a buffer with room
  // from a small slice of a large array, so these come last.
  enum class Kind : u8 { kPart, kSubstring, kPopped, kBehind, kRing, kSpare };
  Kind kind = Kind::kPart;
  TargetAddr addr;
  std::string type = {}, path = {};  // of the array, and of a view that keeps it
  u64 bytes = 0;                     // of the array
  u64 covered = 0;                   // bytes of it that views cover
  u64 views = 0;
  u64 stale_slots = 0;         // pointers outside of all views
  u64 held = 0;                // bytes that would be free without the pin
  std::string held_type = {};  // of what the stale slots keep, when it is one type
};
// Arrays of which views cover less than `share_percent`, and pointers outside of every view, where
// that keeps at least min_bytes; most first.
std::vector<PinRow> find_pins(const Snapshot& snapshot, u64 min_bytes, u32 share_percent);

struct GoroutineRow {
  std::string status, function, place;  // the innermost frame outside of the runtime
  std::vector<u64> goids;
  u64 stack_bytes = 0;
  u64 retained = 0;  // by what only these stacks reach
};
// Goroutines that stand at the same place are one row; most first.
std::vector<GoroutineRow> list_goroutines(const Snapshot& snapshot);

struct RingRow {
  TargetAddr addr;
  std::string type = {}, path = {}, problem = {};  // an empty problem: it is sound
  u64 length = 0;
};
struct RingAnswer {
  std::vector<RingRow> rows;  // broken ones first, then by length
  u64 nodes = 0, detached = 0;
  u64 not_followed = 0;  // nodes behind the limit
};
RingAnswer find_rings(const Snapshot& snapshot, u64 most);

}  // namespace geist::snap
