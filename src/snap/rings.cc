// Linked lists, held to what makes them lists: x.next.prev is x, x.prev.next is x, and a header
// that counts its elements counts right.
//
//   header {root, len} ─▶ node ⇄ node ⇄ node ─▶ root      container/list
//   node ⇄ node ⇄ node ─▶ the first                       rings of any make
//
// An element without links is in no list; that is worth a row where a variable stands on it and
// nothing else holds it: a loop that goes on from there ends, however many elements are left.
//
// A node is a value of a struct type with two pointers to its own type. Where links lead is read
// from memory, not from the graph, since the sentinel of a list is often a part of something else.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/go_symbol.h"
#include "snap/answers.h"

namespace geist::snap {

using heap::Form;
using heap::HeapField;
using heap::HeapGraph;
using heap::HeapType;
using heap::kNoObject;
using heap::ObjectId;
using heap::RootHolder;
using heap::TypeId;
using read::Kind;

namespace {

constexpr u64 kMaxNodes = u64{1} << 22;  // looked at; more are counted
constexpr int kMaxDepth = 8;             // of structs in structs that may hold a list

// The links of a node type.
struct NodeType {
  u64 next = 0, prev = 0;
  std::string next_name, prev_name;
};

// A struct that has a node as its sentinel and a number beside it.
struct HeaderType {
  TypeId node = heap::kUnknownType;
  u64 root = 0, len = 0;
  std::string len_name;
};

class RingFinder {
 public:
  RingFinder(const Snapshot& snapshot, u64 most)
      : snapshot_(snapshot),
        graph_(snapshot.graph),
        types_(snapshot.graph.types()),
        memory_(*snapshot.graph.image().memory),
        most_(most) {}

  RingAnswer run() {
    find_headers();
    graph_.for_each_reached([&](ObjectId id, u64) {
      const NodeType* node = node_type(graph_.type(id));
      if (node != nullptr) check_node(id, *node);
    });
    add_left_behind();
    std::ranges::stable_sort(answer_.rows, [](const RingRow& a, const RingRow& b) {
      if (a.problem.empty() != b.problem.empty()) return b.problem.empty();
      return a.length > b.length;
    });
    if (answer_.rows.size() > most_) answer_.rows.resize(most_);
    return std::move(answer_);
  }

 private:
  const NodeType* node_type(TypeId id) {
    auto [it, is_new] = nodes_.try_emplace(id);
    if (!is_new) return it->second ? &*it->second : nullptr;
    const HeapType& type = types_.at(id);
    if (type.form != Form::kValue || type.kind != Kind::kStruct) return nullptr;
    std::vector<const HeapField*> links;
    for (const HeapField& field : type.fields) {
      const HeapType& link = types_.at(field.type);
      if (link.kind == Kind::kPointer && link.elem == id) links.push_back(&field);
    }
    if (links.size() != 2) return nullptr;  // a tree has more, a chain one
    if (links[0]->name.starts_with("prev") || links[1]->name.starts_with("next")) {
      std::swap(links[0], links[1]);
    }
    // Trees have two links as well; only names tell them apart.
    bool is_list = links[0]->name.find("next") != std::string::npos ||
                   links[0]->name.find("Next") != std::string::npos;
    if (!is_list) return nullptr;
    it->second = NodeType{links[0]->offset, links[1]->offset, links[0]->name, links[1]->name};
    return &*it->second;
  }

  const HeaderType* header_type(TypeId id) {
    auto [it, is_new] = header_types_.try_emplace(id);
    if (!is_new) return it->second ? &*it->second : nullptr;
    const HeapType& type = types_.at(id);
    if (type.form != Form::kValue || type.kind != Kind::kStruct || type.fields.size() != 2) {
      return nullptr;
    }
    const HeapField& root = type.fields[0];
    const HeapField& len = type.fields[1];
    bool is_header = node_type(root.type) != nullptr && types_.at(len.type).kind == Kind::kInt;
    if (!is_header) return nullptr;
    it->second = HeaderType{root.type, root.offset, len.offset, len.name};
    return &*it->second;
  }

