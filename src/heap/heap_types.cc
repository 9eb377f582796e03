// See heap_types.h. A type is described (fields, elements, by id) and then compiled (words); both
// on first use, so that recursive types end and only types that the heap has are read.
#include "heap/heap_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "heap/known_types.h"

namespace geist::heap {
namespace {

using read::Kind;

// An array of more pointer words than this inside one value is taken as a prefix.
constexpr usize kMaxWords = 1 << 16;
constexpr int kMaxDepth = 64;

// runtime/map.go hmap and mapextra; internal/runtime/maps Map and table.
constexpr u64 kHmapBytes = 48, kHmapBuckets = 16, kHmapOldbuckets = 24, kHmapExtra = 40;
constexpr u64 kMapBytes = 48, kMapDirPtr = 16;
constexpr u64 kTableBytes = 32, kTableGroups = 16;
constexpr u64 kHchanBuf = 16;  // runtime/chan.go hchan.buf

// sync/atomic Pointer[T]: struct { _ [0]*T; _ noCopy; v unsafe.Pointer }. The empty array is there
// to name T.
TypeId find_atomic_pointee(HeapTypes& types, const HeapType& type) {
  if (type.fields.empty() || type.fields[0].type == kUnknownType) return kUnknownType;
  const HeapType& first = types.at(type.fields[0].type);
  bool is_empty_array =
      first.kind == Kind::kArray && first.length == 0 && first.elem != kUnknownType;
  if (!is_empty_array) return kUnknownType;
  const HeapType& pointer = types.at(first.elem);
  return pointer.kind == Kind::kPointer ? pointer.elem : kUnknownType;
}

}  // namespace

HeapTypes::HeapTypes(const read::GoBinary& binary, read::DebugInfo* debug)
    : binary_(binary), debug_(debug) {
  add({.name = "?"});
  GEIST_CHECK(add({.form = Form::kStringBytes, .name = "string", .size_bytes = 1}) ==
              kStringBytesId);
  GEIST_CHECK(add({.form = Form::kTiny, .name = "tiny values", .size_bytes = 16}) == kTinyId);
  for (Entry& entry : types_) {
    entry.is_described = entry.is_compiled = true;
    complete_.add(entry.id, entry.type);
  }
}

TypeId HeapTypes::add(HeapType type) {
  TypeId id = static_cast<TypeId>(types_.size());
  types_.push_back({.id = id, .type = std::move(type), .debug = nullptr, .code = {}});
  return id;
}

TypeId HeapTypes::make(Made what, TypeId of, const HeapType& type) {
  std::lock_guard lock(mutex_);
  u64 key = static_cast<u64>(what) << 32 | of;
  auto [it, is_new] = made_.try_emplace(key, kUnknownType);
  if (is_new) it->second = add(type);
  return it->second;
}

TypeId HeapTypes::of_runtime_type(ImageAddr addr) {
  std::lock_guard lock(mutex_);
  auto [it, is_new] = by_runtime_type_.try_emplace(addr.value, kUnknownType);
  if (!is_new) return it->second;
  Result<read::GoType> type = binary_.types().read(addr);
  if (!type.ok()) return kUnknownType;
  TypeId id = add({.form = Form::kValue,
                   .kind = type->kind,
                   .name = type->name,
                   .size_bytes = type->size_bytes,
                   .runtime_type = addr});
  return by_runtime_type_[addr.value] = id;
}

TypeId HeapTypes::of_debug_type(const read::DebugType* type) {
  if (type == nullptr) return kUnknownType;
  std::lock_guard lock(mutex_);
  if (type->runtime_type) {
    if (TypeId id = of_runtime_type(type->runtime_type)) return id;
  }
  auto [it, is_new] = by_debug_type_.try_emplace(type, kUnknownType);
  if (!is_new) return it->second;
  TypeId id = add({.form = Form::kValue,
                   .kind = type->kind,
                   .name = type->name,
                   .size_bytes = type->size_bytes});
  types_[id].debug = type;
  return by_debug_type_[type] = id;
}

TypeId HeapTypes::of_name(const std::string& name) {
  std::lock_guard lock(mutex_);
  return debug_ == nullptr ? kUnknownType : of_debug_type(debug_->find_type_named(name));
}

TypeId HeapTypes::of_first_name(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (TypeId id = of_name(name)) return id;
  }
  return kUnknownType;
}

std::string HeapTypes::full_name(TypeId id) {
  const Entry& entry = types_[id];
  if (entry.debug != nullptr) return entry.debug->name;
  if (debug_ == nullptr || !entry.type.runtime_type) return "";
  const read::DebugType* debug = debug_->find_type(entry.type.runtime_type);
  return debug == nullptr ? "" : debug->name;
}

