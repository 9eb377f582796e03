// The hold tree in formats that other tools read. All labels come from the target: each format
// escapes them its own way.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "profile/writer.h"
#include "snap/hold_tree.h"
#include "snap/text.h"

namespace geist::snap {
namespace {

// JSON that is safe between <script> tags.
std::string quote(const std::string& text) {
  std::string out = "\"";
  for (char c : printable(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

constexpr const char* kPage =
#include "snap/page.inc"
    ;

}  // namespace

// A node is a function and a location of the same id.
std::string emit_pprof(const HoldTree& tree) {
  using profile::Message;
  namespace field = profile::field;
  Message out;
  profile::StringTable strings;
  for (auto [type, unit] : {std::pair("inuse_objects", "count"), std::pair("inuse_space", "bytes")})
    out.add(field::kSampleType, profile::value_type(strings, type, unit));
  std::unordered_map<std::string, u64> functions;
  for (u32 i = 1; i < tree.nodes.size(); ++i) {
    functions.try_emplace(tree.nodes[i].label, functions.size() + 1);
  }
  for (u32 i = 1; i < tree.nodes.size(); ++i) {
    const HoldNode& node = tree.nodes[i];
    if (node.objects == 0) continue;
    Message locations, values, sample;
    for (u32 at = i; at != 0; at = tree.nodes[at].parent)
      locations.put_number(functions[tree.nodes[at].label]);
    values.put_number(node.objects);
    values.put_number(node.bytes);
    sample.add(field::kLocationIds, locations);
    sample.add(field::kValues, values);
    out.add(field::kSample, sample);
  }
  for (const auto& [label, id] : functions) {
    Message line, location, function;
    line.put(field::kFunctionOf, id);
    location.put(field::kLocationId, id);
    location.add(field::kLine, line);
    out.add(field::kLocation, location);
    function.put(field::kFunctionId, id);
    function.put(field::kName, strings.id(printable(label)));
    out.add(field::kFunction, function);
  }
  u64 shown = strings.id("inuse_space");
  strings.write(&out);
  out.put(field::kDefaultSampleType, shown);
  return out.take();
}

std::string emit_dot(const HoldTree& tree) {
  constexpr u64 kShownShare = 500;  // a node with less than 1/500 of all is left out
  u64 floor = std::max<u64>(tree.nodes[0].retained / kShownShare, 1);
  std::string out = "digraph heap {\n  rankdir=LR; node [shape=box, fontname=\"sans-serif\"];\n";
  for (u32 i = 0; i < tree.nodes.size(); ++i) {
    const HoldNode& node = tree.nodes[i];
    if (node.retained < floor) continue;
    out +=
        fmt::format("  n{} [label={}];\n", i,
                    quote(fmt::format("{}: {}", clip(node.label, 60), human_size(node.retained))));
    if (i != 0) out += fmt::format("  n{} -> n{};\n", node.parent, i);
  }
  return out + "}\n";
}

std::string emit_heap_json(const HoldTree& tree) {
  std::string out = "{\"schema\": \"geist-heap/1\", \"nodes\": [\n";
  for (usize i = 0; i < tree.nodes.size(); ++i) {
    const HoldNode& node = tree.nodes[i];
    out += fmt::format(
        "  {{\"id\": {}, \"parent\": {}, \"label\": {}, \"objects\": {}, \"bytes\": {}, "
        "\"retained\": {}}}{}\n",
        i, i == 0 ? "null" : std::to_string(node.parent), quote(node.label), node.objects,
        node.bytes, node.retained, i + 1 == tree.nodes.size() ? "" : ",");
  }
  return out + "]}\n";
}

std::string emit_html(const HoldTree& tree, const std::string& title) {
  std::string data = "[";
  for (usize i = 0; i < tree.nodes.size(); ++i) {
    const HoldNode& node = tree.nodes[i];
    if (i != 0) data += ",\n";
    data += fmt::format("[{},{},{},{}]", node.parent, quote(node.label), node.bytes, node.objects);
  }
  std::string page = kPage;
  page.replace(page.find("@TITLE@"), 7, quote(title));
  page.replace(page.find("@DATA@"), 6, data + "]");
  return page;
}

}  // namespace geist::snap
