// The two loops over all samples are here: what they touch a frame is one table entry of its location
// and one cell of its node. Threads have cells of their own, added up at the end.
#include "profile/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/parallel.h"
#include "base/text.h"
#include "profile/edge_map.h"
#include "profile/measure.h"
#include "profile/paths.h"

namespace geist::profile {
namespace {

struct Cell {
  i64 cum = 0;
  u64 stamp = 0;  // number of the sample that was counted last
};

// What one thread has seen.
struct Part {
  std::vector<Cell> cells;
  std::vector<i64> flat;
  EdgeMap edges;
  i64 total = 0, base_total = 0;
  u64 sample = 0;
  bool is_damaged = false;
};

struct Walk {
  const Profile& profile;
  const Shape& shape;
  const NodeTable& table;
  const GraphOptions& options;
  std::vector<u8> is_kept;    // by node; for edges
  std::vector<u8> is_target;  // edges into these only; empty: into all
};

bool is_of_base(const Profile& profile, ByteView sample, Part& part) {
  Result<std::vector<Label>> labels = read_labels(profile, sample);
  part.is_damaged = part.is_damaged || !labels.ok();
  return labels.ok() && std::ranges::any_of(labels.value(), [](const Label& label) {
           return label.key == kBaseLabel && label.is_text && label.text == "true";
         });
}

void add_total(const Walk& walk, i64 value, ByteView sample, Part& part) {
  part.total = plus(part.total, absolute(value));
  if (walk.options.is_diff && is_of_base(walk.profile, sample, part))
    part.base_total = plus(part.base_total, absolute(value));
}

void add_nodes(const Walk& walk, std::span<const u32> locations, i64 value, Part& part) {
  const u64 stamp = part.sample;
  for (u32 location : locations) {
    for (u32 node : walk.table.nodes_of(location)) {
      Cell& cell = part.cells[node];
      if (cell.stamp == stamp) continue;
      cell.stamp = stamp;
      cell.cum = plus(cell.cum, value);
    }
  }
  if (locations.empty()) return;
  std::span<const u32> leaf = walk.table.nodes_of(locations.front());
  if (!leaf.empty()) part.flat[leaf.front()] = plus(part.flat[leaf.front()], value);
}

// From the root: each call between two kept nodes, those between them left out, once a sample.
void add_edges(const Walk& walk, std::span<const u32> locations, i64 value, Part& part) {
  u32 parent = kNone;
  for (usize i = locations.size(); i-- > 0;) {
    std::span<const u32> nodes = walk.table.nodes_of(locations[i]);
    for (usize k = nodes.size(); k-- > 0;) {
      const u32 node = nodes[k];
      if (walk.is_kept[node] == 0) continue;
      if (parent != kNone && node != parent &&
          (walk.is_target.empty() || walk.is_target[node] != 0))
        part.edges.add(parent, node, value, k + 1 != nodes.size(), part.sample);
      parent = node;
    }
  }
}

template <typename Add>
void walk_block(const Walk& walk, const SampleBlock& block, bool sums_total, Part& part,
                const Add& add) {
  std::vector<u32> buffer;
  SampleReader reader(walk.profile, block);
  while (reader.next()) {
    const i64 value = reader.values()[walk.options.value];
    if (sums_total) add_total(walk, value, reader.body(), part);
    std::span<const u32> shown;
    Shape::Choice choice =
        walk.shape.select(walk.shape.prune(reader.locations()), reader.body(), &buffer, &shown);
    part.is_damaged = part.is_damaged || choice == Shape::Choice::kDamaged;
    if (choice != Shape::Choice::kShown || value == 0) continue;
    ++part.sample;
    add(walk, shown, value, part);
  }
  part.is_damaged = part.is_damaged || reader.failed();
}

template <typename Add>
Result<std::vector<Part>> walk_samples(const Walk& walk, Part empty, bool sums_total,
                                       const Add& add) {
  const std::vector<SampleBlock>& blocks = walk.profile.blocks;
  const usize threads = std::clamp<usize>(blocks.size(), 1, std::max(1u, walk.options.threads));
  std::vector<Part> parts(threads, empty);
  std::atomic<usize> next{0};
  for_each_part(threads, static_cast<unsigned>(threads), [&](usize i) {
    for (usize b = next.fetch_add(1); b < blocks.size(); b = next.fetch_add(1))
      walk_block(walk, blocks[b], sums_total, parts[i], add);
  });
  for (const Part& part : parts) {
    if (part.is_damaged) return Error("a sample is damaged, or names a location that is not there");
  }
  return parts;
}

Status sum_nodes(const Walk& walk, Graph& graph) {
  Part empty;
  empty.cells.resize(graph.nodes.size());
  empty.flat.resize(graph.nodes.size());
  GEIST_TRY(parts, walk_samples(walk, std::move(empty), true, add_nodes));
  i64 base_total = 0;
  for (const Part& part : parts) {
    for (u32 i = 0; i < graph.nodes.size(); ++i) {
      graph.nodes[i].flat = plus(graph.nodes[i].flat, part.flat[i]);
      graph.nodes[i].cum = plus(graph.nodes[i].cum, part.cells[i].cum);
    }
    graph.total = plus(graph.total, part.total);
    base_total = plus(base_total, part.base_total);
  }
  if (base_total > 0) graph.total = base_total;
  return Done{};
}

Status sum_edges(Walk& walk, Graph& graph, i64 cutoff) {
  walk.is_kept.assign(graph.nodes.size(), 0);
  for (u32 node : graph.shown) walk.is_kept[node] = 1;
  if (walk.options.edges == GraphOptions::Edges::kIntoInlined) {
    walk.is_target.assign(graph.nodes.size(), 0);
    bool has_any = false;
    for (u32 node : graph.shown) {
      walk.is_target[node] = graph.nodes[node].may_be_inlined ? 1 : 0;
      has_any = has_any || graph.nodes[node].may_be_inlined;
    }
    if (!has_any) return Done{};
  }
  GEIST_TRY(parts, walk_samples(walk, Part(), false, add_edges));
  for (usize i = 1; i < parts.size(); ++i) parts[0].edges.merge(parts[i].edges);
  graph.edges = parts[0].edges.take();
  std::erase_if(graph.edges, [&](const Edge& edge) { return absolute(edge.weight) < cutoff; });
  return Done{};
}

void sort_nodes(Graph& graph, bool by_cum) {
  struct Key {
    i64 weight;
    std::string name;
    i64 other;
    u32 node;
  };
  std::vector<Key> keys;
  for (u32 i : graph.shown) {
    const Node& node = graph.nodes[i];
    const i64 flat = absolute(node.flat), cum = absolute(node.cum);
    keys.push_back({by_cum ? cum : flat, node.shown_name(), by_cum ? flat : cum, i});
  }
  std::ranges::stable_sort(keys, [](const Key& a, const Key& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    if (a.name != b.name) return a.name < b.name;
    return a.other > b.other;
  });
  for (usize i = 0; i < keys.size(); ++i) graph.shown[i] = keys[i].node;
}

}  // namespace

std::string Node::shown_name() const {
  std::string out(name);
  auto add = [&](const std::string& text) { out += (out.empty() ? "" : " ") + text; };
  if (line != 0) {
    add(fmt::format("{}:{}", file, line));
  } else if (!file.empty()) {
    add(file);
  } else if (name.empty()) {
    add(object.empty() ? "<unknown>" : "[" + base_name(std::string(object)) + "]");
  }
  return out;
}

NodeTable::NodeTable(const Profile& profile, const Shape& shape, Granularity granularity)
    : profile_(profile),
      shape_(shape),
      granularity_(granularity),
      by_function_(profile.functions.size(), kNone) {
  spans_.reserve(profile.locations.size());
  frames_.reserve(profile.lines.size());
  for (u32 location = 0; location < profile.locations.size(); ++location) {
    Span span{.first = static_cast<u32>(frames_.size())};
    std::span<const u32> lines = shape.lines_of(location);
    for (usize i = 0; i < lines.size(); ++i) {
      const u32 node = node_of_line(location, lines[i]);
      frames_.push_back(node);
      if (i + 1 != lines.size()) nodes_[node].may_be_inlined = true;
    }
    if (lines.empty()) {
      Node node{.object = object_of(location)};
      std::string key = fmt::format("{}\n0", node.object);
      frames_.push_back(find_or_add(std::move(key), std::move(node)));
    }
    span.count = static_cast<u32>(frames_.size()) - span.first;
    spans_.push_back(span);
  }
}

std::string_view NodeTable::object_of(u32 location) const {
  const u32 mapping = profile_.locations[location].mapping;
  return mapping == kNone ? std::string_view() : profile_.text(profile_.mappings[mapping].file);
}

u32 NodeTable::find_or_add(std::string key, Node node) {
  auto [it, is_new] = by_key_.try_emplace(std::move(key), static_cast<u32>(nodes_.size()));
  if (is_new) nodes_.push_back(std::move(node));
  return it->second;
}

u32 NodeTable::node_of_function(u32 function) {
  u32& known = by_function_[function];
  if (known != kNone) return known;
  std::string_view name = shape_.name_of(function);
  auto [it, is_new] = by_name_.try_emplace(name, static_cast<u32>(nodes_.size()));
  if (is_new) nodes_.push_back({.name = name});
  return known = it->second;
}

u32 NodeTable::node_of_line(u32 location, u32 line) {
  const Line& at = profile_.lines[line];
  const Function& function = profile_.functions[at.function];
  std::string_view name = shape_.name_of(at.function);
  if (granularity_ == Granularity::kFunctions) {
    if (!name.empty()) return node_of_function(at.function);
    Node node{.object = object_of(location), .start_line = function.start_line};
    std::string key = fmt::format("{}\n{}", node.object, node.start_line);
    return find_or_add(std::move(key), std::move(node));
  }
  Node node{.name = name,
            .file = clean_path(profile_.text(function.file)),
            .object = object_of(location),
            .line = at.line,
            .start_line = function.start_line};
  std::string key = fmt::format("{}\n{}\n{}\n{}\n{}", node.name, node.file, node.object, node.line,
                                node.start_line);
  return find_or_add(std::move(key), std::move(node));
}

Result<Graph> make_graph(const Profile& profile, const Shape& shape, const GraphOptions& options) {
  NodeTable table(profile, shape, options.granularity);
  Graph graph;
  graph.nodes = std::move(table.nodes());
  Walk walk{profile, shape, table, options, {}, {}};
  GEIST_TRY_STATUS(sum_nodes(walk, graph));
  i64 sum = 0;
  for (const Node& node : graph.nodes) sum = plus(sum, node.flat);
  const i64 node_cutoff = absolute(times(sum, options.node_fraction));
  const i64 edge_cutoff = absolute(times(sum, options.edge_fraction));
  for (u32 i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.cum == 0 && node.flat == 0) continue;
    if (absolute(node.cum) < node_cutoff) {
      ++graph.dropped;
    } else {
      graph.shown.push_back(i);
    }
  }
  graph.kept = graph.shown.size();
  sort_nodes(graph, options.by_cum);
  if (options.most_nodes > 0 && graph.shown.size() > options.most_nodes)
    graph.shown.resize(options.most_nodes);
  if (options.edges != GraphOptions::Edges::kOmitted)
    GEIST_TRY_STATUS(sum_edges(walk, graph, edge_cutoff));
  return graph;
}

}  // namespace geist::profile
