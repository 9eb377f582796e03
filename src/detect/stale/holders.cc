// Who keeps the array that an append moves away from; found while it waits.
#include <algorithm>

#include "detect/stale/stale_case.h"
#include "judge/clock.h"
#include "judge/heap_views.h"
#include "judge/stack_views.h"
#include "judge/variables.h"

namespace geist::detect::stale {
namespace {

constexpr usize kMaxHolders = 4;

}  // namespace

double StaleCase::find_holders() {
  const bool is_in_heap = !append_.array.on_stack && !append_.array.in_globals;
  if (!is_in_heap) return 0;
  find_operand();
  const double scan_s = find_in_heap();
  find_on_stacks();
  constexpr u64 kMaxBytes = 8192;
  old_bytes_.resize(std::min(event().append.dest_size, kMaxBytes));
  if (!context_.memory.read(TargetAddr(event().append.old_ptr), old_bytes_)) holders_.clear();
  std::ranges::stable_sort(holders_, {}, [](const Holder& h) { return !h.is_pointer; });
  return scan_s;
}

void StaleCase::find_operand() {
  const std::optional<std::vector<judge::LoadedWord>> words =
      find_operand_words(context_, append_);
  is_operand_known_ = words.has_value();
  if (words) operand_words_ = *words;
}

// Its words were loaded to be appended to.
bool StaleCase::is_operands(const View& view) const {
  return std::ranges::any_of(operand_words_, [&](const judge::LoadedWord& word) {
    return word.at == view.ptr_word;
  });
}

double StaleCase::find_in_heap() {
  const double begin_s = judge::seconds(CLOCK_PROCESS_CPUTIME_ID);
  bool incomplete = false;
  const std::vector<std::vector<View>> slices = find_heap_views(
      context_, {&append_}, {desk_.options().max_scan_bytes}, &incomplete);
  for (const View& view : slices[0]) add_holder(view, false);
  heap::ScanStats stats;
  const TargetAddr begin(event().append.old_ptr);
  const u64 size = event().append.dest_size;
  for (const heap::HeaderHit& hit : context_.scanner.scan(
           {{append_.array.begin, append_.array.end}}, desk_.options().max_scan_bytes, &stats)) {
    const bool is_slice = std::ranges::any_of(
        slices[0], [&](const View& view) { return view.ptr_word == hit.at; });
    if (is_slice || hit.ptr < begin || hit.ptr - begin >= size) continue;
    View view;
    view.holder = hit.in_globals ? findings::Holder::kGlobal : findings::Holder::kHeap;
    view.ptr = hit.ptr.value;
    view.len = 1;
    view.len_known = false;
    view.ptr_word = hit.at;
    view.object = hit.holder;
    view.object_size = hit.holder_size;
    add_holder(std::move(view), true);
  }
  return judge::seconds(CLOCK_PROCESS_CPUTIME_ID) - begin_s;
}

void StaleCase::find_on_stacks() {
  const u64 end = event().append.old_ptr + event().append.dest_size;
  auto add = [&](std::vector<View> views) {
    for (View& view : views) {
      if (view.holder == findings::Holder::kRegister || view.ptr >= end) continue;
      // The operand, or a copy of its header: t := append(s, x) with an s that is used later.
      const bool is_same = view.ptr == event().append.old_ptr &&
                           (!view.len_known || view.len == event().append.new_len);
      const bool is_pointer = !view.len_known && is_pointer_variable(view);
      is_operand_on_stack_ |= is_same && !is_pointer && !is_operands(view);
      add_holder(std::move(view), is_pointer);
    }
  };
  add(find_stack_views(context_, append_));
  add(find_parked_views(context_, append_));
  find_pointers_of_own_frame();
}

// Of the appending frame's own slots that are alive behind the append, those that are no slice's.
void StaleCase::find_pointers_of_own_frame() {
  if (append_.frames.empty()) return;
  const u64 begin = event().append.old_ptr, size = event().append.dest_size;
  for (const sites::LivePointer& live : place_.site.site.live_pointers) {
    const TargetAddr slot(event().regs[x86::kRsp] + static_cast<u64>(live.slot));
    const std::optional<u64> pointer = append_.stack.find_word(slot);
    if (!pointer || *pointer - begin >= size) continue;
    const bool is_known = std::ranges::any_of(
        holders_, [&](const Holder& h) { return h.view.ptr_word == slot; });
    if (is_known) continue;
    View view;
    view.holder = findings::Holder::kStack;
    view.ptr = *pointer;
    view.len = 1;
    view.len_known = false;
    view.ptr_word = slot;
    view.same_frame = true;
    view.function = std::string(append_.frames[0].function.name);
    view.pc = append_.frames[0].pc;
    view.frame = append_.activation();
    view.g = TargetAddr(event().g);
    view.goid = event().goid;
    view.stack_hi = TargetAddr(event().stack_hi);
    const bool is_pointer = *pointer != begin || is_pointer_variable(view);
    is_operand_on_stack_ |= !is_pointer && !is_operands(view);
    add_holder(std::move(view), is_pointer);
  }
}

// Does DWARF say that a pointer of the program stands there? A slice whose length the compiler does
// not keep looks the same.
bool StaleCase::is_pointer_variable(const View& view) const {
  if (context_.debug == nullptr) return false;
  for (const heap::StackFrame& frame : append_.frames) {
    const bool is_own =
        judge::make_activation(frame, event().g, TargetAddr(event().stack_hi)) == view.frame;
    if (!is_own) continue;
    const bool is_first = &frame == append_.frames.data();
    const ImageAddr scope = is_first ? place_.site.site.call : frame.lookup_pc();
    const ImageAddr at = is_first ? place_.site.site.behind_call() : frame.pc;
    for (const read::Variable& variable : context_.debug->variables_at(scope, at)) {
      if (variable.type == nullptr || variable.type->kind != read::Kind::kPointer) continue;
      const std::optional<judge::Word> word =
          judge::find_word(variable, 0, {frame, append_.stack, nullptr});
      if (word && word->at == view.ptr_word) return true;
    }
  }
  return false;
}

void StaleCase::add_holder(View view, bool is_pointer) {
  const u64 size = event().append.elem_size, begin = event().append.old_ptr;
  if (is_operands(view) || !view.ptr_word || view.in_stack_object) return;
  if (view.ptr + (view.len_known ? view.len * size : 1) <= begin) return;
  const u64 element = view.ptr <= begin ? 0 : (view.ptr - begin) / size;
  if (element >= event().append.new_len) return;
  if (holders_.size() >= kMaxHolders) {
    ++context_.left_out.victims;
    return;
  }
  holders_.push_back({std::move(view), is_pointer, element});
}

}  // namespace geist::detect::stale
