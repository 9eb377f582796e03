// Roots in the collector's own order of sources. A pointer gets the variable that holds it: of
// globals by address (static_data.h), of stacks by DWARF at the frame's pc; variables of a pc are
// the same in all goroutines, so they are looked up once.
#include "heap/graph_roots.h"

#include <fmt/format.h>

#include <algorithm>

namespace geist::heap {
namespace {

constexpr u64 kMaxStackBytes = u64{1} << 30;
constexpr u32 kMaxFrames = 1000000;
constexpr u64 kMaxRepeated = 1 << 16;  // cleanups of one object

// How a value of the type sees the pointer word at `offset`.
PointerWord find_word(HeapTypes& types, TypeId id, u64 offset) {
  const HeapType& type = types.at(id);
  auto word = std::ranges::lower_bound(type.words, offset, {}, &PointerWord::offset);
  if (word == type.words.end() || word->offset != offset) return {.offset = offset};
  return *word;
}

}  // namespace

void GraphRoots::run() {
  add_globals();
  add_goroutines();
  add_registers();
  add_specials();
}

void GraphRoots::add(u32 holder, TargetAddr at, u64 value, const PointerWord& word) {
  u32 slot = value == 0 ? 0 : graph_.find_slot(value);
  if (slot == 0) return;
  graph_.roots_.push_back(
      {.holder = holder, .slot = slot, .at = at, .word = word, .len_at = {}, .cap_at = {}});
}

u32 GraphRoots::other_holder(const std::string& name) {
  auto [it, is_new] = other_holders_.try_emplace(name, 0);
  if (!is_new) return it->second;
  it->second = static_cast<u32>(graph_.holders_.size());
  graph_.holders_.push_back({.name = name});
  return it->second;
}

u32 GraphRoots::holder_of_global(usize index) {
  auto [it, is_new] = global_holders_.try_emplace(index, 0);
  if (!is_new) return it->second;
  const StaticObject& global = static_.objects()[index];
  it->second = static_cast<u32>(graph_.holders_.size());
  graph_.holders_.push_back({.kind = RootHolder::Kind::kGlobal,
                             .name = global.name,
                             .addr = global.addr,
                             .type = global.type});
  return it->second;
}

void GraphRoots::add_globals() {
  // Structs are holders even when nothing in them leads to the heap: a list may be broken and
  // empty.
  for (usize i = 0; i < static_.objects().size(); ++i) {
    const HeapType& type = graph_.types_->at(static_.objects()[i].type);
    if (type.kind == read::Kind::kStruct) (void)holder_of_global(i);
  }
  add_globals(GlobalSection::kData);
  add_globals(GlobalSection::kBss);
}

void GraphRoots::add_globals(GlobalSection section) {
  const u64 bytes = size_of(*image_.binary, section);
  if (bytes == 0) return;
  const std::optional<std::vector<GlobalWord>> words =
      read_global_words(*image_.memory, *image_.binary, image_.bias, section);
  if (!words) {
    graph_.stats_.bytes_unreadable += bytes;
    return;
  }
  for (const GlobalWord& word : *words) {
    if (graph_.find_slot(word.value) == 0) continue;
    std::optional<usize> index = static_.find(word.at);
    if (!index) {
      add(other_holder("a global without a name"), word.at, word.value, {});
      continue;
    }
    add(holder_of_global(*index), word.at, word.value,
        static_.find_word(static_.objects()[*index], word.at));
    graph_.roots_.back().len_at = word.at + 8;
    graph_.roots_.back().cap_at = word.at + 16;
  }
}

Goroutine GraphRoots::place_running(const Goroutine& goroutine, bool* is_exact) const {
  Goroutine placed = goroutine;
  const read::Layout& layout = image_.binary->layout();
  *is_exact = goroutine.status == GStatus::kRunning;
  if (!*is_exact) return placed;
  TargetAddr m(image_.memory->find<u64>(goroutine.g + layout.g_m).value_or(0));
  int tid = static_cast<int>(image_.memory->find<u64>(m + layout.m_procid).value_or(0));
  for (const ThreadState& thread : image_.threads) {
    if (thread.tid != tid) continue;
    if (thread.sp >= goroutine.stack_lo && thread.sp < goroutine.stack_hi) {
      placed.pc = thread.pc;
      placed.sp = thread.sp;
      return placed;
    }
    // On the system stack or in a signal handler: where it left its own stack.
    *is_exact = false;
    placed.pc = TargetAddr(image_.memory->find<u64>(goroutine.g + layout.g_sched_pc).value_or(0));
    placed.sp = TargetAddr(image_.memory->find<u64>(goroutine.g + layout.g_sched_sp).value_or(0));
  }
  return placed;
}

void GraphRoots::add_goroutines() {
  graph_.goroutines_ = read_goroutines(*image_.memory, image_.binary->layout(), image_.symbols,
                                       image_.bias, &graph_.stats_.goroutines_damaged);
  for (Goroutine& goroutine : graph_.goroutines_) {
    bool is_exact = false;
    goroutine = place_running(goroutine, &is_exact);
    add_stack(goroutine, is_exact);
  }
}

u32 GraphRoots::holder_on_stack(const Goroutine& goroutine, const StackFrame* frame,
                                const FrameVariable* variable) {
  RootHolder holder{.kind = RootHolder::Kind::kStack, .goid = goroutine.goid};
  if (variable != nullptr) {
    holder.name = variable->name;
    holder.function = variable->function;
    holder.type = variable->type;
    holder.addr = frame->cfa + static_cast<u64>(variable->cfa_offset) - variable->byte_offset;
  } else if (frame != nullptr) {
    holder.function = frame->function.name;
  }
  graph_.holders_.push_back(std::move(holder));
  return static_cast<u32>(graph_.holders_.size() - 1);
}

void GraphRoots::add_stack(const Goroutine& goroutine, bool is_exact) {
  std::optional<ParkedStack> stack = unwind_stopped(
      *image_.memory, *image_.binary, image_.bias, goroutine, is_exact, kMaxStackBytes, kMaxFrames);
  if (!stack) {
    ++graph_.stats_.stacks_incomplete;
    u32 holder = holder_on_stack(goroutine, nullptr, nullptr);
    // Piece by piece: the bounds may be made up, and memory ends where it ends.
    std::vector<u64> words(u64{32} << 10);
    for (TargetAddr at = goroutine.stack_lo; at < goroutine.stack_hi; at += words.size() * 8) {
      u64 wanted = std::min<u64>(words.size() * 8, goroutine.stack_hi - at);
      u64 got = image_.memory->read_some(at, {reinterpret_cast<u8*>(words.data()), wanted});
      for (u64 i = 0; i < got / 8; ++i) add(holder, at + i * 8, words[i], {});
      if (got < wanted) break;
    }
    return;
  }
  if (!stack->unwound.complete) ++graph_.stats_.stacks_incomplete;
  const std::vector<StackFrame>& frames = stack->unwound.frames;
  std::map<std::pair<usize, const FrameVariable*>, u32> holders;
  for (usize i = 0; i < frames.size(); ++i) {
    for (const FrameVariable& v : variables_of(frames[i])) {
      bool is_struct = v.byte_offset == 0 && graph_.types_->at(v.type).kind == read::Kind::kStruct;
      if (is_struct) holders[{i, &v}] = holder_on_stack(goroutine, &frames[i], &v);
    }
  }
  for (const StackRoot& root :
       find_stack_root_slots(*image_.memory, *image_.binary, goroutine, *stack)) {
    if (graph_.find_slot(root.value) == 0) continue;
    // The frame that holds the word: the first whose caller's begins above it.
    auto frame = std::ranges::upper_bound(frames, root.at, {}, &StackFrame::cfa);
    const StackFrame* found = frame == frames.end() || !root.at ? nullptr : &*frame;
    const FrameVariable* variable = nullptr;
    i64 offset = 0;
    // Arguments lie above the cfa, in the frame of the caller.
    const StackFrame* callee = found == nullptr || found == frames.data() ? nullptr : found - 1;
    for (const StackFrame* candidate : {found, callee}) {
      if (candidate == nullptr || variable != nullptr) continue;
      offset = static_cast<i64>(root.at.value - candidate->cfa.value);
      variable = find_variable(*candidate, offset);
      if (variable != nullptr) found = candidate;
    }
    usize number = found == nullptr ? frames.size() : static_cast<usize>(found - frames.data());
    auto [it, is_new] = holders.try_emplace({number, variable}, 0);
    if (is_new) it->second = holder_on_stack(goroutine, found, variable);
    PointerWord word;
    if (variable != nullptr) {
      u64 in_variable = static_cast<u64>(offset - variable->cfa_offset) + variable->byte_offset;
      word = find_word(*graph_.types_, variable->type, in_variable);
    }
    add(it->second, root.at, root.value, word);
    if (variable != nullptr) place_header(*found, *variable, graph_.roots_.back());
  }
}

const FrameVariable* GraphRoots::find_variable(const StackFrame& frame, i64 cfa_offset) {
  for (const FrameVariable& v : variables_of(frame)) {
    bool is_inside =
        cfa_offset >= v.cfa_offset && cfa_offset - v.cfa_offset < static_cast<i64>(v.size_bytes);
    if (is_inside) return &v;
  }
  return nullptr;
}

// Length and capacity of a slice on the stack: the compiler may keep them anywhere in the frame.
void GraphRoots::place_header(const StackFrame& frame, const FrameVariable& variable, Root& root) {
  if (root.word.flow != Flow::kSlice && root.word.flow != Flow::kString) return;
  for (const FrameVariable& v : variables_of(frame)) {
    if (v.name != variable.name || v.function != variable.function) continue;
    for (u64 wanted : {root.word.offset + 8, root.word.offset + 16}) {
      if (wanted < v.byte_offset || wanted - v.byte_offset + 8 > v.size_bytes) continue;
      TargetAddr at = frame.cfa + static_cast<u64>(v.cfa_offset) + (wanted - v.byte_offset);
      (wanted == root.word.offset + 8 ? root.len_at : root.cap_at) = at;
    }
  }
}

const std::vector<FrameVariable>& GraphRoots::variables_of(const StackFrame& frame) {
  auto [it, is_new] = variables_.try_emplace({frame.pc.value, frame.is_return_address});
  if (!is_new || image_.debug == nullptr) return it->second;
  for (const read::Variable& variable : image_.debug->variables_at(frame.lookup_pc(), frame.pc)) {
    TypeId type = graph_.types_->of_debug_type(variable.type);
    if (type == kUnknownType) continue;
    u64 whole = variable.type->size_bytes;
    for (const read::Piece& piece : variable.pieces) {
      if (piece.where != read::Piece::Where::kCfa) continue;
      FrameVariable found{.name = variable.name,
                          .function = variable.function,
                          .cfa_offset = piece.offset,
                          .size_bytes = piece.size_bytes == 0 ? whole : piece.size_bytes,
                          .byte_offset = piece.byte_offset,
                          .type = type};
      if (variable.is_escaped) {
        found.type = graph_.types_->pointer_to(type);
        found.name = "&" + found.name;
        found.size_bytes = 8;
      }
      it->second.push_back(std::move(found));
    }
  }
  return it->second;
}

void GraphRoots::add_registers() {
  for (const ThreadState& thread : image_.threads) {
    u32 holder = other_holder("registers");
    for (u64 value : thread.registers) add(holder, {}, value, {});
  }
}

// mspan.specials: a list of records, each about an object of the span, ascending by offset and kind
// (runtime/mheap.go specialFindSplicePoint); only cleanups may repeat both.
void GraphRoots::add_specials() {
  for (const Span& span : graph_.spans_) {
    std::pair<u64, u8> last;
    u64 repeated = 0;
    for (TargetAddr at = span.specials; at;) {
      std::optional<Special> special = read_special(at);
      std::pair<u64, u8> place = special ? std::pair(special->offset, special->kind) : last;
      repeated = place == last ? repeated + 1 : 0;
      if (!special || place < last || repeated > kMaxRepeated) {
        ++graph_.stats_.specials_damaged;
        break;
      }
      add_special(span, at, *special);
      last = place;
      at = special->next;
    }
  }
}

std::optional<GraphRoots::Special> GraphRoots::read_special(TargetAddr at) const {
  const read::Layout& layout = image_.binary->layout();
  const process::Memory& memory = *image_.memory;
  std::optional<u64> next = memory.find<u64>(at);
  std::optional<u8> kind = memory.find<u8>(at + layout.special_kind);
  // 16 bits wide where the kind follows at once.
  bool is_narrow = layout.special_kind <= 10;
  std::optional<u64> offset =
      is_narrow ? std::optional<u64>(memory.find<u16>(at + 8)) : memory.find<u64>(at + 8);
  if (!next || !kind || !offset) return std::nullopt;
  return Special{TargetAddr(*next), *offset, *kind};
}

// What a finalizer or cleanup calls is a root; an object with a finalizer lives until that has run.
void GraphRoots::add_special(const Span& span, TargetAddr at, const Special& special) {
  const read::Layout& layout = image_.binary->layout();
  bool is_finalizer = special.kind == layout.special_finalizer_kind;
  bool is_cleanup = special.kind != 0 && special.kind == layout.special_cleanup_kind;
  if (!is_finalizer && !is_cleanup) return;
  u32 holder = other_holder(is_finalizer ? "finalizers" : "cleanups");
  graph_.holders_[holder].kind = RootHolder::Kind::kFinalizer;
  TargetAddr fn = at + layout.special_fn;
  add(holder, at, image_.memory->find<u64>(fn).value_or(0), {});
  // go1.27 cleanupFn has two words.
  if (is_cleanup) add(holder, at, image_.memory->find<u64>(fn + 8).value_or(0), {});
  TargetAddr object = span.start + special.offset;
  if (is_finalizer && span.holds(object)) add(holder, at, object.value, {});
}

}  // namespace geist::heap
