// Frames in, words out: maps say which slots count, then what points into the stack itself is
// followed until nothing new turns up.
//
// Objects of all frames are collected first, as a pointer in an inner frame may point to an object
// of an outer one (and never the other way round, or the compiler would have moved it to the heap).
#include "heap/stack_roots.h"

#include <algorithm>
#include <array>

namespace geist::heap {
namespace {

// runtime/runtime2.go g: stack, stackguard0, stackguard1, _panic, _defer; the same in go1.21 to
// go1.27.
constexpr u64 kGPanic = 32, kGDefer = 40;

// Their arguments are described by the method value they were called with, not by a map.
bool has_maps_of_its_own(const read::Function& function) {
  return function.name == "reflect.makeFuncStub" || function.name == "reflect.methodValueCall";
}

class Collector {
 public:
  Collector(const read::GoBinary& binary, const ParkedStack& stack)
      : binary_(binary), stack_(stack.copy()), frames_(stack.unwound.frames) {}

  void add_frames() {
    for (const StackFrame& frame : frames_) {
      for (const StackObject& object : stack_objects(binary_, frame)) objects_.push_back(object);
      bool is_at_entry = frame.pc == frame.function.entry;
      if (!frame.is_return_address && !is_at_entry) {
        u64 args = static_cast<u64>(std::max(frame.function.args_size, 0));
        add_range(frame.sp, frame.cfa + args);
        continue;
      }
      // The registers that the signal found, as far as asyncPreempt saved them.
      if (frame.function.name == "runtime.asyncPreempt") add_range(frame.sp, frame.cfa);
      for (TargetAddr slot : live_pointer_slots(binary_, frame)) {
        add(slot, stack_.find_word(slot).value_or(0));
      }
    }
  }

  void add_range(TargetAddr begin, TargetAddr end) {
    for (TargetAddr at = begin; at < end; at += 8) {
      std::optional<u64> word = stack_.find_word(at);
      if (!word) return;
      add(at, *word);
    }
  }

  void add(TargetAddr at, u64 word) {
    if (word != 0) roots_.push_back({at, word});
  }

  // Follows what points into the stack itself.
  std::vector<StackRoot> finish() {
    std::sort(objects_.begin(), objects_.end(),
              [](const StackObject& a, const StackObject& b) { return a.begin < b.begin; });
    std::vector<bool> is_taken(objects_.size());
    for (usize i = 0; i < roots_.size(); ++i) {  // grows meanwhile
      TargetAddr at(roots_[i].value);
      auto behind = std::upper_bound(
          objects_.begin(), objects_.end(), at,
          [](TargetAddr value, const StackObject& object) { return value < object.begin; });
      if (behind == objects_.begin()) continue;
      const StackObject& object = *(behind - 1);
      usize number = static_cast<usize>(behind - objects_.begin()) - 1;
      if (at - object.begin >= object.size_bytes || is_taken[number]) continue;
      is_taken[number] = true;
      add_range(object.begin, object.begin + object.ptr_bytes);
    }
    return std::move(roots_);
  }

 private:
  const read::GoBinary& binary_;
  StackCopy stack_;
  const std::vector<StackFrame>& frames_;
  std::vector<StackObject> objects_;
  std::vector<StackRoot> roots_;
};

}  // namespace

std::vector<StackRoot> find_stack_root_slots(const process::Memory& memory,
                                             const read::GoBinary& binary,
                                             const Goroutine& goroutine, const ParkedStack& stack) {
  Collector collector(binary, stack);
  const std::vector<StackFrame>& frames = stack.unwound.frames;
  bool is_known = stack.unwound.complete &&
                  std::none_of(frames.begin(), frames.end(), [](const StackFrame& frame) {
                    return has_maps_of_its_own(frame.function);
                  });
  if (is_known) {
    collector.add_frames();
  } else {
    collector.add_range(stack.sp, goroutine.stack_hi);
  }
  // Records of defer and panic may be on the stack without a live slot that points to them.
  for (u64 offset : std::array<u64, 2>{kGPanic, kGDefer}) {
    collector.add({}, memory.find<u64>(goroutine.g + offset).value_or(0));
  }
  return collector.finish();
}

std::vector<u64> find_stack_roots(const process::Memory& memory, const read::GoBinary& binary,
                                  const Goroutine& goroutine, const ParkedStack& stack) {
  std::vector<u64> values;
  for (const StackRoot& root : find_stack_root_slots(memory, binary, goroutine, stack)) {
    values.push_back(root.value);
  }
  return values;
}

}  // namespace geist::heap
