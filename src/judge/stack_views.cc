// Stack views; stack_views.h says which slots count as live.
#include "judge/stack_views.h"

#include <algorithm>

#include "base/go_symbol.h"
#include "heap/goroutines.h"
#include "judge/other_results.h"
#include "judge/variables.h"
#include "program/header_words.h"

namespace geist::judge {
namespace {

using heap::StackCopy;
using heap::StackFrame;
using read::DebugType;
using read::Kind;
using read::Variable;

constexpr u64 kMaxParkedStackBytes = 256 << 10;
constexpr u32 kMaxFrames = 64;
constexpr usize kMaxGoroutines = 2000;
constexpr u32 kMaxFieldDepth = 3;

struct FrameLiveness {
  std::vector<TargetAddr> slots;  // ascending
  x86::RegMask regs = 0;          // innermost frame only
  bool known = false;
};

// Whose stack a frame is on.
struct StackOwner {
  TargetAddr g;
  u64 goid = 0;
  TargetAddr stack_hi;
};

// What one frame is looked at with.
class FrameScan {
 public:
  FrameScan(Context& context, const Append& append, const StackOwner& owner, const StackCopy& stack,
            const StackFrame& frame, bool same_frame, FrameLiveness liveness,
            std::vector<View>& out)
      : context_(context),
        append_(append),
        owner_(owner),
        stack_(stack),
        frame_(frame),
        same_frame_(same_frame),
        liveness_(std::move(liveness)),
        out_(out) {}

  void run() {
    if (context_.debug != nullptr) scan_variables();
    for (TargetAddr slot : liveness_.slots) consider_header(slot, true);
    scan_stack_objects();
    scan_kept_headers();
    scan_bare_pointers();
  }

 private:
  void scan_variables();
  void scan_type(const Variable& variable, const DebugType& type, u64 offset,
                 const std::string& name, u32 depth);
  std::optional<Word> at_branch(const Word& word) const;
  std::optional<Word> word_at(const Variable& variable, u64 offset) const;
  void consider(const Variable& variable, u64 offset, const std::string& name,
                const std::string& type, bool has_cap);
  void consider_header(TargetAddr slot, bool live_for_sure);
  void scan_stack_objects();
  void scan_kept_headers();
  void scan_bare_pointers();
  struct Kept {
    Word ptr, len;
    std::optional<u64> cap;
    bool is_indexed;
  };
  std::optional<Kept> find_kept(i64 slot) const;
  std::optional<Word> word_at(const program::KeptWord& word) const;
  bool is_slice(const Kept& kept) const;
  bool consider_kept(i64 slot, const std::string& name, const std::string& type,
                     const std::string& function);
  bool is_in_array(u64 pointer) const;
  bool points_into_array(TargetAddr slot) const;
  bool is_explained(TargetAddr slot) const;
  bool in_stack_object(TargetAddr at) const;
  void consider_pointer(const Word& ptr, const std::string& name, const std::string& type,
                        const std::string& function);
  void consider_result(const Word& ptr, const std::string& name, const std::string& type,
                       const std::string& function);
  std::optional<bool> is_live(const Word& ptr) const;
  bool may_be_capacity(const Word& ptr, const Word& word) const;
  program::ValueLocation locate(const Word& word) const;
  View make_view(u64 ptr, u64 len) const;
  View make_view(const Word& ptr, const Word& len) const;
  u64 room_behind(u64 pointer) const;
  // Of a pointer without a length: what lies beside the array in its block.
  bool may_be_another_value(u64 pointer) const {
    return append_.array.is_tiny && pointer != append_.event->append.old_ptr;
  }
  void add(View view);

