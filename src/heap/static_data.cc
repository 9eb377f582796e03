// A work list from the named variables on: each object's pointer words are read, and what one leads
// to in data or bss becomes an object of the pointer's type, unless it lies at the begin of one
// that is as large. Pointers lie where compiled code put them, but the memory may be anybody's:
// every size is held against the sections, and their number has a limit.
#include "heap/static_data.h"

#include <algorithm>

#include "base/bytes.h"

namespace geist::heap {
namespace {

// Objects without a name; a program has some thousands. More would be memory that lies.
constexpr usize kMaxObjects = usize{1} << 20;
constexpr u64 kMaxOneObject = u64{1} << 28;
constexpr usize kMaxLookBack = 16;  // objects that may overlap one address

}  // namespace

StaticData::StaticData(const HeapImage& image, HeapTypes& types, const GraphScan& scan)
    : image_(image), types_(types), scan_(scan) {
  if (image.debug == nullptr) return;
  for (const read::GlobalVariable& global : image.debug->globals()) {
    TypeId type = types.of_debug_type(global.type);
    if (type != kUnknownType)
      add(image.bias.to_target(global.addr), What::kValue, type, 1, global.name);
  }
  while (!pending_.empty()) {
    StaticObject object = std::move(pending_.back());
    pending_.pop_back();
    follow(object);
  }
  objects_.reserve(by_addr_.size());
  for (auto& [addr, object] : by_addr_) objects_.push_back(std::move(object));
  by_addr_.clear();
}

// The collector scans data and bss only, so nothing else can lead to the heap.
bool StaticData::is_data(TargetAddr addr) const {
  const read::ModuleData& module = image_.binary->module();
  ImageAddr at = image_.bias.to_image(addr);
  return (at >= module.data && at < module.edata) || (at >= module.bss && at < module.ebss);
}

void StaticData::add(TargetAddr addr, What what, TypeId type, u64 count, const std::string& name) {
  const HeapType& known = types_.at(type);
  std::optional<u64> size = checked_mul(known.size_bytes, count);
  bool is_sane =
      size && *size > 0 && *size <= kMaxOneObject && is_data(addr) && is_data(addr + (*size - 1));
  if (!is_sane || by_addr_.size() >= kMaxObjects) return;
  TypeId whole = what == What::kValue ? type : types_.array_of(type);
  auto [first, last] = by_addr_.equal_range(addr.value);
  for (auto it = first; it != last; ++it) {
    if (it->second.size_bytes >= *size) return;  // known, or the first part of what is known
  }
  StaticObject object{.addr = addr, .size_bytes = *size, .type = whole, .name = name};
  largest_ = std::max(largest_, *size);
  by_addr_.emplace(addr.value, object);
  if (!known.words.empty()) pending_.push_back(std::move(object));
}

// Adds what the object's pointers lead to in the same sections.
void StaticData::follow(const StaticObject& object) {
  const HeapType& type = types_.at(object.type);
  u64 step = type.form == Form::kArray ? type.size_bytes : object.size_bytes;
  for (u64 row = 0; row + step <= object.size_bytes; row += step) {
    for (const PointerWord& at : type.words) {
      TargetAddr place = object.addr + row + at.offset;
      TargetAddr to(read_word(place));
      if (!to || !is_data(to)) continue;
      PointerWord word = find_word(object, place);
      std::string name = object.name + types_.place(object.type, row + at.offset);
      if (word.flow == Flow::kPointer && word.target != kUnknownType)
        add(to, What::kValue, word.target, 1, name);
      if (word.flow == Flow::kInterface && word.target != kUnknownType) {
        add(to, What::kValue, word.target, 1, name + ".(" + types_.name(word.target) + ")");
      }
      if (word.flow == Flow::kSlice && word.target != kUnknownType) {
        add(to, What::kRow, types_.at(word.target).elem, read_word(place + 16), name);
      }
    }
  }
}

std::optional<usize> StaticData::find(TargetAddr addr) const {
  auto behind = std::ranges::upper_bound(objects_, addr, {}, &StaticObject::addr);
  std::optional<usize> found;
  for (usize i = 0; i < kMaxLookBack && behind != objects_.begin(); ++i) {
    --behind;
    if (addr - behind->addr >= largest_) break;
    if (addr - behind->addr >= behind->size_bytes) continue;
    usize index = static_cast<usize>(behind - objects_.begin());
    if (!found || behind->size_bytes > objects_[*found].size_bytes) found = index;
  }
  return found;
}

PointerWord StaticData::find_word(const StaticObject& object, TargetAddr addr) const {
  const HeapType& type = types_.at(object.type);
  u64 offset = addr - object.addr;
  u64 row = type.form == Form::kArray ? offset / type.size_bytes * type.size_bytes : 0;
  auto found = std::ranges::lower_bound(type.words, offset - row, {}, &PointerWord::offset);
  if (found == type.words.end() || found->offset != offset - row) return {.offset = offset};
  PointerWord word = *found;
  if (word.flow == Flow::kInterface) {
    PointerWord content = types_.boxed(scan_.find_dynamic_type(read_word(addr - 8)));
    // An interface stays one, for the sake of paths; a pointer in it is what it holds.
    if (content.flow == Flow::kPointer)
      word.target = content.target;
    else if (content.target != kUnknownType)
      word = content;
  }
  word.offset = offset;
  return word;
}

}  // namespace geist::heap