  // Calls visit(offset, header) for each list header in a value of the type.
  template <typename Visit>
  void for_each_header(TypeId id, u64 offset, int depth, Visit visit) {
    if (id == heap::kUnknownType || depth > kMaxDepth) return;
    if (const HeaderType* header = header_type(id)) return visit(offset, *header, id);
    const HeapType& type = types_.at(id);
    if (type.form != Form::kValue || type.kind != Kind::kStruct) return;
    for (const HeapField& field : type.fields) {
      for_each_header(field.type, offset + field.offset, depth + 1, visit);
    }
  }

  void find_headers() {
    graph_.for_each_reached([&](ObjectId id, u64) {
      for_each_header(graph_.type(id), 0, 0,
                      [&](u64 offset, const HeaderType& header, TypeId type) {
                        check_header(graph_.addr(id) + offset, header, type, [&] {
                          // The object itself, not the first field of it.
                          return offset == 0 ? snapshot_.paths.path_to(id)
                                             : snapshot_.paths.path_to(id, offset);
                        });
                      });
    });
    for (const RootHolder& holder : graph_.holders()) {
      if (!holder.addr) continue;
      for_each_header(holder.type, 0, 0, [&](u64 offset, const HeaderType& header, TypeId type) {
        check_header(holder.addr + offset, header, type, [&] {
          std::string name = short_function(holder.name);
          if (offset != 0) name += types_.place(holder.type, offset);
          if (holder.kind == RootHolder::Kind::kStack) {
            name +=
                fmt::format(" in {} (goroutine {})", short_function(holder.function), holder.goid);
          }
          return name;
        });
      });
    }
  }

  u64 word(TargetAddr at) const { return memory_.find<u64>(at).value_or(0); }

  template <typename PathOf>
  void check_header(TargetAddr at, const HeaderType& header, TypeId type, PathOf path_of) {
    if (!headers_.insert(at.value).second) return;
    const NodeType& node = *node_type(header.node);
    TargetAddr root = at + header.root;
    i64 len = static_cast<i64>(word(at + header.len));
    u64 first = word(root + node.next);
    if (first == 0 && word(root + node.prev) == 0 && len == 0) return;  // never used
    RingRow row{.addr = at, .type = types_.name(type)};
    std::string broken;
    row.length = first == 0 ? 0 : walk(root, node, &broken);
    if (len != static_cast<i64>(row.length) && broken.empty()) {
      broken = fmt::format("{} says {}, the links lead to {} element{}", header.len_name, len,
                           row.length, row.length == 1 ? "" : "s");
    }
    row.problem = broken;
    row.path = path_of();
    answer_.rows.push_back(std::move(row));
  }

  // Nodes from `root` on until it comes back; marks them as seen. `broken` says what is wrong.
  u64 walk(TargetAddr root, const NodeType& node, std::string* broken) {
    u64 length = 0;
    TargetAddr at = root;
    do {
      TargetAddr next(word(at + node.next));
      if (!next) {
        *broken = fmt::format("{} of element {} is nil", node.next_name, length);
        return length;
      }
      if (word(next + node.prev) != at.value) {
        *broken =
            fmt::format("element {}: {}.{} is not it", length, node.next_name, node.prev_name);
        return length;
      }
      if (next != root) {
        seen_.insert(next.value);
        ++length;
      }
      at = next;
      if (budget_ == 0 || --budget_ == 0) {
        ++answer_.not_followed;
        return length;
      }
    } while (at != root);
    return length;
  }

