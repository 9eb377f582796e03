#include "judge/moves.h"

#include <algorithm>

namespace geist::judge {
namespace {

constexpr u64 kHeaderBytes = 24;
constexpr u64 kMaxComparedBytes = u64{64} << 10;
constexpr u64 kMaxScanBytes = u64{1} << 30;
constexpr usize kMaxPlaces = 64;  // of one header

bool holds_header(Context& context, TargetAddr at, const View& view) {
  std::optional<u64> ptr = context.memory.find<u64>(at);
  std::optional<u64> len = context.memory.find<u64>(at + 8);
  if (ptr != view.ptr || len != view.len) return false;
  return view.cap == 0 || context.memory.find<u64>(at + 16) == view.cap;
}

bool is_in_globals(Context& context, TargetAddr at) {
  const read::ModuleData& module = context.binary.module();
  return at >= context.bias().to_target(module.noptrdata) &&
         at < context.bias().to_target(module.enoptrbss);
}

// What the old array was when it grew: full, so every byte of it went along.
std::vector<u8> read_old_array(Context& context, const View& view) {
  std::vector<u8> bytes;
  std::optional<heap::Object> object = context.spans.find_object(view.object);
  bool is_still_there =
      object && object->user == view.object && object->size_bytes == view.object_size;
  if (!is_still_there || view.object_size < 2 * kHeaderBytes ||
      view.object_size > kMaxComparedBytes)
    return bytes;
  bytes.resize(view.object_size);
  if (!context.memory.read(view.object, bytes)) bytes.clear();
  return bytes;
}

}  // namespace

void put_view_at(View& view, const Place& place) {
  if (!view.first_ptr_word && view.holder == findings::Holder::kHeap) {
    view.first_ptr_word = view.ptr_word;
    view.first_object = view.object;
    view.first_object_size = view.object_size;
  }
  view.ptr_word = place.ptr_word;
  view.len_word = place.ptr_word + 8;
  view.holder = place.holder;
  view.object = place.object;
  view.object_size = place.object_size;
}

std::optional<Place> find_place(Context& context, TargetAddr ptr_word, const View& view) {
  if (ptr_word.value % 8 != 0 || !holds_header(context, ptr_word, view)) return std::nullopt;
  if (is_in_globals(context, ptr_word)) return Place{ptr_word, findings::Holder::kGlobal, {}, 0};
  std::optional<heap::Object> object = context.spans.find_object(ptr_word);
  if (!object || object->is_stack || ptr_word < object->user) return std::nullopt;
  return Place{ptr_word, findings::Holder::kHeap, object->user, object->size_bytes};
}

std::vector<std::vector<Place>> find_same_headers(Context& context,
                                                  const std::vector<const View*>& views) {
  std::vector<std::vector<Place>> places(views.size());
  std::vector<u64> pointers;
  for (const View* view : views) pointers.push_back(view->ptr);
  std::sort(pointers.begin(), pointers.end());
  pointers.erase(std::unique(pointers.begin(), pointers.end()), pointers.end());
  std::vector<heap::ArrayRange> ranges;
  for (u64 pointer : pointers) ranges.push_back({TargetAddr(pointer), TargetAddr(pointer + 1)});
  if (ranges.empty()) return places;
  for (const heap::HeaderHit& hit : context.scanner.scan(ranges, kMaxScanBytes, nullptr)) {
    Place place{hit.at, hit.in_globals ? findings::Holder::kGlobal : findings::Holder::kHeap,
                hit.holder, hit.holder_size};
    for (usize i = 0; i < views.size(); ++i) {
      const View& view = *views[i];
      bool is_same = hit.ptr.value == view.ptr && hit.len == view.len &&
                     (view.cap == 0 || hit.cap == view.cap);
      if (!is_same) continue;
      if (places[i].size() < kMaxPlaces)
        places[i].push_back(place);
      else
        ++context.left_out.copies;
    }
  }
  return places;
}

bool has_grown_from(Context& context, const Place& place, const View& view) {
  bool is_larger = place.holder == findings::Holder::kHeap && place.object != view.object &&
                   place.object_size > view.object_size;
  if (!is_larger || place.ptr_word - place.object != view.ptr_word - view.object) return false;
  const std::vector<u8> old = read_old_array(context, view);
  std::vector<u8> here(old.size());
  return !old.empty() && context.memory.read(place.object, here) && here == old;
}

}  // namespace geist::judge
