// See heap_views.h. A header needs ptr inside the array, len <= cap and the end inside the array;
// whether it is a slice or a string cannot be told from three words, so a two-word view (string)
// only counts for byte arrays.
#include "judge/heap_views.h"

#include <algorithm>

namespace geist::judge {
namespace {

View make_view(const heap::HeaderHit& hit) {
  View view;
  view.holder = hit.in_globals ? findings::Holder::kGlobal : findings::Holder::kHeap;
  view.ptr = hit.ptr.value;
  view.len = hit.len;
  view.cap = hit.cap;
  view.ptr_word = hit.at;
  view.len_word = hit.at + 8;
  view.object = hit.holder;
  view.object_size = hit.holder_size;
  return view;
}

bool reads_as_header(const heap::HeaderHit& hit, const Append& append, View* view) {
  u64 size = append.event->append.elem_size;
  u64 room = (append.array.end.value - hit.ptr.value) / size;
  if (hit.len == 0 || hit.len > room) return false;
  bool slice = hit.cap >= hit.len && hit.cap <= room;
  bool text = size == 1 && !slice;
  if (!slice && !text) return false;
  // The third word must be inside the holder for a slice.
  if (!hit.in_globals && hit.holder && hit.at.value + 24 > hit.holder.value + hit.holder_size) {
    if (size != 1 || hit.at.value + 16 > hit.holder.value + hit.holder_size) return false;
    text = true;
  }
  *view = make_view(hit);
  if (text) view->cap = 0, view->type = "string";
  return true;
}

}  // namespace

Array find_array(Context& context, const abi::Event& event, ImageAddr type) {
  Array array;
  u64 cap_end = event.append.old_ptr + event.append.cap * event.append.elem_size;
  array.begin = TargetAddr(event.append.old_ptr);
  array.end = TargetAddr(cap_end);
  if (event.stack_lo <= event.append.old_ptr && cap_end <= event.stack_hi) {
    array.on_stack = true;
    array.g = TargetAddr(event.g);
    return array;
  }
  const read::ModuleData& module = context.binary.module();
  u64 data = context.bias().to_target(module.noptrdata).value;
  u64 end = context.bias().to_target(module.enoptrbss).value;
  if (data <= event.append.old_ptr && cap_end <= end) {
    array.in_globals = true;
    return array;
  }
  std::optional<heap::Object> object = context.spans.find_object(TargetAddr(event.append.old_ptr));
  if (object && !object->is_stack && object->user.value <= event.append.old_ptr &&
      cap_end <= object->user.value + object->size_bytes) {
    array.begin = object->user;
    array.end = object->user + object->size_bytes;
    constexpr u64 kTinyBlock = 16;
    array.is_tiny = object->noscan && object->size_bytes == kTinyBlock &&
                    event.append.cap * event.append.elem_size < kTinyBlock;
    Result<read::GoType> element =
        type ? context.binary.types().read(type) : Result<read::GoType>(Error("unknown"));
    array.in_larger_object = !object->noscan && element.ok() && element->ptr_bytes == 0;
  }
  return array;
}

std::vector<std::vector<View>> find_heap_views(Context& context,
                                               const std::vector<const Append*>& appends,
                                               const HeapViewLimits& limits, bool* incomplete) {
  std::vector<std::vector<View>> result(appends.size());
  std::vector<usize> order(appends.size());
  for (usize i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](usize a, usize b) { return appends[a]->array.begin < appends[b]->array.begin; });
  // Appends into one array share a range; a stack array can only be seen from its own stack.
  std::vector<heap::ArrayRange> ranges;
  std::vector<std::vector<usize>> users;
  for (usize i : order) {
    const Array& array = appends[i]->array;
    if (array.on_stack || array.begin >= array.end) continue;
    if (!ranges.empty() && array.begin < ranges.back().end) {
      ranges.back().end = std::max(ranges.back().end, array.end);
    } else {
      ranges.push_back({array.begin, array.end});
      users.emplace_back();
    }
    users.back().push_back(i);
  }
  if (ranges.empty()) return result;
  heap::ScanStats stats;
  for (const heap::HeaderHit& hit : context.scanner.scan(ranges, limits.max_bytes, &stats)) {
    if (hit.array >= users.size()) continue;
    for (usize i : users[hit.array]) {
      View view;
      if (!reads_as_header(hit, *appends[i], &view) || !appends[i]->covers_dest(view)) continue;
      result[i].push_back(view);
    }
  }
  *incomplete = stats.bytes_unreadable != 0 || stats.hits_dropped != 0;
  return result;
}

}  // namespace geist::judge
