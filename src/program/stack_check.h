// How much stack a function may be sure of: by the check in its prologue, or by who calls it.
//
//   CMP RSP, 16(R14)          LEA R12, -N(RSP)           MOV R12, RSP
//   JBE more                  CMP R12, 16(R14)           SUB R12, N
//   body                      JBE more                   JB  more
//                             body                       CMP R12, 16(R14)
//   more: [spills] CALL runtime.morestack* [reloads]     JBE more
//         JMP entry                                      body
//
// A function without one (nosplit) lives on what its callers left: the linker adds up the frames of
// each chain of such functions. Source: cmd/internal/obj/x86/obj6.go stacksplit;
// internal/abi/stack.go; cmd/link/internal/ld/stackcheck.go; go1.21 to go1.27.
#pragma once

#include <map>
#include <optional>

#include "program/calls_to.h"
#include "program/code.h"

namespace geist::program {

// Below the stack pointer of a function with a check, wherever it calls another one:
// internal/abi/stack.go StackNosplitBase.
inline constexpr u64 kStackOfCallees = 800;

struct StackCheck {
  ImageAddr branch;  // the last one
  ImageAddr body;    // the first instruction after it
  ImageAddr more;    // where the branches lead when there is not enough
};

// The check that `code`, a function's first bytes, begins with; nothing when it begins otherwise.
std::optional<StackCheck> read_stack_check(ByteView code, ImageAddr entry);

// Belongs to one thread; remembers what it has found.
class StackRoom {
 public:
  explicit StackRoom(const read::GoBinary& binary) : binary_(binary) {}

  // Bytes below the stack pointer that are sure at `pc`, before the instruction there. 0 when a
  // frame on the way is not known.
  u64 below(const read::Function& function, ImageAddr pc);

 private:
  struct Call {
    ImageAddr entry;  // of the function that calls
    i64 bytes = 0;    // from its stack pointer at entry to that of the callee at entry
  };
  struct Node {
    bool has_check = false;
    bool is_searched = false;  // `callers` holds all of them
    bool is_known = true;      // every caller's frame is
    bool is_asked = false;     // depth_of() has begun with it
    std::vector<Call> callers;
    std::optional<i64> depth;  // most bytes that may be in use at the entry
  };
  bool has_check(const read::Function& function) const;
  bool is_instruction(const read::Function& function, ImageAddr at) const;
  void add_caller(const CallPlace& call, std::vector<ImageAddr>& open);
  void add_callers(ImageAddr entry);
  std::optional<i64> depth_of(ImageAddr entry);

  const read::GoBinary& binary_;
  std::map<ImageAddr, Node> nodes_;  // by entry
};

}  // namespace geist::program
