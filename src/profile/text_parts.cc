// The lines above a table say what the profile is, what was filtered, and what is not shown. One unit is chosen
// for all of a table, the one in which its smallest value still has two digits (report.go,
// selectOutputUnit).
#include "profile/text_parts.h"

#include <fmt/format.h>

#include <ctime>

#include "base/text.h"

namespace geist::profile {
namespace {

std::string time_text(i64 time_ns) {
  std::time_t seconds = time_ns / 1'000'000'000 - (time_ns % 1'000'000'000 < 0 ? 1 : 0);
  std::tm parts{};
  char text[64];
  if (localtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &parts) == 0)
    return fmt::format("{}", seconds);
  return text;
}

void add_line(std::string* out, std::string_view text) {
  *out += printable(text);
  *out += '\n';
}

void add_profile_labels(const Profile& profile, const Answer& answer, std::string* out) {
  if (!profile.mappings.empty()) {
    const Mapping& main = profile.mappings.front();
    if (main.file != 0 && !profile.text(main.file).empty())
      add_line(out, "File: " + base_name(std::string(profile.text(main.file))));
    if (!profile.text(main.build_id).empty())
      add_line(out, fmt::format("Build ID: {}", profile.text(main.build_id)));
  }
  for (std::string_view comment : profile.comments) {
    if (!comment.starts_with('#')) add_line(out, comment);
  }
  if (!answer.type.type.empty()) add_line(out, fmt::format("Type: {}", answer.type.type));
  if (!profile.doc_url.empty()) add_line(out, fmt::format("Doc: {}", profile.doc_url));
  if (profile.time_ns != 0) add_line(out, "Time: " + time_text(profile.time_ns));
  if (profile.duration_ns == 0) return;
  Scaled total = scale(answer.graph.total, answer.type.unit, "nanoseconds");
  std::string ratio;
  if (total.unit == "ns" && total.value != 0)
    ratio = "(" + percentage(static_cast<i64>(total.value), profile.duration_ns) + ")";
  *out += fmt::format("Duration: {}, Total samples = {} {}\n",
                      scaled_label(profile.duration_ns, "nanoseconds", "auto"),
                      answer.value(answer.graph.total), ratio);
}

void add_filters(const Filters& filters, std::string* out) {
  constexpr usize kMostBytes = 80;
  std::string lines;
  auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    std::string text = fmt::format("{}={}", name, value);
    if (text.size() > kMostBytes) {
      text.resize(kMostBytes);
      text += "…";
    }
    add_line(&lines, "   " + text);
  };
  add("focus", filters.focus);
  add("ignore", filters.ignore);
  add("hide", filters.hide);
  add("show", filters.show);
  add("show_from", filters.show_from);
  add("tagfocus", filters.tag_focus);
  add("tagignore", filters.tag_ignore);
  if (!lines.empty()) *out += "Active filters:\n" + lines;
}

std::string trimmed(std::string text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

}  // namespace

Result<Answer> ask(const Profile& profile, const ReportOptions& options, GraphOptions graph_options,
                   std::vector<std::string>* notes) {
  GEIST_TRY(value, profile.find_sample_type(options.sample_type));
  GEIST_TRY(shape, Shape::make(profile, options.filters));
  for (const std::string& name : shape.unmatched())
    notes->push_back(fmt::format("--{} matches no function, file or program", name));
  graph_options.value = value;
  graph_options.by_cum = options.by_cum;
  graph_options.is_diff = options.is_diff;
  graph_options.threads = options.threads;
  GEIST_TRY(graph, make_graph(profile, shape, graph_options));
  return Answer{std::move(shape), std::move(graph), profile.sample_types[value], "minimum"};
}

void choose_unit(Answer& answer) {
  const Graph& graph = answer.graph;
  if (graph.shown.empty()) return;
  i64 least = 0;
  for (u32 i : graph.shown) {
    const Node& node = graph.nodes[i];
    const i64 value = absolute(node.flat) != 0 ? absolute(node.flat) : absolute(node.cum);
    if (value > 0 && (least == 0 || value < least)) least = value;
  }
  const i64 most = graph.total;
  if (least == 0) least = most;
  std::string unit = scale(least, answer.type.unit, "minimum").unit;
  const std::string unit_of_most = scale(most, answer.type.unit, "minimum").unit;
  const i64 hundredfold = static_cast<i64>(static_cast<u64>(least) * 100);
  if (unit != unit_of_most && hundredfold < most)
    unit = scale(hundredfold, answer.type.unit, "minimum").unit;
  answer.unit = unit.empty() ? std::string(answer.type.unit) : unit;
}

std::string emit_labels(const Profile& profile, const ReportOptions& options, const Answer& answer,
                        double node_fraction) {
  const Graph& graph = answer.graph;
  std::string out;
  add_profile_labels(profile, answer, &out);
  add_filters(options.filters, &out);
  i64 shown = 0;
  for (u32 i : graph.shown) shown = plus(shown, graph.nodes[i].flat);
  out += fmt::format("Showing nodes accounting for {}, {} of {} total\n", answer.value(shown),
                     trimmed(answer.share(shown)), answer.value(graph.total));
  if (graph.total == 0) return out;
  if (graph.dropped > 0)
    out +=
        fmt::format("Dropped {} node{} (cum <= {})\n", graph.dropped, graph.dropped > 1 ? "s" : "",
                    answer.value(absolute(times(graph.total, node_fraction))));
  if (!graph.shown.empty() && graph.shown.size() < graph.kept)
    out += fmt::format("Showing top {} nodes out of {}\n", graph.shown.size(), graph.kept);
  return out;
}

}  // namespace geist::profile
