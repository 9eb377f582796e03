// Who owns what is refilled, and whose views are left.
#include "detect/refill/refill_case.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "judge/heap_views.h"
#include "judge/stack_views.h"
#include "probe/refill_probes.h"
#include "program/origins.h"

namespace geist::detect::refill {
namespace {

using judge::LoadedWord;
using judge::View;

// The frames of the standard library that write: their variables are what the work is done with.
usize count_writers(const judge::Context& context, const std::vector<heap::StackFrame>& frames) {
  usize library = 0;
  while (library < frames.size() &&
         sites::is_gos_own(context.binary, frames[library].function.name))
    ++library;
  return library;
}

// Packages whose documentation says how long what they hand out of their buffers is good. Not those
// that work on slices they were handed in an interface (reflect, encoding/binary).
bool owns_buffers(std::string_view function) {
  constexpr std::array<std::string_view, 8> kPackages{
      "bufio.",        "bytes.",        "encoding/json.", "encoding/json/",
      "encoding/csv.", "encoding/xml.", "net/textproto.", "database/sql."};
  return std::ranges::any_of(kPackages,
                             [&](std::string_view p) { return function.starts_with(p); });
}

// Functions that are handed a slice to change it: what it was before is not to be used any more
// (slices.Insert: "modified slice", and so on).
bool takes_over(std::string_view function) {
  constexpr std::array<std::string_view, 6> kFunctions{"slices.Insert[",    "slices.Replace[",
                                                       "slices.Delete[",    "slices.DeleteFunc[",
                                                       "slices.Compact[",   "slices.CompactFunc["};
  return std::ranges::any_of(kFunctions,
                             [&](std::string_view name) { return function.starts_with(name); });
}

// Does it give back what it was not handed? The runtime makes new arrays.
bool gives_views(const judge::Context& context, const program::FunctionCode& code,
                 const program::Origin& origin) {
  const ImageAddr target = code.briefs()[origin.insn].target;
  if (!target) return true;
  const std::optional<read::Function> callee = context.binary.pclntab().find_function(target);
  return callee && !callee->name.starts_with("runtime.");
}

}  // namespace

bool RefillCase::fits(const abi::Event& event, const Place& place) {
  const bool has_size = probe::refill_size(place.callee, event) != 0;
  return has_size && event.append.old_ptr == event.append.dest &&
         (place.is_typed || event.append.elem_size == 1);
}

void RefillCase::prepare(abi::Event& event, const Place& place) {
  constexpr u32 kReturnAddress = 8;
  const u64 size = std::min(probe::refill_size(place.callee, event), event.append.num);
  event.append.num = event.append.new_len = event.append.cap = size;
  event.append.dest_size = size * event.append.elem_size;  // no more than it was
  event.old_size = static_cast<u32>(std::min<u64>(event.append.dest_size, event.old_size));
  event.regs[x86::kRsp] += kReturnAddress;
  event.stack_size -= std::min(event.stack_size, kReturnAddress);
  std::memmove(event.stack, event.stack + kReturnAddress, event.stack_size);
}

RefillCase::RefillCase(judge::Desk& desk, judge::Opening opening, const Place& place,
                       const append::WordHabits& habits)
    : AppendCase(desk, std::move(opening), place.site, habits), is_read_(place.is_read) {
  append::Overwrite& write = overwrite();
  write.rule = "GB003";
  write.finding_class = "buffer_reuse";
  write.identity = place.identity;
  // What is copied without write barriers has no pointers: in an object with some it is a field that
  // is an array, and a pointer to it may be one to the object.
  if (place.is_typed || write.append.array.on_stack || write.append.array.in_globals) return;
  const std::optional<heap::Object> object =
      context().spans.find_object(TargetAddr(write.append.dest()));
  if (object) write.append.array.in_larger_object = !object->noscan;
}

double RefillCase::find_views() {
  const judge::Append& append = overwrite().append;
  auto add = [&](std::vector<View> views) {
    for (View& view : views) {
      // Of the function with the copy, only what lies in memory: its other variables are arguments
      // of the copy, or made of them.
      const bool is_variable = view.in_stack_object || (!view.name.empty() && !view.same_frame);
      if (is_variable && view.len_known) add_view(std::move(view));
    }
  };
  add(find_stack_views(context(), append, count_writers(context(), append.frames)));
  add(find_parked_views(context(), append));
  return add_heap_views();
}

// Its very words, or in the same object.
bool RefillCase::is_owners(const View& view, const LoadedWord& owner) const {
  if (view.ptr_word == owner.at) return true;
  return view.holder == findings::Holder::kHeap && owner.at >= view.object &&
         owner.at - view.object < view.object_size;
}

std::optional<judge::Activation> RefillCase::find_call(read::FuncIndex function) const {
  const std::vector<heap::StackFrame>& frames = overwrite().append.frames;
  const auto frame = std::ranges::find_if(
      frames, [&](const heap::StackFrame& f) { return f.function.index == function; });
  if (frame == frames.end()) return std::nullopt;
  return judge::make_activation(*frame, event().g, TargetAddr(event().stack_hi));
}

void RefillCase::leave_out_owners() {
  std::vector<append::Candidate>& candidates = overwrite().candidates;
  const bool is_array = overwrite().append.array.in_larger_object;
  std::erase_if(candidates, [&](const append::Candidate& c) {
    const View& view = c.view;
    const bool is_header = view.cap != 0 || view.holder == findings::Holder::kStack;
    return is_array && !is_header;
  });
  if (candidates.empty()) return;
  const auto words = find_operand_words(context(), overwrite().append);
  if (!words || words->empty()) return;
  std::erase_if(candidates, [&](const append::Candidate& c) {
    return std::ranges::any_of(*words,
                               [&](const LoadedWord& owner) { return is_owners(c.view, owner); });
  });
  const read::Pclntab& functions = context().binary.pclntab();
  const bool is_librarys = std::ranges::all_of(*words, [&](const LoadedWord& owner) {
    return !owner.is_variable && owns_buffers(functions.function(owner.by).name);
  });
  for (const LoadedWord& owner : *words) loaders_.push_back(owner.by);
  if (is_librarys) refiller_ = find_call(words->front().by);
  strongest_ = is_librarys ? findings::Level::kConfirmed : findings::Level::kLikely;
}

// Of variables whose words the compiler keeps in its frame, while that frame waits for the write.
bool RefillCase::may_be_handed_on(const View& view) {
  using Kind = program::Origin::Kind;
  const judge::Append& append = overwrite().append;
  const bool is_variable = view.holder == findings::Holder::kStack && !view.in_stack_object;
  if (!is_variable || view.g.value != event().g) return false;
  if (!append.frames.empty() && takes_over(append.frames[0].function.name)) return false;
  auto is_views = [&](const heap::StackFrame& frame) {
    return judge::make_activation(frame, event().g, TargetAddr(event().stack_hi)) == view.frame;
  };
  const auto frame = std::ranges::find_if(append.frames, is_views);
  if (frame == append.frames.end() || !view.ptr_word) return true;
  // Who took the buffer out of memory to have it filled: body := c.buf[6:n]; io.ReadFull(conn, body)
  if (std::ranges::count(loaders_, frame->function.index) != 0) return true;
  const program::FunctionCode* code = context().codes.find(frame->function);
  const std::optional<u32> after = code == nullptr ? std::nullopt : code->find_insn(frame->pc);
  if (!after || *after == 0) return true;
  const program::Location word{x86::kNoReg, static_cast<i64>(view.ptr_word - frame->sp)};
  const auto origins =
      program::find_origins(*code, *after - 1, word, program::callees_of(context().binary));
  return !std::ranges::all_of(origins, [&](const program::Origin& origin) {
    const bool is_result = origin.kind == Kind::kResult && gives_views(context(), *code, origin);
    return is_result || origin.kind == Kind::kLoad || origin.kind == Kind::kNumber;
  });
}

findings::Level RefillCase::strongest(const View& view) {
  const bool is_unsure = strongest_ == findings::Level::kLikely && may_be_handed_on(view);
  return is_unsure ? findings::Level::kSuspect : strongest_;
}

// Below an append's of the same kind: most buffers are refilled on purpose.
int RefillCase::rank_bonus() const {
  return 8;
}

}  // namespace geist::detect::refill
