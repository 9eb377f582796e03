// Paths are found by one breadth-first walk over the whole graph, which every later question uses.
//
// An expression is a list of steps: the root, then for each object on the way what lies at the
// offset of the pointer that leads on. Parts of maps and channels write nothing, entries of a map
// write their key, as read from memory; the content of an interface writes a type assertion.
#include "snap/paths.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/go_symbol.h"
#include "base/text.h"

namespace geist::snap {

using heap::Flow;
using heap::Form;
using heap::HeapField;
using heap::HeapGraph;
using heap::HeapType;
using heap::kNoObject;
using heap::ObjectId;
using heap::Root;
using heap::RootHolder;
using heap::TypeId;
using read::Kind;

namespace {

constexpr u64 kMaxKeyBytes = 40;  // of a string key that is shown
constexpr usize kMaxSteps = 24;   // longer paths are shown with a gap

// Which entry of a bucket or group the byte at an offset belongs to.
struct MapPlace {
  TypeId type = heap::kUnknownType;  // of the key or element
  TypeId key_type = heap::kUnknownType;
  u64 key_offset = 0;  // of the entry's key in the bucket
  u64 offset = 0;      // in the key or element
  bool is_key = false;
};

// runtime/map.go bmap: keys [8]K, elems [8]V. internal/runtime/maps group: slots [8]{key, elem}, or
// keys and elems apart (GOEXPERIMENT=mapsplitgroup).
std::optional<MapPlace> find_map_place(heap::HeapTypes& types, TypeId bucket, u64 offset) {
  const HeapType& group = types.at(bucket);
  const HeapField* keys = nullptr;
  const HeapField* inside = nullptr;
  for (const HeapField& field : group.fields) {
    if (field.name == "keys") keys = &field;
    if (field.offset <= offset) inside = &field;
  }
  if (inside == nullptr || inside->type == heap::kUnknownType) return std::nullopt;
  const HeapType& array = types.at(inside->type);
  if (array.kind != Kind::kArray || array.elem == heap::kUnknownType) return std::nullopt;
  const HeapType& item = types.at(array.elem);
  u64 index = (offset - inside->offset) / std::max<u64>(item.size_bytes, 1);
  u64 rest = (offset - inside->offset) % std::max<u64>(item.size_bytes, 1);
  if (inside->name == "slots" && item.fields.size() == 2) {
    bool is_key = rest < item.fields[1].offset;
    const HeapField& part = item.fields[is_key ? 0 : 1];
    return MapPlace{.type = part.type,
                    .key_type = item.fields[0].type,
                    .key_offset = inside->offset + index * item.size_bytes,
                    .offset = rest - part.offset,
                    .is_key = is_key};
  }
  if (keys == nullptr || (inside->name != "keys" && inside->name != "elems")) return std::nullopt;
  const HeapType& key_array = types.at(keys->type);
  if (key_array.elem == heap::kUnknownType) return std::nullopt;
  return MapPlace{.type = array.elem,
                  .key_type = key_array.elem,
                  .key_offset = keys->offset + index * types.at(key_array.elem).size_bytes,
                  .offset = rest,
                  .is_key = inside == keys};
}

// "a", ".next" many times, ".leaf"  ->  "a.next{x997}.leaf"
std::string join_steps(const std::vector<std::string>& steps) {
  constexpr usize kFewRepeats = 3;
  std::vector<std::string> parts;
  for (usize i = 0; i < steps.size();) {
    usize end = i + 1;
    while (end < steps.size() && steps[end] == steps[i]) ++end;
    if (!steps[i].empty() && end - i > kFewRepeats) {
      parts.push_back(fmt::format("{}{{x{}}}", steps[i], end - i));
    } else {
      parts.insert(parts.end(), end - i, steps[i]);
    }
    i = end;
  }
  std::string path;
  for (usize i = 0; i < parts.size(); ++i) {
    bool is_shown = i < kMaxSteps || i + kFewRepeats >= parts.size();
    if (is_shown) path += parts[i];
    if (i == kMaxSteps && !is_shown)
      path += fmt::format(" …{} steps… ", parts.size() - kMaxSteps - kFewRepeats);
  }
  return path;
}

bool is_map_part(Form form) {
  return form == Form::kMapHeader || form == Form::kMapTable || form == Form::kMapDirectory ||
         form == Form::kMapExtra || form == Form::kMapOverflow;
}

}  // namespace

// Breadth first from all roots at once, globals before variables. What nobody has a name for leads
// only to what they do not reach.
void Paths::search() {
  if (!above_.empty()) return;
  above_.assign(u64{graph_.last_id()} + 1, kNobody);
  std::vector<ObjectId> now, next;
  auto visit = [&](u32 slot, u32 from) {
    ObjectId id = HeapGraph::target(slot);
    if (slot == 0 || above_[id] != kNobody) return;
    above_[id] = from;
    if (id <= graph_.last_scan_id()) next.push_back(id);
  };
  auto add_roots = [&](auto is_wanted) {
    for (u32 i = 0; i < graph_.roots().size(); ++i) {
      const Root& root = graph_.roots()[i];
      if (is_wanted(graph_.holders()[root.holder])) visit(root.slot, kRootBit | i);
    }
  };
  auto walk = [&] {
    while (!next.empty()) {
      now.swap(next);
      next.clear();
      for (ObjectId id : now) {
        for (u32 slot : graph_.slots(id)) visit(slot, id);
      }
    }
  };
  auto is_global = [](const RootHolder& h) { return h.kind == RootHolder::Kind::kGlobal; };
  add_roots(is_global);
  add_roots([&](const RootHolder& h) { return !is_global(h) && !h.name.empty(); });
  walk();
  add_roots([](const RootHolder& h) { return h.name.empty(); });
  walk();
}

bool Paths::is_named(ObjectId id) {
  const Root* root = root_of(id);
  return root != nullptr && !graph_.holders()[root->holder].name.empty();
}

const Root* Paths::root_of(ObjectId id) {
  search();
  while (id != kNoObject && above_[id] != kNobody) {
    if ((above_[id] & kRootBit) != 0) return &graph_.roots()[above_[id] & ~kRootBit];
    id = above_[id];
  }
  return nullptr;
}

std::string Paths::path_of(const Root& root) const {
  const RootHolder& holder = graph_.holders()[root.holder];
  std::string name = holder.name;
  if (holder.kind == RootHolder::Kind::kGlobal) name = short_function(name);
  if (name.starts_with('&')) name.erase(0, 1);
  if (holder.kind == RootHolder::Kind::kStack && name.empty()) name = "a temporary";
  if (holder.type != heap::kUnknownType)
    name += graph_.types().place(holder.type, root.word.offset);
  return name;
}

std::string Paths::value_text(TypeId type_id, TargetAddr at) const {
  const process::Memory& memory = *graph_.image().memory;
  const HeapType& type = graph_.types().at(type_id);
  if (type.kind == Kind::kString) {
    u64 size = memory.find<u64>(at + 8).value_or(0);
    std::string text(std::min(size, kMaxKeyBytes), '\0');
    TargetAddr bytes(memory.find<u64>(at).value_or(0));
    if (!memory.read(bytes, {reinterpret_cast<u8*>(text.data()), text.size()})) return "…";
    return fmt::format("\"{}{}\"", printable(text), size > text.size() ? "…" : "");
  }
  bool is_signed = type.kind >= Kind::kInt && type.kind <= Kind::kInt64;
  bool is_unsigned = type.kind >= Kind::kUint && type.kind <= Kind::kUintptr;
  u64 value = 0;
  if ((!is_signed && !is_unsigned) || type.size_bytes > 8) return "…";
  if (!memory.read(at, {reinterpret_cast<u8*>(&value), type.size_bytes})) return "…";
  u64 shift = 64 - type.size_bytes * 8;
  if (is_unsigned) return fmt::format("{}", value);
  return fmt::format("{}", static_cast<i64>(value << shift) >> shift);
}

std::string Paths::entry_of_map(ObjectId id, u64 offset) const {
  heap::HeapTypes& types = graph_.types();
  const HeapType& type = types.at(graph_.type(id));
  TypeId bucket = type.form == Form::kArray ? type.elem : graph_.type(id);
  u64 step = std::max<u64>(types.at(bucket).size_bytes, 1);
  std::optional<MapPlace> place = find_map_place(types, bucket, offset % step);
  if (!place) return "[…]";
  TargetAddr key = graph_.addr(id) + offset / step * step + place->key_offset;
  std::string text = fmt::format("[{}]", value_text(place->key_type, key));
  if (place->is_key) return text + " (the key)" + types.place(place->type, place->offset);
  return text + types.place(place->type, place->offset);
}

std::string Paths::step(ObjectId id, std::optional<u64> offset) const {
  heap::HeapTypes& types = graph_.types();
  TypeId type_id = graph_.type(id);
  const HeapType& type = types.at(type_id);
  if (is_map_part(type.form) || type.form == Form::kChan) return "";
  if (!offset) return type_id == heap::kUnknownType ? ".?" : "";
  bool is_bucket = type.is_bucket || (type.form == Form::kArray && types.at(type.elem).is_bucket);
  if (!is_bucket) return types.place(type_id, *offset);
  // A link to the next bucket is not an entry.
  std::string entry = entry_of_map(id, *offset);
  return entry == "[…]" ? "" : entry;
}

std::string Paths::stack_suffix(const Root& root) const {
  const RootHolder& holder = graph_.holders()[root.holder];
  if (holder.kind != RootHolder::Kind::kStack) return "";
  std::string function = short_function(holder.function);
  return (function.empty() ? "" : " in " + function) + fmt::format(" (goroutine {})", holder.goid);
}

std::string Paths::path_of_root(const Root& root) const {
  return path_of(root) + stack_suffix(root);
}

// Without the part that says where the root is.
std::string Paths::chain_to(ObjectId id, std::string* suffix) {
  search();
  std::vector<ObjectId> chain = {id};
  while ((above_[chain.back()] & kRootBit) == 0) chain.push_back(above_[chain.back()]);
  std::ranges::reverse(chain);
  const Root& root = graph_.roots()[above_[chain.front()] & ~kRootBit];
  *suffix = stack_suffix(root);
  auto assertion = [&](Flow flow, ObjectId target) -> std::string {
    if (flow != Flow::kInterface || graph_.type(target) == heap::kUnknownType) return "";
    bool is_pointer = graph_.types().at(graph_.type(target)).kind == Kind::kStruct;
    return fmt::format(".({}{})", is_pointer ? "*" : "", graph_.type_name(target));
  };
  std::vector<std::string> steps = {path_of(root) + assertion(root.word.flow, chain.front())};
  for (usize i = 0; i + 1 < chain.size(); ++i) {
    std::span<const u32> slots = graph_.slots(chain[i]);
    auto slot =
        std::ranges::find_if(slots, [&](u32 s) { return HeapGraph::target(s) == chain[i + 1]; });
    u64 k = static_cast<u64>(slot - slots.begin());
    steps.push_back(step(chain[i], graph_.find_slot_offset(chain[i], k)) +
                    assertion(graph_.find_slot_word(chain[i], k).flow, chain[i + 1]));
  }
  return join_steps(steps);
}

std::string Paths::path_to(ObjectId id) {
  search();
  if (id == kNoObject || above_[id] == kNobody) return "";
  std::string suffix;
  std::string path = chain_to(id, &suffix);
  return path + suffix;
}

std::string Paths::path_to(ObjectId holder, u64 offset) {
  search();
  if (holder == kNoObject || above_[holder] == kNobody) return "";
  std::string suffix;
  std::string path = chain_to(holder, &suffix);
  return path + step(holder, offset) + suffix;
}

}  // namespace geist::snap
