// The hold tree in formats that other tools read. All labels come from the target: each format
// escapes them its own way.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
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

// Protocol buffers, wire types 0 and 2.
class Message {
 public:
  void number(u32 field, u64 value) {
    varint(u64{field} << 3);
    varint(value);
  }
  void bytes(u32 field, const std::string& value) {
    varint(u64{field} << 3 | 2);
    varint(value.size());
    out_ += value;
  }
  void varint(u64 value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
};

class Strings {
 public:
  u64 add(const std::string& text) {
    auto [it, is_new] = index_.try_emplace(text, list_.size());
    if (is_new) list_.push_back(text);
    return it->second;
  }
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::unordered_map<std::string, u64> index_ = {{"", 0}};
  std::vector<std::string> list_ = {""};
};

constexpr const char* kPage =
#include "snap/page.inc"
    ;

}  // namespace

// github.com/google/pprof/proto/profile.proto: sample_type 1, sample 2, location 4, function 5,
// string_table 6. A node is a function and a location of the same id.
std::string emit_pprof(const HoldTree& tree) {
  Message profile;
  Strings strings;
  for (auto [type, unit] :
       {std::pair("inuse_objects", "count"), std::pair("inuse_space", "bytes")}) {
    Message value;
    value.number(1, strings.add(type));
    value.number(2, strings.add(unit));
    profile.bytes(1, value.text());
  }
  std::unordered_map<std::string, u64> functions;
  for (u32 i = 1; i < tree.nodes.size(); ++i) {
    functions.try_emplace(tree.nodes[i].label, functions.size() + 1);
  }
  for (u32 i = 1; i < tree.nodes.size(); ++i) {
    const HoldNode& node = tree.nodes[i];
    if (node.objects == 0) continue;
    Message locations, values, sample;
    for (u32 at = i; at != 0; at = tree.nodes[at].parent)
      locations.varint(functions[tree.nodes[at].label]);
    values.varint(node.objects);
    values.varint(node.bytes);
    sample.bytes(1, locations.text());
    sample.bytes(2, values.text());
    profile.bytes(2, sample.text());
  }
  for (const auto& [label, id] : functions) {
    Message line, location, function;
    line.number(1, id);
    location.number(1, id);
    location.bytes(4, line.text());
    profile.bytes(4, location.text());
    function.number(1, id);
    function.number(2, strings.add(printable(label)));
    profile.bytes(5, function.text());
  }
  u64 shown = strings.add("inuse_space");
  for (const std::string& text : strings.list()) profile.bytes(6, text);
  profile.number(14, shown);  // default_sample_type
  return profile.text();
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