TypeId HeapTypes::array_of(TypeId elem) {
  if (elem == kUnknownType) return kUnknownType;
  std::lock_guard lock(mutex_);
  u64 size = types_[elem].type.size_bytes;
  if (size == 0) return kUnknownType;
  return make(Made::kArray, elem, {.form = Form::kArray, .size_bytes = size, .elem = elem});
}

TypeId HeapTypes::pointer_to(TypeId elem) {
  return make(Made::kPointer, elem,
              {.form = Form::kValue, .kind = Kind::kPointer, .size_bytes = 8, .elem = elem});
}

TypeId HeapTypes::closure_of(ImageAddr entry) {
  std::lock_guard lock(mutex_);
  auto [it, is_new] = closures_.try_emplace(entry.value, kUnknownType);
  if (!is_new) return it->second;
  std::optional<read::Function> function = binary_.pclntab().find_function(entry);
  if (!function || function->entry != entry) return kUnknownType;
  TypeId id = add({.form = Form::kClosure, .name = "func " + std::string(function->name)});
  types_[id].code = entry;
  return closures_[entry.value] = id;
}

TypeId HeapTypes::map_header(TypeId map) {
  std::lock_guard lock(mutex_);
  if (map == kUnknownType || types_[map].type.kind != Kind::kMap) return kUnknownType;
  u64 size = binary_.layout().has_swiss_maps ? kMapBytes : kHmapBytes;
  return make(Made::kMapHeader, map, {.form = Form::kMapHeader, .size_bytes = size, .elem = map});
}

TypeId HeapTypes::map_table(TypeId map) {
  return make(Made::kMapTable, map,
              {.form = Form::kMapTable, .size_bytes = kTableBytes, .elem = map});
}

TypeId HeapTypes::map_directory(TypeId map) {
  return make(Made::kMapDir, map, {.form = Form::kMapDirectory, .size_bytes = 8, .elem = map});
}

TypeId HeapTypes::chan_header(TypeId chan) {
  std::lock_guard lock(mutex_);
  if (chan == kUnknownType || types_[chan].type.kind != Kind::kChan) return kUnknownType;
  return make(Made::kChan, chan, {.form = Form::kChan, .size_bytes = 96, .elem = chan});
}

HeapType& HeapTypes::described(TypeId id) {
  Entry& entry = types_[id];
  if (!entry.is_described) {
    entry.is_described = true;
    describe(entry);
  }
  return entry.type;
}

const HeapType& HeapTypes::completed(TypeId id) {
  std::lock_guard lock(mutex_);
  GEIST_CHECK(id < types_.size());
  Entry& entry = types_[id];
  if (entry.is_compiled) return entry.type;
  described(id);
  // Before it is: a recursive type asks for itself, and gets what there is.
  entry.is_compiled = true;
  compile(entry);
  complete_.add(id, entry.type);
  return entry.type;
}

void HeapTypes::describe(Entry& entry) {
  if (entry.type.form == Form::kClosure) return describe_closure(entry);
  if (entry.type.form != Form::kValue) return;
  if (entry.type.runtime_type) return describe_runtime(entry);
  if (entry.debug != nullptr) describe_debug(entry);
}

void HeapTypes::describe_runtime(Entry& entry) {
  Result<read::GoType> read = binary_.types().read(entry.type.runtime_type);
  if (!read.ok()) return;
  HeapType& type = entry.type;
  type.length = read->length;
  if (read->elem) type.elem = of_runtime_type(read->elem);
  if (read->key) type.key = of_runtime_type(read->key);
  if (read->bucket) type.bucket = of_runtime_type(read->bucket);
  if (type.bucket != kUnknownType) {
    types_[type.bucket].type.is_bucket = true;
    types_[type.bucket].type.name = type.name;
  }
  for (read::TypeField& field : read->fields) {
    type.fields.push_back({std::move(field.name), field.offset, of_runtime_type(field.type)});
  }
}

void HeapTypes::describe_debug(Entry& entry) {
  HeapType& type = entry.type;
  type.length = entry.debug->length;
  type.elem = of_debug_type(entry.debug->elem);
  for (const read::DebugType::Field& field : entry.debug->fields) {
    type.fields.push_back({field.name, field.offset, of_debug_type(field.type)});
  }
}

void HeapTypes::describe_closure(Entry& entry) {
  if (debug_ == nullptr) return;
  for (const read::DebugInfo::Capture& capture : debug_->captures_at(entry.code)) {
    TypeId type = of_debug_type(capture.type);
    if (capture.by_reference) type = pointer_to(type);
    entry.type.fields.push_back({capture.name, capture.offset, type});
  }
}

