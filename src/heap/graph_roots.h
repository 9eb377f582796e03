// Where the collector starts: globals, the stacks of goroutines, finalizers, registers; each
// pointer with the variable that holds it, as far as it has a name. Source: runtime/mgcmark.go
// (markroot), runtime/mheap.go (specials), go1.21 to go1.27.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "heap/global_words.h"
#include "heap/graph.h"
#include "heap/stack_roots.h"
#include "heap/static_data.h"

namespace geist::heap {

// A variable of a frame that lies on the stack.
struct FrameVariable {
  std::string name;
  std::string function;
  i64 cfa_offset = 0;
  u64 size_bytes = 0;
  u64 byte_offset = 0;  // of this piece in the variable
  TypeId type = kUnknownType;
};

class GraphRoots {
 public:
  GraphRoots(HeapGraph& graph, const GraphScan& scan)
      : graph_(graph), image_(graph.image_), static_(image_, *graph.types_, scan) {}
  void run();

 private:
  void add_globals();
  void add_globals(GlobalSection section);
  void add_goroutines();
  void add_stack(const Goroutine& goroutine, bool is_exact);
  void add_registers();
  struct Special {
    TargetAddr next;
    u64 offset = 0;  // of its object in the span
    u8 kind = 0;
  };
  void add_specials();
  std::optional<Special> read_special(TargetAddr at) const;
  void add_special(const Span& span, TargetAddr at, const Special& special);
  void add(u32 holder, TargetAddr at, u64 value, const PointerWord& word);
  u32 holder_of_global(usize index);
  u32 other_holder(const std::string& name);
  u32 holder_on_stack(const Goroutine& goroutine, const StackFrame* frame,
                      const FrameVariable* variable);
  // The goroutine with the place where its thread was stopped; is_exact says what its pc is.
  Goroutine place_running(const Goroutine& goroutine, bool* is_exact) const;
  const std::vector<FrameVariable>& variables_of(const StackFrame& frame);
  const FrameVariable* find_variable(const StackFrame& frame, i64 cfa_offset);
  void place_header(const StackFrame& frame, const FrameVariable& variable, Root& root);

  HeapGraph& graph_;
  const HeapImage& image_;
  StaticData static_;
  std::unordered_map<usize, u32> global_holders_;
  std::unordered_map<std::string, u32> other_holders_;
  std::map<std::pair<u64, bool>, std::vector<FrameVariable>> variables_;  // by pc
};

}  // namespace geist::heap
