// The source of functions with the values of each line, as `go tool pprof -list` prints it. A file that
// is not where the profile has it is looked for as for reports (source/source.h).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "profile/expression.h"
#include "profile/text.h"
#include "profile/text_parts.h"
#include "source/source.h"

namespace geist::profile {
namespace {

constexpr i64 kMargin = 5;  // lines before the first and after the last with a sample

struct Listed {
  std::vector<const Node*> nodes;  // one a line and start, by line
};

// Tabs stay: the text is source, and lines up by them.
std::string printable_source(std::string_view line) {
  std::string out;
  while (true) {
    const usize tab = line.find('\t');
    out += printable(line.substr(0, tab));
    if (tab == line.npos) return out;
    out += '\t';
    line.remove_prefix(tab + 1);
  }
}

// Line `line` of the text, as it is; nothing behind its end.
std::optional<std::string_view> line_of(const source::SourceText& text, i64 line) {
  if (line < 1 || line > text.line_count()) return std::nullopt;
  const usize begin = text.start_of(static_cast<u32>(line));
  if (begin >= text.text().size()) return std::nullopt;
  std::string_view rest = text.text().substr(begin);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

class ListWriter {
 public:
  explicit ListWriter(const Answer& answer) : answer_(answer) {}

  void add(const std::string& name, const std::string& file, const Listed& listed) {
    i64 flat = 0, cum = 0;
    for (const Node* node : listed.nodes) {
      flat = plus(flat, node->flat);
      cum = plus(cum, node->cum);
    }
    text_ += fmt::format("ROUTINE ======================== {} in {}\n", printable(name),
                         printable(file));
    text_ += fmt::format("{:>10} {:>10} (flat, cum) {} of Total\n", answer_.value(flat),
                         answer_.value(cum), answer_.share(cum));
    const source::SourceText* text = sources_.find_file(file);
    if (text == nullptr) {
      text_ += fmt::format(" Error: {}: this file is not here\n", printable(file));
      return;
    }
    add_lines(*text, listed);
  }
  std::string take() { return std::move(text_); }

 private:
  void add_lines(const source::SourceText& text, const Listed& listed) {
    const Node& head = *listed.nodes.front();
    i64 first = head.start_line != 0 ? head.start_line : plus(head.line, -kMargin);
    i64 last = plus(head.line, kMargin);
    std::map<i64, std::pair<i64, i64>> values;
    for (const Node* node : listed.nodes) {
      first =
          std::min(first, node->start_line != 0 ? node->start_line : plus(node->line, -kMargin));
      last = std::max(last, plus(node->line, kMargin));
      auto& [flat, cum] = values[node->line];
      flat = plus(flat, node->flat);
      cum = plus(cum, node->cum);
    }
    for (i64 line = std::max<i64>(first, 1); line <= last; ++line) {
      std::optional<std::string_view> shown = line_of(text, line);
      if (!shown) return;
      auto found = values.find(line);
      auto [flat, cum] = found == values.end() ? std::pair<i64, i64>() : found->second;
      text_ += fmt::format("{:>10} {:>10} {:>6}:{}\n", value_or_dot(flat), value_or_dot(cum), line,
                           printable_source(*shown));
    }
  }

  std::string value_or_dot(i64 value) const { return value == 0 ? "." : answer_.value(value); }

  const Answer& answer_;
  source::SourceCache sources_;
  std::string text_;
};

}  // namespace

Result<std::string> emit_list(const Profile& profile, const ReportOptions& options,
                              const std::string& expression, std::vector<std::string>* notes) {
  GEIST_TRY(wanted, Expression::make("list", expression));
  GraphOptions graph_options{.granularity = Granularity::kLines};
  GEIST_TRY(answer, ask(profile, options, graph_options, notes));
  std::map<std::string, std::map<std::string, Listed>> functions;  // name, file
  for (u32 i : answer.graph.shown) {
    const Node& node = answer.graph.nodes[i];
    if (wanted.matches(node.name))
      functions[std::string(node.name)][node.file].nodes.push_back(&node);
  }
  if (functions.empty()) return Error(fmt::format("list: no function matches \"{}\"", expression));
  std::string out = fmt::format("Total: {}\n", answer.value(answer.graph.total));
  ListWriter writer(answer);
  for (auto& [name, files] : functions) {
    if (files.size() == 1 && files.begin()->first.empty()) {
      out += writer.take() + fmt::format("No source information for {}\n", printable(name));
      continue;
    }
    for (auto& [file, listed] : files) {
      if (file.empty()) continue;
      std::ranges::sort(listed.nodes, {}, [](const Node* node) { return node->line; });
      writer.add(name, file, listed);
    }
  }
  return out + writer.take();
}

}  // namespace geist::profile