void HeapTypes::compile(Entry& entry) {
  HeapType& type = entry.type;
  switch (type.form) {
    case Form::kValue:
      append_words(entry.id, 0, type.words, 0);
      break;
    case Form::kArray:
      append_words(type.elem, 0, type.words, 0);
      break;
    case Form::kClosure:
      for (const HeapField& field : type.fields)
        append_words(field.type, field.offset, type.words, 0);
      type.is_prefix = type.fields.empty();
      break;
    default:
      append_made_words(entry);
  }
  if (type.form == Form::kValue && type.kind == Kind::kStruct) find_variants(entry);
  type.is_prefix = type.is_prefix || type.words.size() >= kMaxWords;
  std::ranges::stable_sort(type.words, {}, &PointerWord::offset);
}

// Structs that are more than they say, see known_types.h.
void HeapTypes::find_variants(Entry& entry) {
  HeapType& type = entry.type;
  if (type.fields.size() == 1 && type.fields[0].name == "isEntry") {
    if (std::optional<NodeNames> names = find_node_names(full_name(entry.id))) {
      type.when_set = of_first_name(names->entry);
      type.when_clear = of_first_name(names->indirect);
    }
  }
  if (has_uncollected_pointers(full_name(entry.id))) {
    type.words.clear();
    type.is_prefix = true;  // more of them follow than the type says
  }
}

void HeapTypes::append_made_words(Entry& entry) {
  HeapType& type = entry.type;
  switch (type.form) {
    case Form::kMapHeader:
      return compile_map_header(entry);
    case Form::kMapTable:
      type.words = {{kTableGroups, Flow::kSlice, array_of(described(type.elem).bucket)}};
      break;
    case Form::kMapDirectory:
      type.words = {{0, Flow::kMap, map_table(type.elem)}};
      break;
    case Form::kMapExtra: {
      TypeId overflow = make(Made::kOverflow, type.elem,
                             {.form = Form::kMapOverflow, .size_bytes = 24, .elem = type.elem});
      type.words = {{0, Flow::kMap, overflow},
                    {8, Flow::kMap, overflow},
                    {16, Flow::kSlice, array_of(described(type.elem).bucket)}};
      break;
    }
    case Form::kMapOverflow:
      type.words = {{0, Flow::kSlice, array_of(pointer_to(described(type.elem).bucket))}};
      break;
    case Form::kChan:
      type.words = {{kHchanBuf, Flow::kSlice, array_of(described(type.elem).elem)}};
      type.is_prefix = true;  // waiting goroutines and the element's type follow
      break;
    default:
      break;
  }
}

void HeapTypes::compile_map_header(Entry& entry) {
  HeapType& type = entry.type;
  TypeId buckets = array_of(described(type.elem).bucket);
  if (binary_.layout().has_swiss_maps) {
    type.words = {{kMapDirPtr, Flow::kMapDir, map_directory(type.elem)}};
    return;
  }
  TypeId extra = make(Made::kMapExtra, type.elem,
                      {.form = Form::kMapExtra, .size_bytes = 24, .elem = type.elem});
  type.words = {{kHmapBuckets, Flow::kSlice, buckets},
                {kHmapOldbuckets, Flow::kSlice, buckets},
                {kHmapExtra, Flow::kMap, extra}};
}

void HeapTypes::append_words(TypeId id, u64 base, std::vector<PointerWord>& words, int depth) {
  if (id == kUnknownType || depth > kMaxDepth || words.size() >= kMaxWords) return;
  HeapType& type = described(id);
  auto word = [&](u64 offset, Flow flow, TypeId target) {
    words.push_back({base + offset, flow, target});
  };
  switch (type.kind) {
    case Kind::kPointer:
      if (is_in_heap(type.elem, 0)) word(0, Flow::kPointer, type.elem);
      return;
    case Kind::kUnsafePointer:
      return word(0, Flow::kOpaque, kUnknownType);
    case Kind::kSlice:
      return word(0, Flow::kSlice, array_of(type.elem));
    case Kind::kString:
      return word(0, Flow::kString, kStringBytesId);
    case Kind::kInterface:
      return word(8, Flow::kInterface, kUnknownType);
    case Kind::kMap:
      return word(0, Flow::kMap, map_header(id));
    case Kind::kChan:
      return word(0, Flow::kChan, chan_header(id));
    case Kind::kFunc:
      return word(0, Flow::kFunc, kUnknownType);
    case Kind::kArray: {
      std::vector<PointerWord> one;
      append_words(type.elem, 0, one, depth + 1);
      u64 step = type.elem == kUnknownType ? 0 : types_[type.elem].type.size_bytes;
      for (u64 i = 0; i < type.length && !one.empty() && words.size() < kMaxWords; ++i) {
        for (const PointerWord& w : one) word(i * step + w.offset, w.flow, w.target);
      }
      return;
    }
    case Kind::kStruct:
      return append_struct_words(id, base, words, depth);
    default:
      return;
  }
}

