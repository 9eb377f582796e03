#include "heap/known_types.h"

#include <array>
#include <string_view>

namespace geist::heap {
namespace {

struct HiddenPointee {
  std::string_view struct_name, field;
  Flow flow;
  std::string_view array_of;  // kArray: the type of its elements
};
constexpr std::array kHidden = {
    // sync/pool.go Pool: local and victim are [P]poolLocal
    HiddenPointee{"sync.Pool", "local", Flow::kArray, "sync.poolLocal"},
    HiddenPointee{"sync.Pool", "victim", Flow::kArray, "sync.poolLocal"},
    // sync/poolqueue.go eface, of which the queue's ring is made
    HiddenPointee{"sync.eface", "val", Flow::kBoxed, ""},
    // runtime/runtime2.go eface
    HiddenPointee{"runtime.eface", "data", Flow::kBoxed, ""},
    // reflect/value.go Value
    HiddenPointee{"reflect.Value", "ptr", Flow::kReflected, ""},
};

// "[int,*main.T]" as "[go.shape.int,go.shape.*uint8]" (cmd/compile/internal/noder/reader.go,
// shapify). Of a named type the shape is another one; then there is no type of this name.
std::string shapes_of(const std::string& arguments) {
  std::string shapes = "[";
  int depth = 0;
  usize begin = 1;
  for (usize i = 1; i < arguments.size(); ++i) {
    char c = arguments[i];
    bool ends = depth == 0 && (c == ',' || c == ']');
    depth += (c == '[' || c == '(' || c == '{') - (c == ']' || c == ')' || c == '}');
    if (!ends) continue;
    std::string one = arguments.substr(begin, i - begin);
    shapes += "go.shape." + (one.starts_with('*') ? "*uint8" : one) + c;
    begin = i + 1;
  }
  return shapes;
}

}  // namespace

PointerWord find_hidden_pointee(HeapTypes& types, const std::string& struct_name,
                                const std::string& field) {
  for (const HiddenPointee& known : kHidden) {
    if (known.struct_name != struct_name || known.field != field) continue;
    if (known.flow != Flow::kArray) return {.flow = known.flow};
    TypeId array = types.array_of(types.of_name(std::string(known.array_of)));
    if (array != kUnknownType) return {.flow = Flow::kArray, .target = array};
  }
  return {};
}

bool is_not_in_heap_marker(const std::string& struct_name) {
  return struct_name == "internal/runtime/sys.nih" || struct_name == "runtime/internal/sys.nih";
}

// runtime/iface.go itabAdd: the table is made as bytes, since itabs are never freed.
bool has_uncollected_pointers(const std::string& struct_name) {
  return struct_name == "runtime.itabTableType";
}

std::optional<NodeNames> find_node_names(const std::string& struct_name) {
  for (std::string_view package : {"internal/sync.", "internal/concurrent."}) {
    std::string prefix = std::string(package) + "node[";
    if (!struct_name.starts_with(prefix)) continue;
    std::string arguments = struct_name.substr(prefix.size() - 1);
    NodeNames names;
    for (const std::string& form : {arguments, shapes_of(arguments)}) {
      names.entry.push_back(std::string(package) + "entry" + form);
      names.indirect.push_back(std::string(package) + "indirect" + form);
    }
    return names;
  }
  return std::nullopt;
}

}  // namespace geist::heap
