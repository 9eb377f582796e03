// Append: one overwriting append as its event tells it, with its site, its array and its call
// stack.
#pragma once

#include "abi/event.h"
#include "judge/view.h"

namespace geist::judge {

// What the array is: the bytes any view of it must lie in.
struct Array {
  TargetAddr begin;
  TargetAddr end;
  bool on_stack = false;  // of a goroutine
  bool in_globals = false;
  bool in_larger_object =
      false;     // elements without pointers in an object that has some: an array field of a struct
  // Perhaps one of several values in a block of the tiny allocator (runtime/malloc.go, go1.21 to
  // go1.27): what begins elsewhere in the block need not be this array's.
  bool is_tiny = false;
  TargetAddr g;  // on_stack: whose
};

// The append as the event tells it, with the site it belongs to.
struct Append {
  const probe::ProbedSite* site = nullptr;
  const abi::Event* event = nullptr;
  Array array;
  std::string_view file;  // of the append's source line
  i32 line = 0;
  heap::StackCopy stack;
  std::vector<heap::StackFrame> frames;  // [0] is the function with the append

  // Of the function with the append.
  Activation activation() const {
    if (frames.empty()) return {site->site.function, {}, 0, 0};
    return event == nullptr ? make_activation(frames[0], 0, {})
                            : make_activation(frames[0], event->g, TargetAddr(event->stack_hi));
  }
  // Was this call under way when the append happened? What it was handed says nothing about a later
  // read by it or by what it calls: that may go through the append's own result.
  bool was_under_way(const Activation& call) const {
    for (const heap::StackFrame& frame : frames) {
      if (make_activation(frame, event->g, TargetAddr(event->stack_hi)) == call) return true;
    }
    return false;
  }
  u64 old_len() const { return event->append.new_len - event->append.num; }
  u64 dest() const { return event->append.dest; }
  u64 dest_end() const { return event->append.dest + event->append.dest_size; }
  bool covers_dest(const View& v) const {
    u64 size = event->append.elem_size;
    return v.ptr < dest_end() && v.end(size) > dest();
  }
};

}  // namespace geist::judge
