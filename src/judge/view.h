// View: one slice header as it was found, wherever its words are; Context: what every step of the
// judge looks things up in.
//
//   Event ──▶ views (stack, heap, globals) ──▶ victims (views that cover the destination)
//         ──▶ watched, settled ──▶ Finding
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "abi/event.h"
#include "base/address.h"
#include "findings/finding.h"
#include "heap/spans.h"
#include "heap/unwind.h"
#include "heap/views.h"
#include "judge/activation.h"
#include "judge/left_out.h"
#include "probe/patch_plan.h"
#include "process/launch.h"
#include "process/memory.h"
#include "program/code_cache.h"
#include "read/dwarf/debug_info.h"
#include "read/go/go_binary.h"
#include "sites/identity.h"

namespace geist::judge {

struct View;

struct Context {
  const read::GoBinary& binary;
  read::DebugInfo* debug = nullptr;  // null when stripped
  const sites::SiteTable& sites;     // all, those too that are not probed
  const probe::PatchPlan& plan;
  const process::Memory& memory;
  heap::RuntimeSymbols symbols;
  heap::SpanTable spans;
  heap::ViewScanner scanner;
  std::optional<std::string> tested_package;  // of a test binary
  // The path from a root to a header in the heap, where variables and globals do not lead to it;
  // empty when it is not known. May be null.
  std::function<std::string(const View&)> find_heap_path = nullptr;
  program::CodeCache codes = program::CodeCache(binary);
  sites::AppendIdentities identities = sites::AppendIdentities(binary, sites);
  LeftOut left_out = {};

  LoadBias bias() const { return plan.bias; }
};

// What a running program is looked at with. The references must outlive it.
Context make_context(const read::GoBinary& binary, read::DebugInfo* debug,
                     const sites::SiteTable& sites, const process::ProbedProcess& process,
                     const heap::RuntimeSymbols& symbols);

struct View {
  findings::Holder holder = findings::Holder::kHeap;
  u64 ptr = 0;
  u64 len = 0;
  u64 cap = 0;          // 0 when not known
  TargetAddr ptr_word;  // where the header's words are in memory; 0 when in a register or constant
  TargetAddr len_word;
  TargetAddr object;  // kHeap: the object that holds the header
  u64 object_size = 0;
  // Where it was found, of a header in the heap that has moved since; 0: it has not.
  TargetAddr first_ptr_word, first_object;
  u64 first_object_size = 0;
  bool live_for_sure = true;  // false: a stack object, whose liveness the stack maps do not tell
  bool in_stack_object =
      false;  // an address-taken variable (or a map on the stack): its words are memory, not spills
  bool len_known =
      true;  // false: only the pointer is somewhere; `len` then reaches to the end of the array

  // kStack, kRegister
  std::string name;  // variable, with field path
  std::string type;
  std::string function;  // of the variable: the inlined function it belongs to
  ImageAddr pc;          // where the frame was
  Activation frame;
  TargetAddr g;
  u64 goid = 0;
  TargetAddr stack_hi;  // the upper end of g's stack when the view was found: ptr_word and len_word
                        // move with it
  bool same_frame = false;    // the frame that runs the append
  bool told_by_source = false;  // a variable of the source only (sites::KeptName)
  bool told_by_code = false;  // which words belong together (program/header_words.h)
  // The operand is no front part that was cut from this slice, as far as the code shows where it
  // comes from, and the slice does not reach to the end of its array, as buffers do.
  bool not_cut = false;
  // Its pointer's word is what a loop of its frame walks through the array with.
  bool is_walked = false;
  // Of a view that the code told of: where pointer and length are at the branch.
  program::ValueLocation ptr_from, len_from;

  // The word whose read shows that somebody goes through this view: the length, or the pointer when
  // that is all there is, or when they are words of the compiler's own: the length's word may get
  // another value while the pointer is still in use.
  TargetAddr header_word() const { return len_word && !told_by_code ? len_word : ptr_word; }
  u64 end(u64 elem_size) const { return ptr + len * elem_size; }
  // Begins with the append's operand and is longer than its result.
  bool surrounds(const abi::Event& event) const {
    return ptr == event.append.old_ptr && len > event.append.new_len;
  }
  // Perhaps the buffer that the operand is a front part of, and that is used by position:
  // w.buf[:w.n]. Bytes are; who keeps elements of another kind like that stores them by index.
  bool may_be_cut(const abi::Event& event) const {
    return surrounds(event) && event.append.elem_size == 1;
  }
};

}  // namespace geist::judge
