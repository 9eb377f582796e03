// Who allocated, ran or waited: samples added up by function, or by line.
//
//   locations ─▶ NodeTable: the nodes of each location     samples ─▶ flat and cum of each node
//                                                                 ─▶ weight of each call between kept nodes
//
// flat: the node is the leaf of the stack. cum: it is somewhere in it, counted once a sample. Which nodes
// and calls are left out, and in which order the rest stands, is as in github.com/google/pprof,
// internal/graph and internal/report; tests/e2e compares the rows with `go tool pprof`.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "profile/profile.h"
#include "profile/shape.h"

namespace geist::profile {

enum class Granularity { kFunctions, kLines };

struct Node {
  std::string_view name = {};  // of the function; empty: not known
  std::string file = {};       // kLines only
  std::string_view object = {};
  i64 line = 0, start_line = 0;
  i64 flat = 0, cum = 0;
  bool may_be_inlined = false;  // some location has it inside another function

  // As a report names it: function, file and line, or the program.
  std::string shown_name() const;
};

// Which nodes the frames of a location are, the innermost first.
class NodeTable {
 public:
  NodeTable(const Profile& profile, const Shape& shape, Granularity granularity);
  std::span<const u32> nodes_of(u32 location) const {
    const Span& span = spans_[location];
    return {frames_.data() + span.first, span.count};
  }
  std::vector<Node>& nodes() { return nodes_; }

 private:
  struct Span {
    u32 first = 0, count = 0;
  };
  u32 node_of_line(u32 location, u32 line);
  u32 node_of_function(u32 function);
  u32 find_or_add(std::string key, Node node);
  std::string_view object_of(u32 location) const;

  const Profile& profile_;
  const Shape& shape_;
  Granularity granularity_;
  std::vector<Span> spans_;
  std::vector<u32> frames_;
  std::vector<Node> nodes_;
  std::vector<u32> by_function_;
  std::unordered_map<std::string_view, u32> by_name_;
  std::unordered_map<std::string, u32> by_key_;
};

struct Edge {
  u32 from = 0, to = 0;  // nodes
  i64 weight = 0;
  bool is_inlined = false;  // wherever it was seen
};

struct GraphOptions {
  usize value = 0;  // index of the sample type
  bool by_cum = false;
  u64 most_nodes = 0;  // 0: all
  double node_fraction = 0, edge_fraction = 0;
  enum class Edges { kOmitted, kIntoInlined, kAll } edges = Edges::kOmitted;
  bool is_diff = false;  // shares are of the samples of the base alone (merge.h)
  Granularity granularity = Granularity::kFunctions;
  unsigned threads = 1;
};

struct Graph {
  std::vector<Node> nodes;  // of the table
  std::vector<u32> shown;   // kept ones, in the order of the report
  std::vector<Edge> edges;  // between shown nodes
  i64 total = 0;            // of all samples, before filters
  usize kept = 0;           // nodes before most_nodes
  usize dropped = 0;        // nodes below node_fraction
};

// Fails on a damaged sample.
Result<Graph> make_graph(const Profile& profile, const Shape& shape, const GraphOptions& options);

// The label that marks samples of the base of --diff_base, as in pprof.
constexpr std::string_view kBaseLabel = "pprof::base";

}  // namespace geist::profile