void HeapTypes::append_struct_words(TypeId id, u64 base, std::vector<PointerWord>& words,
                                    int depth) {
  HeapType& type = types_[id].type;
  for (const HeapField& field : type.fields) {
    usize first = words.size();
    append_words(field.type, base + field.offset, words, depth + 1);
    if (words.size() != first + 1 || words[first].flow != Flow::kOpaque) continue;
    // An unsafe.Pointer: does the struct around it say what it points to?
    PointerWord& word = words[first];
    // cmd/compile/internal/reflectdata/map*.go: the link to the next bucket has no type.
    TypeId pointee =
        type.is_bucket && field.name == "overflow" ? id : find_atomic_pointee(*this, type);
    PointerWord known = pointee != kUnknownType
                            ? PointerWord{0, Flow::kPointer, pointee}
                            : find_hidden_pointee(*this, full_name(id), field.name);
    word.flow = known.flow;
    word.target = known.target;
  }
}

// A pointer to what lies outside of the heap is no pointer to the collector, and not in its
// bitmaps.
bool HeapTypes::is_in_heap(TypeId id, int depth) {
  if (id == kUnknownType || depth > kMaxDepth) return true;
  const HeapType& type = described(id);
  if (type.kind == Kind::kArray) return is_in_heap(type.elem, depth + 1);
  if (type.kind != Kind::kStruct) return true;
  if (type.fields.empty()) return !is_not_in_heap_marker(full_name(id));
  return std::ranges::all_of(
      type.fields, [&](const HeapField& field) { return is_in_heap(field.type, depth + 1); });
}

bool HeapTypes::is_pointer_shaped(TypeId id, int depth) {
  if (id == kUnknownType || depth > kMaxDepth) return false;
  HeapType& type = described(id);
  switch (type.kind) {
    case Kind::kPointer:
    case Kind::kUnsafePointer:
    case Kind::kMap:
    case Kind::kChan:
    case Kind::kFunc:
      return true;
    case Kind::kArray:
      return type.length == 1 && is_pointer_shaped(type.elem, depth + 1);
    case Kind::kStruct:
      return type.fields.size() == 1 && is_pointer_shaped(type.fields[0].type, depth + 1);
    default:
      return false;
  }
}

PointerWord HeapTypes::boxed(TypeId dynamic) {
  std::lock_guard lock(mutex_);
  if (dynamic == kUnknownType) return {};
  if (!is_pointer_shaped(dynamic, 0)) return {0, Flow::kInterface, dynamic};
  const HeapType& type = at(dynamic);
  return type.words.size() == 1 ? type.words[0] : PointerWord();
}

std::string HeapTypes::name(TypeId id) {
  std::lock_guard lock(mutex_);
  GEIST_CHECK(id < types_.size());
  const HeapType& type = types_[id].type;
  switch (type.form) {
    case Form::kArray: {
      if (types_[type.elem].type.is_bucket) return name(type.elem);
      std::string elem = name(type.elem);
      return elem == "uint8" ? "[]byte" : "[]" + elem;
    }
    case Form::kMapHeader:
    case Form::kChan:
      return name(type.elem);
    case Form::kMapTable:
    case Form::kMapDirectory:
    case Form::kMapExtra:
    case Form::kMapOverflow:
      return name(type.elem) + " (tables)";
    case Form::kValue:
      if (type.is_bucket) return type.name + " (entries)";
      if (type.name.empty() && type.kind == Kind::kPointer) return "*" + name(type.elem);
      return type.name;
    default:
      return type.name;
  }
}

std::string HeapTypes::place_in(TypeId id, u64 offset, int depth) {
  if (id == kUnknownType || depth > kMaxDepth) return "";
  HeapType& type = described(id);
  if (type.form == Form::kArray || (type.form == Form::kValue && type.kind == Kind::kArray)) {
    u64 step = std::max<u64>(types_[type.elem].type.size_bytes, 1);
    return fmt::format("[{}]", offset / step) + place_in(type.elem, offset % step, depth + 1);
  }
  if (type.form != Form::kClosure && type.kind != Kind::kStruct) return "";
  for (usize i = type.fields.size(); i-- > 0;) {
    const HeapField& field = type.fields[i];
    if (field.offset > offset) continue;
    return "." + field.name + place_in(field.type, offset - field.offset, depth + 1);
  }
  return "";
}

std::string HeapTypes::place(TypeId id, u64 offset) {
  std::lock_guard lock(mutex_);
  return place_in(id, offset, 0);
}

}  // namespace geist::heap
