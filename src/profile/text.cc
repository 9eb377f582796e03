// top, tree and peek: a graph (graph.h), sorted and cut, a line a node. Widths and words are pprof's, so that
// what reads its output reads this.
#include "profile/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "profile/expression.h"
#include "profile/text_parts.h"

namespace geist::profile {
namespace {

constexpr double kNodeFraction = 0.005, kEdgeFraction = 0.001;  // pprof's defaults
constexpr u64 kTreeNodes = 80;

constexpr std::string_view kTreeRule =
    "----------------------------------------------------------+-------------\n";
constexpr std::string_view kTreeHead =
    "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n";

// What calls on a node say: all inlined, some, none.
std::vector<std::string_view> inline_labels(const Graph& graph) {
  std::vector<u8> seen(graph.nodes.size());
  constexpr u8 kInlined = 1, kCalled = 2;
  for (const Edge& edge : graph.edges) seen[edge.to] |= edge.is_inlined ? kInlined : kCalled;
  std::vector<std::string_view> labels(graph.nodes.size());
  for (usize i = 0; i < seen.size(); ++i) {
    if (seen[i] == kInlined) labels[i] = " (inline)";
    if (seen[i] == (kInlined | kCalled)) labels[i] = " (partial-inline)";
  }
  return labels;
}

// Edges by one of their ends, in the order in which they are printed.
std::vector<std::vector<const Edge*>> edges_by(const Graph& graph, u32 Edge::*end,
                                               u32 Edge::*other) {
  std::vector<std::vector<const Edge*>> lists(graph.nodes.size());
  for (const Edge& edge : graph.edges) lists[edge.*end].push_back(&edge);
  for (auto& list : lists) {
    std::ranges::sort(list, [&](const Edge* a, const Edge* b) {
      if (a->weight != b->weight && absolute(a->weight) != absolute(b->weight))
        return absolute(a->weight) > absolute(b->weight);
      if (a->weight != b->weight) return a->weight > b->weight;
      return graph.nodes[a->*other].shown_name() < graph.nodes[b->*other].shown_name();
    });
  }
  return lists;
}

class TreeWriter {
 public:
  explicit TreeWriter(const Answer& answer)
      : answer_(answer),
        in_(edges_by(answer.graph, &Edge::to, &Edge::from)),
        out_edges_(edges_by(answer.graph, &Edge::from, &Edge::to)) {}

  void add(u32 index) {
    const Node& node = answer_.graph.nodes[index];
    text_ += kTreeRule;
    for (const Edge* edge : in_[index]) add_edge(*edge, edge->from, node.cum);
    sum_ = plus(sum_, node.flat);
    text_ += fmt::format("{:>10} {} {} {:>10} {}                | {}\n", answer_.value(node.flat),
                         answer_.share(node.flat), answer_.share(sum_), answer_.value(node.cum),
                         answer_.share(node.cum), printable(node.shown_name()));
    for (const Edge* edge : out_edges_[index]) add_edge(*edge, edge->to, node.cum);
  }
  std::string take() { return std::move(text_); }

 private:
  void add_edge(const Edge& edge, u32 other, i64 cum) {
    text_ += fmt::format(
        "{:>50} {} |   {}{}\n", answer_.value(edge.weight), percentage(edge.weight, cum),
        printable(answer_.graph.nodes[other].shown_name()), edge.is_inlined ? " (inline)" : "");
  }

  const Answer& answer_;
  std::vector<std::vector<const Edge*>> in_, out_edges_;
  std::string text_;
  i64 sum_ = 0;
};

}  // namespace

Result<std::string> emit_top(const Profile& profile, const ReportOptions& options,
                             std::vector<std::string>* notes) {
  GraphOptions graph_options{.most_nodes = static_cast<u64>(std::max<i64>(options.most_nodes, 0)),
                             .node_fraction = kNodeFraction,
                             .edge_fraction = kEdgeFraction,
                             .edges = GraphOptions::Edges::kIntoInlined};
  GEIST_TRY(answer, ask(profile, options, graph_options, notes));
  choose_unit(answer);
  std::string out = emit_labels(profile, options, answer, kNodeFraction);
  out += fmt::format("{:>10} {:>5}% {:>5}% {:>10} {:>5}%\n", "flat", "flat", "sum", "cum", "cum");
  std::vector<std::string_view> labels = inline_labels(answer.graph);
  i64 sum = 0;
  for (u32 i : answer.graph.shown) {
    const Node& node = answer.graph.nodes[i];
    sum = plus(sum, node.flat);
    out += fmt::format("{:>10} {} {} {:>10} {}  {}{}\n", answer.value(node.flat),
                       answer.share(node.flat), answer.share(sum), answer.value(node.cum),
                       answer.share(node.cum), printable(node.shown_name()), labels[i]);
  }
  return out;
}

Result<std::string> emit_tree(const Profile& profile, const ReportOptions& options,
                              std::vector<std::string>* notes) {
  const u64 most = options.most_nodes < 0 ? kTreeNodes : static_cast<u64>(options.most_nodes);
  GraphOptions graph_options{.most_nodes = most,
                             .node_fraction = kNodeFraction,
                             .edge_fraction = kEdgeFraction,
                             .edges = GraphOptions::Edges::kAll};
  GEIST_TRY(answer, ask(profile, options, graph_options, notes));
  choose_unit(answer);
  std::string out = emit_labels(profile, options, answer, kNodeFraction);
  out += kTreeRule;
  out += kTreeHead;
  TreeWriter writer(answer);
  for (u32 i : answer.graph.shown) writer.add(i);
  out += writer.take();
  if (!answer.graph.shown.empty()) out += kTreeRule;
  return out;
}

Result<std::string> emit_peek(const Profile& profile, const ReportOptions& options,
                              const std::string& expression, std::vector<std::string>* notes) {
  GEIST_TRY(wanted, Expression::make("peek", expression));
  GraphOptions graph_options{.edges = GraphOptions::Edges::kAll};
  GEIST_TRY(answer, ask(profile, options, graph_options, notes));
  choose_unit(answer);
  std::string out = emit_labels(profile, options, answer, 0);
  out += kTreeRule;
  out += kTreeHead;
  TreeWriter writer(answer);
  bool has_any = false;
  for (u32 i : answer.graph.shown) {
    if (!wanted.matches(answer.graph.nodes[i].shown_name())) continue;
    writer.add(i);
    has_any = true;
  }
  if (!has_any) return Error(fmt::format("peek: no function matches \"{}\"", expression));
  return out + writer.take() + std::string(kTreeRule);
}

}  // namespace geist::profile