  Context& context_;
  const Append& append_;
  const StackOwner& owner_;
  const StackCopy& stack_;
  const StackFrame& frame_;
  bool same_frame_;
  FrameLiveness liveness_;
  std::vector<View>& out_;
  std::vector<TargetAddr>
      explained_;  // pointer slots that belong to a header whose length is known
};

// In the appending frame DWARF and the code are asked about the return of the grow path's call:
// there everything live is in a slot. A slot that only the grow path fills has its value, at the
// branch, where that path takes it from.
std::optional<Word> FrameScan::at_branch(const Word& word) const {
  if (!same_frame_ || !word.at) return word;
  i64 slot = static_cast<i64>(word.at.value - append_.event->regs[x86::kRsp]);
  for (const sites::LivePointer& spill : append_.site->site.spills) {
    if (spill.slot != slot) continue;
    const program::ValueLocation& from = spill.at_branch;
    using LocationKind = program::ValueLocation::Kind;
    if (from.kind == LocationKind::kConstant) return Word{static_cast<u64>(from.addend), {}};
    if (from.kind == LocationKind::kRegister) {
      return Word{append_.event->regs[from.reg] + static_cast<u64>(from.addend), {}, from.reg};
    }
    if (from.kind != LocationKind::kStackSlot || from.addend != 0) return std::nullopt;
    TargetAddr at(append_.event->regs[x86::kRsp] + static_cast<u64>(from.disp));
    std::optional<u64> value = stack_.find_word(at);
    if (!value) return std::nullopt;
    return Word{*value, at};
  }
  return word;
}

std::optional<Word> FrameScan::word_at(const Variable& variable, u64 offset) const {
  std::optional<Word> word = find_word(variable, offset, {frame_, stack_, nullptr});
  return word ? at_branch(*word) : word;
}

std::optional<bool> FrameScan::is_live(const Word& ptr) const {
  if (!liveness_.known) return std::nullopt;
  if (ptr.reg != x86::kNoReg) return (liveness_.regs & (1u << ptr.reg)) != 0;
  if (std::binary_search(liveness_.slots.begin(), liveness_.slots.end(), ptr.at)) return true;
  return false;
}

// Of two words that the compiler kept of a slice, the second is its length, or its capacity where
// nobody asks for the length (a buffer with a position). The capacity reaches to the end of the
// array, or, with the operand's start, as far as the operand's does, unless somebody sliced with
// three indices. A full array has both; then it is a length if the append's result has the same one
// and the pointer is not the operand's, which a buffer's would be.
bool FrameScan::may_be_capacity(const Word& ptr, const Word& word) const {
  const abi::Event& event = *append_.event;
  const u64 end = ptr.value + word.value * event.append.elem_size;
  const u64 operand_end = event.append.old_ptr + event.append.cap * event.append.elem_size;
  if (word.value != room_behind(ptr.value) && end != operand_end) return false;
  bool is_sibling = same_frame_ && ptr.value == event.append.old_ptr &&
                    word.value == event.append.new_len &&
                    !(locate(ptr) == append_.site->site.old_ptr);
  return !is_sibling;
}

// What all views of this frame have in common.
View FrameScan::make_view(u64 ptr, u64 len) const {
  View view;
  view.holder = findings::Holder::kStack;
  view.ptr = ptr;
  view.len = len;
  view.function = std::string(frame_.function.name);
  view.pc = frame_.pc;
  view.frame = make_activation(frame_, owner_.g.value, owner_.stack_hi);
  view.g = owner_.g;
  view.goid = owner_.goid;
  view.stack_hi = owner_.stack_hi;
  view.same_frame = same_frame_;
  return view;
}

View FrameScan::make_view(const Word& ptr, const Word& len) const {
  View view = make_view(ptr.value, len.value);
  if (!ptr.at && !len.at) view.holder = findings::Holder::kRegister;
  view.ptr_word = ptr.at;
  view.len_word = len.at;
  if (same_frame_) {
    view.ptr_from = locate(ptr);
    view.len_from = locate(len);
  }
  return view;
}

// How many elements there are from here to the end of the array.
u64 FrameScan::room_behind(u64 pointer) const {
  return (append_.array.end.value - pointer) / append_.event->append.elem_size;
}

void FrameScan::add(View view) {
  if (!append_.covers_dest(view)) return;
  for (View& other : out_) {
    bool same = other.ptr == view.ptr && other.len == view.len && other.frame == view.frame;
    // Two variables in memory with one value are two views: one may be replaced, the other read.
    bool apart = other.len_word && view.len_word && other.len_word != view.len_word;
    if (!same || apart || other.len_known != view.len_known) continue;
    // The same header found again: words in memory and a name are worth more than none.
    if (!other.len_word && view.len_word)
      other.len_word = view.len_word, other.ptr_word = view.ptr_word;
    // A variable of the caller says more than what an inlined library function calls it.
    const bool is_librarys =
        is_standard_library(other.function) && !is_standard_library(view.function);
    if (other.name.empty() || (is_librarys && !view.name.empty()))
      other.name = view.name, other.type = view.type, other.function = view.function;
    return;
  }
  out_.push_back(std::move(view));
}

void FrameScan::consider(const Variable& variable, u64 offset, const std::string& name,
                         const std::string& type, bool has_cap) {
  std::optional<Word> ptr = word_at(variable, offset);
  std::optional<Word> len = word_at(variable, offset + 8);
  if (!ptr || !is_in_array(ptr->value)) return;
  // What DWARF does not tell, the code may.
  auto is_kept = [&] {
    return !same_frame_ && is_live(*ptr) == true &&
           consider_kept(static_cast<i64>(ptr->at - frame_.sp), name, type, variable.function);
  };
  if (!len) {
    if (!is_kept()) consider_pointer(*ptr, name, type, variable.function);
    return;
  }
  explained_.push_back(ptr->at);
  const u64 room = room_behind(ptr->value);
  if (len->value > room) return;
  if (variable.len_may_be_cap && may_be_capacity(*ptr, *len)) {
    // A range over a full array keeps these two as well. Bytes may be a buffer's; of others a read
    // through this very pointer tells.
    if (!is_kept() && append_.event->append.elem_size > 1)
      consider_pointer(*ptr, "", type, variable.function);
    return;
  }
  std::optional<Word> cap;
  if (has_cap) cap = word_at(variable, offset + 16);
  if (cap && (cap->value < len->value || cap->value > room)) return;
  std::optional<bool> live = is_live(*ptr);
  // In memory as a whole and not in the maps: perhaps a stack object (its address is taken).
  bool in_memory = ptr->at && len->at && len->at - ptr->at == 8 && in_stack_object(ptr->at);
  if (live == false && !in_memory) return;
  if (live == false && ptr->at.value >= frame_.cfa.value) return;
  View view = make_view(*ptr, *len);
  view.cap = cap ? cap->value : 0;
  view.live_for_sure = live.value_or(false);
  view.in_stack_object = live == false;
  view.name = name;
  view.type = type;
  view.function = variable.function;
  add(std::move(view));
}

// Where a word of the appending frame is at the branch.
program::ValueLocation FrameScan::locate(const Word& word) const {
  program::ValueLocation location;
  if (word.reg != x86::kNoReg) {
    location.kind = program::ValueLocation::Kind::kRegister;
    location.reg = static_cast<x86::Reg>(word.reg);
    location.addend = static_cast<i64>(word.value - append_.event->regs[word.reg]);
  } else if (word.at) {
    location.kind = program::ValueLocation::Kind::kStackSlot;
    location.disp = static_cast<i64>(word.at.value - append_.event->regs[x86::kRsp]);
  } else {
    location.addend = static_cast<i64>(word.value);
  }
  return location;
}

bool FrameScan::in_stack_object(TargetAddr at) const {
  for (const heap::StackObject& object : heap::stack_objects(context_.binary, frame_)) {
    if (at >= object.begin && at < object.begin + object.size_bytes) return true;
  }
  return false;
}

// A live pointer into the array whose length is a constant or kept nowhere: a []byte("text"), the
// copy that range makes. Only a read through it can ever be shown, so it must be in memory, in a
// caller's frame, and not in the library.
void FrameScan::consider_pointer(const Word& ptr, const std::string& name, const std::string& type,
                                 const std::string& function) {
  if (is_live(ptr) != true || is_standard_library(frame_.function.name)) return;
  if (same_frame_) return consider_result(ptr, name, type, function);
  if (!ptr.at || may_be_another_value(ptr.value)) return;
  View view = make_view(ptr.value, room_behind(ptr.value));
  view.len_known = false;
  view.ptr_word = ptr.at;
  view.name = name;
  view.type = type;
  view.function = function;
  add(std::move(view));
}

// In the appending frame operand and result are at hand, too: only another append's result is told
// from them.
void FrameScan::consider_result(const Word& ptr, const std::string& name, const std::string& type,
                                const std::string& function) {
  if (may_be_another_value(ptr.value)) return;
  if (!is_result_of_another_append(context_, append_, locate(ptr))) return;
  View view = make_view(ptr.value, room_behind(ptr.value));
  view.len_known = false;
  view.ptr_from = locate(ptr);
  view.name = name;
  view.type = type;
  view.function = function;
  if (!ptr.at) view.holder = findings::Holder::kRegister;
  add(std::move(view));
}

std::optional<Word> FrameScan::word_at(const program::KeptWord& word) const {
  if (!word.slot) return Word{static_cast<u64>(word.constant), {}};
  const TargetAddr at = frame_.sp + static_cast<u64>(*word.slot);
  const std::optional<u64> value = stack_.find_word(at);
  if (!value) return std::nullopt;
  return at_branch(Word{*value, at});
}

// What the code says about a live pointer that is, behind the call that the frame is in, in this
// word.
std::optional<FrameScan::Kept> FrameScan::find_kept(i64 slot) const {
  const std::optional<Word> ptr = word_at(program::KeptWord{slot, 0});
  if (!ptr || !is_in_array(ptr->value)) return std::nullopt;
  const ImageAddr pc = same_frame_ ? append_.site->site.behind_call() : frame_.pc;
  const std::optional<program::HeaderWords> words = program::find_header_words(
      context_.codes, frame_.function, pc, slot, append_.event->append.elem_size);
  if (!words) return std::nullopt;
  const std::optional<Word> len = word_at(words->len);
  if (!len) return std::nullopt;
  Kept kept{*ptr, *len, {}, words->is_indexed};
  if (words->cap) {
    // A call may take pointer and length only, and have anything in the next register.
    const std::optional<Word> cap = word_at(*words->cap);
    if (cap && cap->value >= len->value && cap->value <= room_behind(ptr->value))
      kept.cap = cap->value;
  }
  return kept;
}

// A pointer to an element and two numbers look alike. But a slice of the operand's array reaches to
// its end, unless somebody sliced with three indices; and of an element alone nobody takes the next
// ones by an index. Bytes are a string's or a slice's.
bool FrameScan::is_slice(const Kept& kept) const {
  const u64 size = append_.event->append.elem_size;
  const bool is_constant = !kept.len.at && kept.len.reg == x86::kNoReg;
  if (kept.len.value == 0 || kept.len.value > room_behind(kept.ptr.value)) return false;
  if ((kept.is_indexed || size == 1) && !is_constant) return true;
  const u64 operand_end = append_.event->append.old_ptr + append_.event->append.cap * size;
  return kept.cap && kept.ptr.value + *kept.cap * size == operand_end;
}

// True when that explains the pointer.
bool FrameScan::consider_kept(i64 slot, const std::string& name, const std::string& type,
                              const std::string& function) {
  const std::optional<Kept> kept = find_kept(slot);
  if (!kept || !is_slice(*kept)) return false;
  explained_.push_back(kept->ptr.at);
  View view = make_view(kept->ptr, kept->len);
  view.cap = kept->cap.value_or(0);
  view.told_by_code = true;
  view.name = name;
  view.type = type;
  view.function = function;
  add(std::move(view));
  return true;
}

// Of live pointers that no variable and no header explains, the code may.
void FrameScan::scan_kept_headers() {
  if (append_.array.in_larger_object) return;  // a pointer to the object, or to another field of it
  const std::string function(frame_.function.name);
  if (same_frame_) {
    for (const sites::LivePointer& pointer : append_.site->site.live_pointers) {
      if (consider_kept(pointer.slot, "", "", function)) continue;
      if (const std::optional<Word> ptr = word_at(program::KeptWord{pointer.slot, 0}))
        if (is_in_array(ptr->value)) consider_result(*ptr, "", "", function);
    }
    return;
  }
  for (TargetAddr slot : liveness_.slots) {
    if (points_into_array(slot) && !is_explained(slot))
      consider_kept(static_cast<i64>(slot - frame_.sp), "", "", function);
  }
}

bool FrameScan::is_in_array(u64 pointer) const {
  return pointer >= append_.array.begin.value && pointer < append_.array.end.value;
}

bool FrameScan::points_into_array(TargetAddr slot) const {
  const std::optional<u64> value = stack_.find_word(slot);
  return value && is_in_array(*value);
}

bool FrameScan::is_explained(TargetAddr slot) const {
  return std::find(explained_.begin(), explained_.end(), slot) != explained_.end();
}

// What nothing explains.
void FrameScan::scan_bare_pointers() {
  if (append_.array.in_larger_object) return;  // a pointer to the object, or to another field of it
  for (TargetAddr slot : liveness_.slots) {
    if (points_into_array(slot) && !is_explained(slot))
      consider_pointer({*stack_.find_word(slot), slot}, "", "", std::string(frame_.function.name));
  }
}

void FrameScan::scan_type(const Variable& variable, const DebugType& type, u64 offset,
                          const std::string& name, u32 depth) {
  if (type.kind == Kind::kSlice)
    return consider(variable, offset, name, type.name, !variable.len_may_be_cap);
  if (type.kind == Kind::kString) return consider(variable, offset, name, type.name, false);
  if (type.kind != Kind::kStruct || depth == 0) return;
  for (const DebugType::Field& field : type.fields) {
    if (field.type != nullptr)
      scan_type(variable, *field.type, offset + field.offset, name + "." + field.name, depth - 1);
  }
}

void FrameScan::scan_variables() {
  const sites::AppendSite& site = append_.site->site;
  ImageAddr scope = same_frame_ ? site.call : frame_.lookup_pc();
  ImageAddr at = same_frame_ ? site.behind_call() : frame_.pc;
  for (const Variable& variable : context_.debug->variables_at(scope, at)) {
    if (variable.type == nullptr || variable.is_escaped) continue;
    scan_type(variable, *variable.type, 0, variable.name, kMaxFieldDepth);
  }
}

// Without names: a pointer slot whose two neighbours read as len and cap.
void FrameScan::consider_header(TargetAddr slot, bool live_for_sure) {
  std::optional<u64> ptr = stack_.find_word(slot);
  std::optional<u64> len = stack_.find_word(slot + 8);
  std::optional<u64> cap = stack_.find_word(slot + 16);
  if (!ptr || !len || !cap || !is_in_array(*ptr)) return;
  if (*len > *cap || *cap > room_behind(*ptr)) return;
  explained_.push_back(slot);
  if (*len == 0) return;
  View view = make_view(*ptr, *len);
  view.cap = *cap;
  view.ptr_word = slot;
  view.len_word = slot + 8;
  view.live_for_sure = live_for_sure;
  view.in_stack_object = !live_for_sure;
  add(std::move(view));
}

// Address-taken variables, among them maps that live on the stack: their words have no bit in the
// stack maps.
void FrameScan::scan_stack_objects() {
  for (const heap::StackObject& object : heap::stack_objects(context_.binary, frame_)) {
    for (u64 offset = 0; offset + 24 <= object.size_bytes && offset < object.ptr_bytes;
         offset += 8) {
      consider_header(object.begin + offset, false);
    }
  }
}

FrameLiveness liveness_of_caller(Context& context, const StackFrame& frame) {
  FrameLiveness liveness;
  liveness.slots = heap::live_pointer_slots(context.binary, frame);
  liveness.known = true;
  return liveness;
}

// In the appending frame: what is live across the grow path's call is live across the append.
FrameLiveness liveness_of_append(const Append& append) {
  FrameLiveness liveness;
  liveness.known = true;
  const sites::AppendSite& site = append.site->site;
  u64 sp = append.event->regs[x86::kRsp];
  for (const sites::LivePointer& pointer : site.live_pointers) {
    using LocationKind = program::ValueLocation::Kind;
    liveness.slots.push_back(TargetAddr(sp + static_cast<u64>(pointer.slot)));
    if (pointer.at_branch.kind == LocationKind::kStackSlot && pointer.at_branch.addend == 0) {
      liveness.slots.push_back(TargetAddr(sp + static_cast<u64>(pointer.at_branch.disp)));
    }
    if (pointer.at_branch.kind == LocationKind::kRegister && pointer.at_branch.addend == 0) {
      liveness.regs |= x86::bit(pointer.at_branch.reg);
    }
  }
  std::sort(liveness.slots.begin(), liveness.slots.end());
  liveness.slots.erase(std::unique(liveness.slots.begin(), liveness.slots.end()),
                       liveness.slots.end());
  return liveness;
}

bool mentions(ByteView stack, const Array& array) {
  for (u64 offset = 0; offset + 8 <= stack.size(); offset += 8) {
    u64 word = *find_int<u64>(stack, offset);
    if (word - array.begin.value < array.end.value - array.begin.value) return true;
  }
  return false;
}

}  // namespace

std::vector<View> find_stack_views(Context& context, const Append& append, usize left_out) {
  std::vector<View> views;
  const StackOwner owner{TargetAddr(append.event->g), append.event->goid,
                         TargetAddr(append.event->stack_hi)};
  for (usize i = left_out; i < append.frames.size(); ++i) {
    const StackFrame& frame = append.frames[i];
    FrameLiveness liveness =
        i == 0 ? liveness_of_append(append) : liveness_of_caller(context, frame);
    FrameScan(context, append, owner, append.stack, frame, i == 0, std::move(liveness), views)
        .run();
  }
  return views;
}

std::vector<View> find_parked_views(Context& context, const Append& append) {
  std::vector<View> views;
  u64 damaged = 0;
  std::vector<heap::Goroutine> all = heap::read_goroutines(
      context.memory, context.binary.layout(), context.symbols, context.bias(), &damaged);
  context.left_out.unread += damaged;
  if (all.size() > kMaxGoroutines) {
    context.left_out.goroutines += all.size() - kMaxGoroutines;
    all.resize(kMaxGoroutines);
  }
  for (const heap::Goroutine& goroutine : all) {
    if (goroutine.g.value == append.event->g || goroutine.status == heap::GStatus::kRunning)
      continue;
    std::vector<u8> bytes;
    u64 size = goroutine.stack_hi.value - goroutine.sp.value;
    if (goroutine.sp && size > kMaxParkedStackBytes) ++context.left_out.stacks;
    if (!goroutine.sp || size > kMaxParkedStackBytes) continue;
    bytes.resize(size);
    if (!context.memory.read(goroutine.sp, bytes) || !mentions(bytes, append.array)) continue;
    std::optional<heap::ParkedStack> parked =
        heap::unwind_parked(context.memory, context.binary, context.bias(), goroutine,
                            kMaxParkedStackBytes, kMaxFrames);
    if (!parked) continue;
    StackCopy copy = parked->copy();
    const StackOwner owner{goroutine.g, goroutine.goid, goroutine.stack_hi};
    for (const StackFrame& frame : parked->unwound.frames) {
      if (!frame.is_return_address) continue;
      FrameScan(context, append, owner, copy, frame, false, liveness_of_caller(context, frame),
                views)
          .run();
    }
  }
  return views;
}

}  // namespace geist::judge