  void check_node(ObjectId id, const NodeType& node) {
    ++answer_.nodes;
    TargetAddr at = graph_.addr(id);
    if (answer_.nodes > kMaxNodes) {
      ++answer_.not_followed;
      return;
    }
    if (seen_.contains(at.value)) return;
    TargetAddr next(word(at + node.next)), prev(word(at + node.prev));
    if (!next && !prev) {
      ++answer_.detached;
      detached_.insert(id);
      return;
    }
    bool next_broken = next && word(next + node.prev) != at.value;
    bool prev_broken = prev && word(prev + node.next) != at.value;
    if (next_broken || prev_broken) {
      const std::string& link = next_broken ? node.next_name : node.prev_name;
      const std::string& back = next_broken ? node.prev_name : node.next_name;
      RingRow row{.addr = at, .type = graph_.type_name(id)};
      row.path = snapshot_.paths.path_to(id);
      row.problem = fmt::format("{}.{} is not it: its list has moved on without it", link, back);
      row.length = 1;
      answer_.rows.push_back(std::move(row));
      return;
    }
    if (!next || !prev) return;  // an end of a chain, or its middle is looked at below
    std::string broken;
    seen_.insert(at.value);
    u64 length = ring_length(at, node);
    if (length == 0) return;
    RingRow row{.addr = at, .type = graph_.type_name(id)};
    row.path = snapshot_.paths.path_to(id);
    row.length = length;
    answer_.rows.push_back(std::move(row));
  }

  // Of the elements without links, those on which only variables of stacks stand.
  void add_left_behind() {
    if (detached_.empty()) return;
    graph_.for_each_reached([&](ObjectId id, u64) {
      for (u32 slot : graph_.slots(id)) {
        if (slot != 0) detached_.erase(HeapGraph::target(slot));
      }
    });
    std::unordered_map<ObjectId, const heap::Root*> standing;
    for (const heap::Root& root : graph_.roots()) {
      ObjectId id = HeapGraph::target(root.slot);
      if (!detached_.contains(id)) continue;
      const RootHolder& holder = graph_.holders()[root.holder];
      const HeapType& variable = types_.at(holder.type);
      bool stands = holder.kind == RootHolder::Kind::kStack && variable.kind == Kind::kPointer &&
                    variable.elem == graph_.type(id);
      // Registers repeat what variables say.
      if (stands)
        standing.try_emplace(id, &root);
      else if (holder.kind == RootHolder::Kind::kGlobal)
        detached_.erase(id);
    }
    for (const auto& [id, root] : standing) {
      if (!detached_.contains(id)) continue;
      const NodeType& node = *node_type(graph_.type(id));
      RingRow row{.addr = graph_.addr(id), .type = graph_.type_name(id)};
      row.path = snapshot_.paths.path_of_root(*root);
      row.problem =
          fmt::format("{} and {} are nil and no list holds it: a loop that stands on it ends here",
                      node.next_name, node.prev_name);
      row.length = 1;
      answer_.rows.push_back(std::move(row));
    }
  }

  // 0 when the nodes form no ring, or one that a header or another node has counted.
  u64 ring_length(TargetAddr first, const NodeType& node) {
    u64 length = 1;
    for (TargetAddr at(word(first + node.next)); at != first;
         at = TargetAddr(word(at + node.next))) {
      if (!at || budget_ == 0 || --budget_ == 0 || !seen_.insert(at.value).second) return 0;
      if (headers_.contains(at.value)) return 0;
      ++length;
    }
    return length;
  }

  const Snapshot& snapshot_;
  const HeapGraph& graph_;
  heap::HeapTypes& types_;
  const process::Memory& memory_;
  u64 most_;
  u64 budget_ = kMaxNodes;  // of steps along links, in all
  RingAnswer answer_;
  std::unordered_map<TypeId, std::optional<NodeType>> nodes_;
  std::unordered_map<TypeId, std::optional<HeaderType>> header_types_;
  std::unordered_set<u64> headers_, seen_;
  std::unordered_set<ObjectId>
      detached_;  // elements without links, of which nothing else is known yet
};

}  // namespace

RingAnswer find_rings(const Snapshot& snapshot, u64 most) {
  return RingFinder(snapshot, most).run();
}

}  // namespace geist::snap
